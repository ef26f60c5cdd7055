r"""The board: eight hypotheses side by side, ordered by support, never decided.

Each hypothesis has one sign x, standard normal where it does not hold and about :math:`N(m, s^2)` where it does; signs
are taken to be independent. With even chances for the eight, and one for none of them, support is Bayes' rule. m, s and
the chance of none are our own judgement, set so that supports are calibrated on simulated practices whose truth is
known (benchmarks/bench_connecting.py); what is missing moves no chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.connecting.signs import SIGNS
from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.wording import in_hundred, not_yet, say

if TYPE_CHECKING:
    from attunement.connecting.known import Known
    from attunement.connecting.signs import Sign
    from attunement.instruments.description import Language
    from attunement.trajectories import Trajectory

OPENS: Final = 0.8
"""The chance of stalled or falling from which the board opens."""
NONE: Final = 0.4
"""The chance that none of the eight is it, before anything was seen [judgement]."""
SHIFT, SPREAD = 2.4, 1.4
_MOST: Final = 5.0  # of a logarithm: no single sign decides
CALLED: Final = 0.75
"""The support from which the first hypothesis is named in the sentence."""
HYPOTHESES: Final = tuple(SIGNS)
COLUMNS = {
    "hypothesis": pl.String,
    "name": pl.String,
    "support": pl.Float64,
    "speaks_for": pl.String,
    "speaks_against": pl.String,
    "missing": pl.String,
    "ask": pl.String,
}
"""The columns of a board's evidence; what does not apply is empty."""


@dataclass(frozen=True, slots=True)
class Support:
    """One hypothesis on the board.

    Parameters
    ----------
    hypothesis
        One of `HYPOTHESES`.
    chance
        Its support, 0 to 1, beside the seven others and none of them.
    sign
        What was seen, or that nothing could be.
    """

    hypothesis: str
    chance: float
    sign: Sign


def supports(known: Known, dyad: Trajectory) -> tuple[tuple[Support, ...], float]:
    """Weigh the eight; returns them, the best supported first, and the chance of none."""
    seen = {name: sign(known, dyad) for name, sign in SIGNS.items()}
    weight = np.array([_ratio(each) for each in seen.values()] + [0.0])
    weight += np.log([(1 - NONE) / len(SIGNS)] * len(SIGNS) + [NONE])
    chance = np.exp(weight - np.logaddexp.reduce(weight))
    found = [Support(name, float(p), sign) for (name, sign), p in zip(seen.items(), chance, strict=False)]
    return tuple(sorted(found, key=lambda each: -each.chance)), float(chance[-1])


def board(
    known: Known, client: str, *, therapist: str | None = None, language: Language = "en"
) -> Finding | NotYet:
    """Lay out what may stand behind a bond that does not form.

    Parameters
    ----------
    known
        The therapist's own tables.
    client, therapist
        Whom it is about.
    language
        Of the sentences.

    Returns
    -------
    Finding or NotYet
        The finding's evidence has the columns of `COLUMNS`, the best supported first; its estimate is the support of
        the first, between what it would be if none were likelier beforehand or less likely. NotYet while nothing says
        that the bond stalls or falls.

    Raises
    ------
    ColumnProblem
        Where there is no such client, or several therapists met them.
    """
    dyad = _dyad(known, client, therapist)
    about = say("connecting_about", language, name=dyad.name)
    chance = 0.0 if dyad.states is None else dyad.states["stalled"] + dyad.states["falling"]
    if chance < OPENS:
        return not_yet(
            about,
            say("connecting_not_open", language, name=dyad.name, chance=in_hundred(chance)),
            say("connecting_opens", language),
            language,
        )
    found, none = supports(known, dyad)
    first = found[0]
    name = "connecting_first" if first.chance >= CALLED else "connecting_none"
    told = {
        "first": say(f"{first.hypothesis}_name", language),
        "chance": in_hundred(first.chance),
    }
    return Finding(
        about,
        say(name, language, **told),
        Estimate(first.chance, *_range(first.chance, none), unit="share"),
        pl.DataFrame([_row(each, language) for each in found], schema=COLUMNS),
        (say("connecting_limit", language), say("connecting_limit_effects", language)),
    )


def _ratio(sign: Sign) -> float:
    """The logarithm of how much likelier what was seen is where the hypothesis holds."""
    if sign.ratio is not None:
        return min(sign.ratio, _MOST)
    if sign.strength is None:
        return 0.0
    x = max(sign.strength, 0.0)  # signs that point the other way speak against, all alike
    return min(x**2 / 2 - (x - SHIFT) ** 2 / (2 * SPREAD**2) - math.log(SPREAD), _MOST)


def _range(chance: float, none: float) -> tuple[float, float]:
    """The support with half and with twice the chance of none beforehand."""
    ends = []
    for factor in (0.5, 2.0):
        after = none * factor * (1 - NONE) / (1 - min(NONE * factor, 0.99))
        ends.append(chance / (1 - none + after))
    return min(*ends, chance), max(*ends, chance)


def _row(each: Support, language: Language) -> dict[str, str | float | None]:
    name, sign = each.hypothesis, each.sign
    seen = sign.seen
    speaks = seen and _ratio(sign) > 0
    return {
        "hypothesis": name,
        "name": say(f"{name}_name", language),
        "support": each.chance,
        "speaks_for": say(f"{name}_for", language, **sign.told) if speaks else None,
        "speaks_against": say(f"{name}_against", language) if seen and not speaks else None,
        "missing": None if seen else say(f"{name}_missing", language),
        "ask": say(f"{name}_ask", language),
    }


def _dyad(known: Known, client: str, therapist: str | None) -> Trajectory:
    found = [
        each
        for each in known.caseload.trajectories
        if each.client == client and therapist in {None, each.therapist}
    ]
    if len(found) != 1:
        more = f"{len(found)} therapists met the client {client!r}; name one."
        raise ColumnProblem(more if found else f"There is no client {client!r} in these ratings.")
    return found[0]
