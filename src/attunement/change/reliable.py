"""How far a second score may lie from the first by error of measurement alone.

Every method is a line and an error: what it expects of the second score where nothing but error was at work, and
the standard error around that. They differ in whether the first score, which holds error too, is believed as it
stands (Jacobson and Truax) or drawn towards the mean of its population (all others).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final, Literal, get_args

from attunement.errors import InputError
from attunement.wording import not_yet, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.change.norms import Norms, Population
    from attunement.findings import NotYet
    from attunement.instruments import Published
    from attunement.instruments.description import Language

    Figures = dict[str, Published | Population | None]

Method = Literal[
    "jacobson-truax", "edwards-nunnally", "gulliksen-lord-novick", "nunnally-kotsch", "hageman-arrindell"
]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

_TWO_SIDED = 1.96
_ONE_SIDED = 1.65  # Hageman & Arrindell: a risk of .05 on each side


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What a method expects of a second score, and how far off error alone may carry it.

    Parameters
    ----------
    method
        Whose method it is.
    start, slope
        The expected second score is ``start + slope * first``, in points.
    error
        The standard error around it, in points.
    critical
        From how many standard errors on, exclusive, a change is reliable: 1.96, and 1.65 in Hageman and
        Arrindell's method.
    """

    method: Method
    start: float
    slope: float
    error: float
    critical: float

    @property
    def margin(self) -> float:
        """How many points the second score may lie from the expected one and still be error."""
        return self.critical * self.error

    @property
    def level(self) -> float:
        """The probability that an interval of one margin to each side holds."""
        return 0.90 if self.critical == _ONE_SIDED else 0.95

    def expected(self, before: float) -> float:
        """Return what error alone would make of the second score, on average."""
        return self.start + self.slope * before

    def index(self, before: float, after: float) -> float:
        """Return the reliable change index: the distance from the expected score, in standard errors."""
        return (after - self.expected(before)) / self.error


def yardstick(
    norms: Norms, method: Method = "jacobson-truax", *, language: Language = "en"
) -> Yardstick | NotYet:
    """Make a method's yardstick of the published figures.

    With M and S the mean and standard deviation before treatment, r the reliability:

    ========================  ==========================  =====================================
    method                    expects                     standard error
    ========================  ==========================  =====================================
    ``jacobson-truax``        the first score             ``S sqrt(2 (1 - r))``
    ``edwards-nunnally``      ``M + r (first - M)``       ``S sqrt(1 - r)``
    ``gulliksen-lord-novick`` ``M + r (first - M)``       ``S sqrt(1 - r**2)``
    ``nunnally-kotsch``       ``M + r (first - M)``       ``S sqrt(r**2 (1 - r) + 1 - r_after)``
    ``hageman-arrindell``     first - D (1 - R) / R       ``S sqrt(2 (1 - r) / R)``
    ========================  ==========================  =====================================

    D is the mean change of the group and R the reliability of its differences, both from the group after
    treatment. Jacobson & Truax (1991), Journal of Consulting and Clinical Psychology 59:12-19; Speer (1992), same
    journal 60:402-408, for Edwards and Nunnally's (he rounds 1.96 to 2); Hsu (1989), Behavioral Assessment
    11:459-467, for Gulliksen, Lord and Novick's; Nunnally & Kotsch (1983), British Journal of Clinical Psychology
    22:83-93; Hageman & Arrindell (1999), Behaviour Research and Therapy 37:1169-1193.

    Parameters
    ----------
    norms
        The published figures.
    method
        Whose method.
    language
        Of what is missing.

    Returns
    -------
    Yardstick or NotYet
        `NotYet` names the figures that are not published.

    Raises
    ------
    InputError
        Where there is no such method, or differences have no reliability with these figures.

    Examples
    --------
    >>> from attunement.change.norms import Norms, Population
    >>> from attunement.instruments import Published
    >>> study = "Jacobson & Truax (1991), table 1"
    >>> scale = Norms("the scale", "better", Published(0.80, study), clinical=Population(40, 7.5, study))
    >>> ruler = yardstick(scale)
    >>> round(ruler.error, 2), round(ruler.index(32.5, 47.5), 2), round(ruler.margin, 1)
    (4.74, 3.16, 9.3)
    >>> print(yardstick(scale, "nunnally-kotsch").sentence)
    Not yet: no published reliability after treatment of the scale; a study that reports it, named as its source,
    would supply it.
    """
    if method not in METHODS:
        raise InputError(f"{method!r} is no method for reliable change; it is one of {', '.join(METHODS)}.")
    found = _MAKERS[method](norms)
    if isinstance(found, Yardstick):
        return found
    return unpublished(norms, "change_about_reliable", found, language)


def unpublished(norms: Norms, about: str, figures: Figures, language: Language) -> NotYet:
    """Say which of these figures nobody has published, and what would supply them.

    `about` and the keys of `figures` are names of sentences.
    """
    lacking = [say(name, language) for name, figure in figures.items() if figure is None]
    together = reduce(
        lambda first, second: say("change_and_no", language, first=first, second=second), lacking
    )
    return not_yet(
        say(about, language, scale=norms.name),
        say("change_unpublished", language, figures=together, scale=norms.name),
        say("change_study", language),
        language,
    )


def _jacobson_truax(norms: Norms) -> Yardstick | Figures:
    sd, reliability = norms.spread, norms.reliability
    if sd is None or reliability is None:
        return {"change_reliability": reliability, "change_sd": sd}
    error = sd.value * math.sqrt(2 * (1 - reliability.value))
    return Yardstick("jacobson-truax", 0.0, 1.0, error, _TWO_SIDED)


def _edwards_nunnally(norms: Norms) -> Yardstick | Figures:
    return _towards_the_mean(norms, "edwards-nunnally", lambda r: 1 - r)


def _gulliksen_lord_novick(norms: Norms) -> Yardstick | Figures:
    return _towards_the_mean(norms, "gulliksen-lord-novick", lambda r: 1 - r**2)


def _nunnally_kotsch(norms: Norms) -> Yardstick | Figures:
    later = norms.reliability_after
    if later is None or norms.reliability is None or norms.clinical is None:
        return {**_of_the_mean(norms), "change_reliability_after": later}
    return _towards_the_mean(norms, "nunnally-kotsch", lambda r: r**2 * (1 - r) + 1 - later.value)


def _towards_the_mean(norms: Norms, method: Method, share: Callable[[float], float]) -> Yardstick | Figures:
    """Expect the first score drawn towards its population's mean; `share` is the error's share of the variance."""
    if norms.clinical is None or norms.reliability is None:
        return _of_the_mean(norms)
    r, mean, sd = norms.reliability.value, norms.clinical.mean, norms.clinical.sd
    return Yardstick(method, mean * (1 - r), r, sd * math.sqrt(share(r)), _TWO_SIDED)


def _hageman_arrindell(norms: Norms) -> Yardstick | Figures:
    before, after, stability = norms.clinical, norms.after, norms.stability
    if before is None or after is None or stability is None or norms.reliability is None:
        return {**_of_the_mean(norms), "change_after": after, "change_stability": stability}
    error = before.sd**2 * (1 - norms.reliability.value)  # the variance of one score's error
    shared = 2 * before.sd * after.sd * stability.value
    differences = before.sd**2 + after.sd**2 - shared
    reliability = (differences - 2 * error) / differences
    if reliability <= 0:
        raise InputError(
            f"With these figures of {norms.name} the differences hold nothing but error of measurement; "
            "Hageman and Arrindell's method cannot be used."
        )
    drift = (after.mean - before.mean) * (1 - reliability) / reliability
    return Yardstick("hageman-arrindell", -drift, 1.0, math.sqrt(2 * error / reliability), _ONE_SIDED)


def _of_the_mean(norms: Norms) -> Figures:
    return {"change_reliability": norms.reliability, "change_before": norms.clinical}


_MAKERS: Final[dict[Method, Callable[[Norms], Yardstick | Figures]]] = {
    "jacobson-truax": _jacobson_truax,
    "edwards-nunnally": _edwards_nunnally,
    "gulliksen-lord-novick": _gulliksen_lord_novick,
    "nunnally-kotsch": _nunnally_kotsch,
    "hageman-arrindell": _hageman_arrindell,
}
