"""Entries become the records of a REDCap project, a row each, in flat memory."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from attunement.errors import InputError
from attunement.exchange.entries import (
    BEFORE_VERSION,
    AnswersEntry,
    ClientEntry,
    SessionEntry,
    TotalEntry,
    asked_now,
)
from attunement.exchange.fitting import refuse_unknown
from attunement.exchange.formulas import defused
from attunement.exchange.redcap.dictionary import coded
from attunement.exchange.redcap.layout import (
    CLIENT,
    EVENT,
    INSTANCE,
    OF_CLIENT,
    OF_SESSION,
    RECORD,
    REPEATED,
    SESSION,
    forms_of,
)
from attunement.exchange.tables.writing import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from attunement.exchange.entries import Entry
    from attunement.exchange.redcap.layout import Form
    from attunement.instruments import Instrument

_DONE: Final = "2"
_FIRST_EVENT: Final = "client_arm_1"


def write_records(
    entries: Iterable[Entry], shelf: Mapping[str, Instrument], *, events: bool = False
) -> Iterator[str]:
    """Write entries as rows that REDCap imports into the project of `dictionary`, line by line.

    Codes are raw, times are in UTC and in whole seconds, as REDCap has them. No cell is a formula to a spreadsheet; a
    client's code that would be one gets an apostrophe in front.

    Parameters
    ----------
    entries
        In any order; they are taken one by one.
    shelf
        The instruments of the project, as `entries.described` has it.
    events
        Whether each session is an event of a longitudinal project; else the forms are repeating instruments.

    Raises
    ------
    InputError
        Where an entry does not fit the shelf, or a form was answered twice in one session and `events` is asked for.
    """
    forms: dict[str, Form] = {}
    for form in forms_of(
        (*asked_now(shelf), *(each for key, each in shelf.items() if BEFORE_VERSION in key))
    ):
        asked = form.instrument
        forms.setdefault(asked.id, form)
        forms[f"{asked.id}{BEFORE_VERSION}{asked.version}"] = form
    rows = _Rows(forms, events=events)
    yield _line(rows.header)
    for entry in entries:
        refuse_unknown(entry, shelf)
        yield _line(rows.row(entry))


class _Rows:
    """Rows under one header, which knows which instance or event is next."""

    def __init__(self, forms: Mapping[str, Form], *, events: bool) -> None:
        own = (*OF_CLIENT, f"{CLIENT}_complete", *OF_SESSION, f"{SESSION}_complete")
        repeats = (EVENT,) if events else (REPEATED, INSTANCE)
        self.header = (RECORD, *repeats, *own, *(each for form in _once(forms) for each in form.variables))
        self._forms, self._events = forms, events
        self._instances: Counter[tuple[str, str]] = Counter()
        self._filled: set[tuple[str, int, str, str]] = set()

    def row(self, entry: Entry) -> list[str]:
        cells = dict.fromkeys(self.header, "")
        match entry:
            case ClientEntry():
                times = (_time(entry.since), _time(entry.ended))
                cells |= dict(zip(OF_CLIENT, (*times, coded(entry.ending or "")), strict=True))
                self._place(cells, entry.code, CLIENT, None)
            case SessionEntry():
                said = (str(entry.number), _time(entry.began), coded(entry.attendance), plain(entry.lateness))
                cells |= dict(zip(OF_SESSION, said, strict=True))
                self._place(cells, entry.client, SESSION, entry.number)
            case AnswersEntry():
                form = self._forms[f"{entry.instrument}{BEFORE_VERSION}{entry.version}"]
                cells |= {form.items[name]: plain(answer) for name, answer in entry.answers.items()}
                cells |= {form.session: str(entry.session), form.at: _time(entry.at)}
                self._place(cells, entry.client, form.name, entry.session)
            case TotalEntry():
                form = self._forms[entry.instrument]
                cells |= {form.totals[entry.scale]: plain(entry.value)}
                cells |= {form.session: str(entry.session), form.at: _time(entry.at)}
                self._place(cells, entry.client, form.name, entry.session, f"the total {entry.scale} of ")
        return list(cells.values())

    def _place(
        self, cells: dict[str, str], client: str, form: str, session: int | None, what: str = ""
    ) -> None:
        cells |= {RECORD: defused(client), f"{form}_complete": _DONE}
        if self._events:
            cells[EVENT] = f"session_{session}_arm_1" if session else _FIRST_EVENT
            key = (client, session or 0, form, what)
            if key in self._filled:
                raise InputError(
                    f"{what}{form} is there twice for session {session} of one client, and an event holds a form once; "
                    "write repeating instruments instead."
                )
            self._filled.add(key)
        elif session is not None:
            self._instances[client, form] += 1
            cells |= {REPEATED: form, INSTANCE: str(self._instances[client, form])}


def _once(forms: Mapping[str, Form]) -> list[Form]:
    """The forms, each once."""
    return list({form.name: form for form in forms.values()}.values())


def _time(time: datetime | None) -> str:
    if time is None:
        return ""
    utc = time.astimezone(UTC) if time.tzinfo else time
    return utc.replace(tzinfo=None, microsecond=0).isoformat(" ")


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()
