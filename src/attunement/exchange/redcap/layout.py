"""How a practice lies in a REDCap project: a form each for the client, the session, and every instrument.

A client is a record. A form that can be filled in again is a repeating instrument, or stands in an event for each
session. Besides its items, the form of an instrument has a field for its session, one for its time, and one for each
total that was worked out elsewhere; they are hidden from surveys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attunement.instruments import Instrument

RECORD: Final = "record_id"
EVENT: Final = "redcap_event_name"
REPEATED: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
CLIENT: Final = "client"
SESSION: Final = "session"
OF_CLIENT: Final = ("client_since", "client_ended", "client_ending")
OF_SESSION: Final = ("session_number", "session_began", "session_attendance", "session_lateness")
LONGEST: Final = 100  # signs of a variable


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one instrument.

    Parameters
    ----------
    name
        The form's.
    instrument
        What is asked there.
    session, at
        The variables that hold for which session and when it was answered.
    items, totals
        The variable of each item, and of each scale's total from elsewhere.
    labels
        For each item, what an answer is called, in small letters, and what it counts.
    """

    name: str
    instrument: Instrument
    session: str
    at: str
    items: Mapping[str, str]
    totals: Mapping[str, str]
    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def complete(self) -> str:
        """The variable that REDCap adds to say how far the form is."""
        return f"{self.name}_complete"

    @property
    def variables(self) -> tuple[str, ...]:
        """All of its variables, in order."""
        return (self.session, self.at, *self.items.values(), *self.totals.values(), self.complete)


class Names:
    """Names of a project, none of which stands twice."""

    def __init__(self) -> None:
        self._taken: set[str] = {RECORD, EVENT, REPEATED, INSTANCE}

    def take(self, wanted: str) -> str:
        """Return a name that nothing has yet: the one that is wanted, or one much like it."""
        name, number = wanted[:LONGEST], 1
        while name in self._taken:
            number += 1
            name = f"{wanted[: LONGEST - len(str(number)) - 1]}_{number}"
        self._taken.add(name)
        return name


def forms_of(instruments: Iterable[Instrument], names: Names | None = None) -> tuple[Form, ...]:
    """Return the form of each instrument; the same instruments always get the same names."""
    taken = names or Names()
    for name in (*OF_CLIENT, *OF_SESSION, *_of_redcap(CLIENT), *_of_redcap(SESSION)):
        taken.take(name)
    forms = Names()
    called: dict[str, Instrument] = {}
    for each in sorted(instruments, key=lambda each: each.id):
        name = forms.take(_named(each, earlier=any(one.id == each.id for one in called.values())))
        called[name] = each
        for variable in _of_redcap(name):
            taken.take(variable)
    return tuple(
        Form(
            name,
            each,
            taken.take(f"{name}_session"),
            taken.take(f"{name}_at"),
            {item.id: taken.take(f"{name}_{item.id}") for item in each.items},
            {scale.id: taken.take(f"{name}_{scale.id}") for scale in each.scales},
        )
        for name, each in called.items()
    )


def _named(instrument: Instrument, *, earlier: bool) -> str:
    """The name of a form; of an earlier version, which stands after the one that is asked now, with its version."""
    if earlier:
        return f"{instrument.id}_v{re.sub('[^a-z0-9]+', '_', instrument.version.lower())}"
    return f"{instrument.id}_form" if instrument.id in {CLIENT, SESSION} else instrument.id


def _of_redcap(form: str) -> tuple[str, str]:
    return f"{form}_complete", f"{form}_timestamp"


def titled(form: str) -> str:
    """Return a form's name as REDCap shows it where nobody gave it another."""
    return form.replace("_", " ").title()
