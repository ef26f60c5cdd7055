"""What is asked on a client's page, and what came back: points by item, and what is said of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from attunement.instruments import Instrument, Item
    from attunement.web.forms import Form

SKIP: Final = "skip"


def points_of(asked: Instrument, item: Item) -> tuple[int, ...]:
    """What can be answered to an item, in points."""
    choices = asked.choices_of(item)
    return tuple(each.value for each in choices) or tuple(range(asked.ends.low, asked.ends.high + 1))


def answers_of(form: Form, asked: Instrument) -> dict[str, float | None]:
    """Read the answers of a form that asks this instrument, and nothing else.

    Raises
    ------
    InputError
        Where it holds a field or an answer that was not offered.
    """
    names = {item.id: f"a-{item.id}" for item in asked.items}
    form.know("instrument", "key", "lang", "kiosk", "talked", "helped", *names.values())
    return {
        item.id: _points(form.optional(names[item.id], SKIP, *map(str, points_of(asked, item))))
        for item in asked.items
    }


def said_of_step(form: Form) -> tuple[str | None, float | None]:
    """Read whether what was tried was talked about, and how far it helped; None where skipped."""
    talked = form.optional("talked", "yes", "no", SKIP)
    helped = _points(form.optional("helped", SKIP, *map(str, range(11))))
    return talked if talked in {"yes", "no"} else None, helped


def _points(word: str | None) -> float | None:
    return None if word in {None, SKIP} else float(str(word))
