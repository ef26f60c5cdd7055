"""The command `fit`: a formula, worked out where the rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.cli.opening import say
from attunement.errors import InputError

if TYPE_CHECKING:
    from cyclopts import App


def add_to(app: App) -> None:
    """Give the command line this command."""
    app.command(fit)


def fit(formula: str, /, *, on: str, table: str = "", weights: str = "", strata: str = "") -> None:
    """Fit a hierarchical model where the rows are, and print it: only sums come back.

    Parameters
    ----------
    formula
        As in lme4: "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)".
    on
        Where the rows are: duckdb:///FILE, postgresql://USER@HOST/DATABASE, spark://HOST:PORT, or a Parquet file.
    table
        Which table there; for Spark also Parquet files that the cluster can see.
    weights
        The column of the rows' weights.
    strata
        The column of the residual's strata, each with a variance of its own.
    """
    try:
        from attunement import scale
    except ImportError as problem:
        raise InputError(
            f"{problem.name} is not installed; pip install 'attunement[scale]' would do."
        ) from None
    from attunement.mixed import fit as fitted

    with scale.connected(on, table) as rows:
        found = scale.moments(formula, rows, weights=weights or None, strata=strata or None)
    say(str(fitted(formula, found)))
