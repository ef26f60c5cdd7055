"""The mirror, the board, the card and the impact: what the tables mean, and no more than the findings say."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from attunement.connecting import CALLED
from attunement.conversation import Heard, card
from attunement.errors import Locked
from attunement.findings import Finding
from attunement.steps import suggestions
from attunement.web.answers import nothing
from attunement.wording import in_hundred

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.practice import Standing
    from attunement.practice.unlocked import Reflections
    from attunement.web.answers import Told
    from attunement.web.page import Ask
    from attunement.web.understanding import Understood

MIRROR: Final[tuple[str, ...]] = ("feelings", "signal", "next", "agreement")
WITH_CLIENT: Final[tuple[str, ...]] = ("feelings", "signal", "agreement")
TRUST: Final[tuple[str, ...]] = ("trust",)
IMPACT: Final[tuple[str, ...]] = ("bond", "staying", "outcome", "change")
READING: Final = {
    "step": "steps", "course": "trajectory", "hindering": "check_in", "line": "check_in", "open": "check_in"
}  # fmt: skip
"""Under which heading of the library a point of the card is, where that is not its own."""


def mirror(ask: Ask) -> Response:
    """Show one's own side with all clients, for the owner's eyes alone."""
    asked = (MIRROR if ask.signed_in.unlocked else ()) + TRUST
    known = _known(ask, *asked)
    return ask.page("mirror.html", language=ask.language, known=known, asked=asked, of=None)


def mirror_with(ask: Ask) -> Response:
    """Show one's own side with one client."""
    asked = (WITH_CLIENT if ask.signed_in.unlocked else ()) + TRUST
    _seen(ask)
    return ask.page("mirror.html", language=ask.language, known=_known(ask, *asked), asked=asked, of=ask.code)


def board(ask: Ask) -> Response:
    """Lay out what may stand behind a bond that does not form."""
    _seen(ask)
    known, language = _known(ask, "board", "bond"), ask.language
    answer = known.answers.get("board")
    told = _first(answer.of.get(ask.code, ()) if answer else ())
    if answer is not None and told is None:
        told = nothing("board", "ratings", language)
    return ask.page(
        "board.html", language=language, known=known, found=told, of=ask.code, in_hundred=in_hundred,
        named=CALLED, suggestions=suggestions,
    )  # fmt: skip


def conversation(ask: Ask) -> Response:
    """Say what to bring up next session, and how to open it."""
    standing = _seen(ask)
    known, language = _known(ask, "bond", "board"), ask.language
    points = card(_heard(ask, standing, known), language)
    return ask.page("card.html", language=language, known=known, points=points, of=ask.code, reading=READING)


def impact(ask: Ask) -> Response:
    """Show what bonds go with, in the whole practice."""
    known = _known(ask, *IMPACT)
    return ask.page("impact.html", language=ask.language, known=known, asked=IMPACT, of=None)


def impact_of(ask: Ask) -> Response:
    """Show how one client is, how steady, and what has changed."""
    _seen(ask)
    return ask.page(
        "impact.html", language=ask.language, known=_known(ask, *IMPACT), asked=IMPACT, of=ask.code
    )


# -- inside


def _seen(ask: Ask) -> Standing:
    """Whose page it is, if they are one's own; from here on no guess is made before their answers were seen."""
    (standing,) = ask.practice.agenda(ask.code).standings
    ask.signed_in.shown |= {(ask.code, each.session) for each in ask.practice.check_ins(ask.code)}
    return standing


def _known(ask: Ask, *questions: str) -> Understood:
    opened = _opened(ask)
    return ask.rooms.understanding.of(ask.practice, opened, ask.language, *questions)


def _opened(ask: Ask) -> Reflections | None:
    """One's own reflections, while they are open in this browser; the look is in a journal before it is shown."""
    if ask.signed_in.unlocked:
        with suppress(Locked):
            ask.practice.looked(reflections=True)
            return ask.signed_in.opened
    ask.practice.looked(reflections=False)
    return None


def _first(told: tuple[Told, ...]) -> Told | None:
    return told[0] if told else None


def _heard(ask: Ask, standing: Standing, known: Understood) -> Heard:
    """What is known of one client that may be brought up."""
    bond, hypotheses = (
        answer.of.get(ask.code, ()) if (answer := known.answers.get(name)) else ()
        for name in ("bond", "board")
    )
    said, first = standing.said, _first(hypotheses)
    tried = next((each for each in reversed(ask.practice.steps(ask.code)) if each.outcome is None), None)
    return Heard(
        step=tried.what if tried else None,
        talked=tried.talked if tried else None,
        helped=tried.helped if tried else None,
        rupture=_wanted(bond, "rupture"),
        bond=_wanted(bond, "trajectory"),
        board=first.found if first else None,
        session=said.session if said else None,
        answers=said.answers if said else {},
    )


def _wanted(told: tuple[Told, ...], kind: str) -> Finding | None:
    """What wants a look now."""
    found = (each.found for each in told if each.kind == kind and each.wanted)
    return next((each for each in found if isinstance(each, Finding)), None)
