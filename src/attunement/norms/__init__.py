"""Norms: what is usual among therapists elsewhere, from sums alone, so that one who works alone can be told a habit.

A site publishes sums over five therapists or more, each with as many clients and each client with as many reflections
as every other in the same sum; of rows, clients and therapists nothing leaves it. Sums of sites are added, and say
exactly what all those rows would. docs/ideas/norms.md has the mathematics, and what this protects from and what not.

The rooms, in the order in which data flow::

    designs     which rows are summed: equal designs, drawn by lot
    sums        the five numbers of a design, and adding them
    likelihood  the exact likelihood of the variances, from sums
    norms       a door: `publish`, `pool`, and what norms hold
    signing     a door: what one therapist gives to their practice's norms, and adding five of them
    written     a door: `dump` and `load`, as JSON that is checked
    told        a door: what a practice's norms tell to whoever runs it
    peers       one therapist against a norm
    habit       a door: what is habitual of somebody, against a norm
"""

from attunement.norms.habit import habitual
from attunement.norms.norms import About, Norms, Part, pool, publish
from attunement.norms.peers import Peers
from attunement.norms.signing import Contribution, contributions
from attunement.norms.told import told
from attunement.norms.written import dump, load

__all__ = [
    "About", "Contribution", "Norms", "Part", "Peers", "contributions", "dump", "habitual", "load", "pool", "publish",
    "told",
]  # fmt: skip
