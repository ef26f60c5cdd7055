"""The same moments from where the rows are: Parquet larger than memory, PostgreSQL, Spark.

One expression is written for all engines (Ibis) and run where the data lie; only sums by cell come back. They are
fitted like a frame:

    from attunement import mixed, scale

    formula = "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)"
    found = mixed.fit(formula, scale.moments(formula, "sessions.parquet"))

A cell is one client of one therapist: its sums can be as telling as its rows. They are no anonymous data.
"""

from attunement.scale.connected import connected
from attunement.scale.query import moments

__all__ = ["connected", "moments"]
