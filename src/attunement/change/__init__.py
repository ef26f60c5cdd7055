"""Change of an outcome: whether it is more than error of measurement, where it ended, and whether it jumped.

Reliable and clinically significant change (Jacobson & Truax 1991, and four later methods for the error), and sudden
gains and losses (Tang & DeRubeis 1999). Every figure that is not of the client's own comes with its source; where
none is published, the answer is a `NotYet` that names it.

>>> from attunement.instruments import instrument
>>> print(changed("K-07", 6.5, 3.0, norms_of(instrument("state"))).sentence)
Not yet: no published reliability and no standard deviation before treatment of ...
"""

from attunement.change.norms import Norms, Population, norms_of
from attunement.change.reliable import METHODS, Method, Yardstick, yardstick
from attunement.change.significant import (
    KINDS,
    RESULTS,
    Cutoff,
    before_and_after,
    changed,
    changes,
    cutoff,
)
from attunement.change.sudden import Criteria, intervals, jumped, jumps

__all__ = [
    "KINDS",
    "METHODS",
    "RESULTS",
    "Criteria",
    "Cutoff",
    "Method",
    "Norms",
    "Population",
    "Yardstick",
    "before_and_after",
    "changed",
    "changes",
    "cutoff",
    "intervals",
    "jumped",
    "jumps",
    "norms_of",
    "yardstick",
]
