"""The conversation card: what to bring up in the next session, why, and a sentence to open it with.

Talk about the feedback that has a structure moved the bond itself, by g 1.33, in a single-case trial of 2026; one trial
is one trial, so the card offers and never prescribes. What stands on it is what findings and answers say already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from attunement.connecting import CALLED
from attunement.findings import Finding, NotYet
from attunement.instruments import instrument
from attunement.steps import openings
from attunement.wording import number, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.instruments.description import Language

MOST: Final = 3
"""Points on one card: more are not talked about in an hour."""
HINDERING: Final = 5.0
"""From here on, of 10, what got in the way is brought up."""
LOW: Final = 6.0
"""Up to here, of 10, the lowest line is brought up: a convention."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the card is made from; whatever is not known is left out.

    Parameters
    ----------
    step
        What was tried, where something is open.
    talked, helped
        What the client says of it: ``yes``, ``no`` or ``skipped``; and 0 to 10.
    rupture
        What is told of a rupture that is open.
    bond
        What is told of the bond, where it wants a look.
    board
        What is told of a bond that does not form.
    session, answers
        The last check-in on connection, by line.
    """

    step: str | None = None
    talked: str | None = None
    helped: float | None = None
    rupture: Finding | None = field(default=None, repr=False)
    bond: Finding | None = field(default=None, repr=False)
    board: Finding | NotYet | None = field(default=None, repr=False)
    session: int | None = None
    answers: Mapping[str, float | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to bring up.

    Parameters
    ----------
    about
        ``step``, ``rupture``, ``course``, a hypothesis of the board, ``hindering``, ``line``, or ``open``.
    why
        What it rests on, in a sentence.
    opening
        How one may open it.
    found
        The finding that says why, where it is one.
    """

    about: str
    why: str
    opening: str
    found: Finding | None = field(default=None, repr=False)


def card(heard: Heard, language: Language = "en") -> tuple[Point, ...]:
    """Lay out what to bring up next, the most pressing first; three points at most, and never none."""
    asked = (_step, _rupture, _course, _hindering, _hypothesis, _line)
    found = [point for each in asked if (point := each(heard, language)) is not None]
    return tuple(found[:MOST]) or (_openly(language),)


def _step(heard: Heard, language: Language) -> Point | None:
    if heard.step is None:
        return None
    kind = heard.talked if heard.talked in {"yes", "no"} else "open"
    why = [say(f"conversation_step_{kind}", language, step=heard.step)]
    if kind == "yes" and heard.helped is not None:
        why.append(say("conversation_helped", language, points=number(heard.helped, 0, language)))
    return Point("step", " ".join(why), say(f"conversation_ask_step_{kind}", language))


def _rupture(heard: Heard, language: Language) -> Point | None:
    if heard.rupture is None:
        return None
    return Point("rupture", heard.rupture.sentence, openings("rupture", language)[0], heard.rupture)


def _course(heard: Heard, language: Language) -> Point | None:
    if heard.bond is None or heard.rupture is not None:
        return None
    return Point("course", heard.bond.sentence, openings("course", language)[0], heard.bond)


def _hindering(heard: Heard, language: Language) -> Point | None:
    answer = heard.answers.get("hindering")
    if answer is None or answer < HINDERING:
        return None
    points = number(answer, 0, language)
    why = say("conversation_hindering", language, session=heard.session, points=points)
    return Point("hindering", why, openings("hindering", language)[0])


def _hypothesis(heard: Heard, language: Language) -> Point | None:
    """What fits best on the board; where nothing stands out, that is no point."""
    if not isinstance(heard.board, Finding) or heard.board.estimate.value < CALLED:
        return None
    first = str(heard.board.evidence["hypothesis"][0])
    return Point(first, heard.board.sentence, openings(first, language)[0], heard.board)


def _line(heard: Heard, language: Language) -> Point | None:
    """The line that they answered lowest, if it is low and one alone."""
    counted = instrument("connection").scale("total").items
    given = {line: answer for line in counted if (answer := heard.answers.get(line)) is not None}
    if not given or min(given.values()) > LOW:
        return None
    lowest = [line for line, answer in given.items() if answer == min(given.values())]
    if len(lowest) > 1:
        return None
    line = lowest[0]
    told = {
        "line": instrument("connection").item(line).wording.say(language).rstrip("."),
        "points": number(given[line], 0, language),
        "session": heard.session,
    }
    return Point(
        "line", say("conversation_line", language, **told), say(f"conversation_ask_{line}", language)
    )


def _openly(language: Language) -> Point:
    return Point("open", say("conversation_open", language), say("conversation_ask_open", language))
