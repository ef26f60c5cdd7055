"""From moments to the criterion: which columns are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed.likelihood import Likelihood
from attunement.mixed.solution import Term
from attunement.mixed.tiers import Structure

if TYPE_CHECKING:
    from attunement.mixed.design import Moments


def likelihood(held: Moments, *, reml: bool) -> Likelihood:
    """Lay out the criterion of a formula on its data."""
    places: dict[str, tuple[int, ...]] = {}
    terms = []
    for term in held.terms:
        before = places.get(term.term.name, ())
        places[term.term.name] = before + term.places
        terms.append(Term(term.term.name, slice(len(before), len(before) + len(term.places))))
    even = tuple(even for whitening in held.whitenings for even in whitening.even)
    cells = held.cells(np.zeros(len(even)))
    structure = Structure(cells.codes, cells.counts, places, held.m)
    return Likelihood(structure, held.cells, tuple(terms), held.fixed, held.response, even, reml=reml)
