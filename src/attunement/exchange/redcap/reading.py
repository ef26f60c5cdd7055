"""The records of a REDCap project become entries: repeating instruments, events, or both, in raw codes or in labels."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attunement.errors import ColumnProblem
from attunement.exchange.entries import (
    BEFORE_VERSION,
    AnswersEntry,
    ClientEntry,
    SessionEntry,
    TotalEntry,
    asked_now,
)
from attunement.exchange.files import refuse_what_is_no_text
from attunement.exchange.fitting import fitting_answer, total_at
from attunement.exchange.raw import shown
from attunement.exchange.redcap.dictionary import OURS
from attunement.exchange.redcap.fields import from_csv
from attunement.exchange.redcap.layout import (
    CLIENT,
    EVENT,
    INSTANCE,
    OF_CLIENT,
    OF_SESSION,
    REPEATED,
    SESSION,
    Form,
    forms_of,
    titled,
)
from attunement.exchange.redcap.loading import WHERE, loaded
from attunement.exchange.rows import as_text, rows_of
from attunement.exchange.tables.layout import words_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime, tzinfo

    from attunement.exchange.entries import Entry
    from attunement.exchange.redcap.asked import Asked
    from attunement.exchange.rows import Row
    from attunement.exchange.sent import Sent
    from attunement.instruments import Instrument, Item

_NOT_DONE: Final = "[not completed]"
_FAR: Final = frozenset({"1", "2", "unverified", "complete"})
_OF_EVENT: Final = re.compile(r"[0-9]{1,6}")
_ARM: Final = re.compile(r"_arm_[0-9]+[a-z]?$|\(arm [^)]*\)$", re.IGNORECASE)


def read_records(
    source: Path | Sent | str,
    shelf: Mapping[str, Instrument],
    *,
    dictionary: str | None = None,
    missing: Collection[str] = (),
    sessions: Mapping[str, int] | None = None,
    zone: tzinfo = UTC,
) -> Iterator[Entry]:
    """Read the records of a project, exported as CSV with variables in the header.

    A form is read if its instrument is on the shelf; other forms and columns are passed over, identifiers with them.
    Which session a row is for says, in this order: the form's own field of `dictionary`; `sessions`, by event; the
    number in the event's name; the instance. Where the file has no forms of ours for clients or sessions, each one
    that is met gives an entry.

    Parameters
    ----------
    source
        The file; or its text, where it has a line break in it.
    shelf
        The instruments, as `entries.described` has it.
    dictionary
        The project's data dictionary, where it was not made here: it says which variable is which item, and what the
        answers are called.
    missing
        The project's missing-data codes, such as ``-999`` or ``NI``; they are read as no answer.
    sessions
        For events without a number: which session each of them is.
    zone
        Of the times in the file. REDCap keeps the server's local time, ours are in UTC.

    Raises
    ------
    InputError
        One sentence with the row and the column. What was read before it is good to nobody: take in all or nothing.
    """
    forms = _forms(shelf, dictionary)
    reader = _Reader(forms, frozenset(missing), dict(sessions or {}), zone)
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        yield from reader.entries(rows_of(io.StringIO(source, newline=""), "The records", reader.check))
        return
    path = Path(source) if isinstance(source, str) else source
    refuse_what_is_no_text(path, "utf-8")
    with path.open("rb") as file, as_text(file) as text:
        yield from reader.entries(rows_of(text, path.name, reader.check))


def _forms(shelf: Mapping[str, Instrument], dictionary: str | None) -> tuple[Form, ...]:
    """Where each instrument lies: as we lay them out, or as the project's own dictionary says."""
    earlier = [each for key, each in shelf.items() if BEFORE_VERSION in key]
    own = forms_of((*asked_now(shelf), *earlier))
    if dictionary is None:
        return tuple(_labelled(form) for form in own)
    fields = from_csv(dictionary, WHERE)
    ours = {each.field.field_name for each in fields if OURS in each.field.field_annotation}
    found = {
        each.instrument.id: each.items for each in loaded(dictionary, right="to read records", shelf=shelf)
    }
    now = [form for form in own if form.instrument in asked_now(shelf)]
    return tuple(_told(form, found.get(form.instrument.id, {}), ours) for form in now)


def _told(form: Form, items: Mapping[str, Asked], ours: Collection[str]) -> Form:
    """The form as a dictionary tells of it; a total of theirs, such as a calculation, is none of ours."""
    known = {item.id for item in form.instrument.items}
    told = {item: asked for item, asked in items.items() if item in known}
    return replace(
        form,
        session=form.session if form.session in ours else "",
        at=form.at if form.at in ours else "",
        items={item: asked.read.field.field_name for item, asked in told.items()},
        totals={scale: variable for scale, variable in form.totals.items() if variable in ours},
        labels={item: asked.labels() for item, asked in told.items()},
    )


def _labelled(form: Form) -> Form:
    return replace(form, labels={item.id: _labels(form.instrument, item) for item in form.instrument.items})


def _labels(instrument: Instrument, item: Item) -> dict[str, float]:
    worded = [(each.wording, each.value) for each in instrument.choices_of(item) if each.wording]
    return {text.casefold(): float(value) for words, value in worded for text in (words.es, words.en)}


class _Reader:
    """Reads rows, one after another; knows the header, and whom it has met."""

    def __init__(
        self, forms: tuple[Form, ...], missing: frozenset[str], sessions: Mapping[str, int], zone: tzinfo
    ) -> None:
        self._forms, self._missing, self._sessions, self._zone = forms, missing, sessions, zone
        self._record = ""
        self._own_clients = self._own_sessions = False
        self._met: set[tuple[str, int]] = set()

    def check(self, header: tuple[str, ...]) -> None:
        """Refuse a header of labels, and one in which no instrument is."""
        self._record = header[0]
        self._own_clients = set(OF_CLIENT) <= set(header)
        self._own_sessions = set(OF_SESSION) <= set(header)
        self._forms = tuple(
            form for form in self._forms if set(header) & {*form.items.values(), *form.totals.values()}
        )
        if not (self._forms or self._own_clients or self._own_sessions):
            raise ColumnProblem(
                f"Row 1 names no variable of an instrument on the shelf (column 1 is {shown(header[0])}); export the "
                "records with variables, not labels, in the header, and load their instruments first."
            )

    def entries(self, rows: Iterator[Row]) -> Iterator[Entry]:
        """Read every row."""
        for row in rows:
            client = row.code(self._record)
            if not self._own_clients and (client, 0) not in self._met:
                self._met.add((client, 0))
                yield ClientEntry(client)
            repeated = row.text(REPEATED)
            if self._own_clients and not repeated and _filled(row, (*OF_CLIENT, f"{CLIENT}_complete")):
                yield self._client(row, client)
            if (
                self._own_sessions
                and _named(repeated, SESSION)
                and _filled(row, (*OF_SESSION, f"{SESSION}_complete"))
            ):
                yield self._session(row, client)
            for form in self._forms:
                if _named(repeated, form.name, form.instrument.name.en) and _filled(row, form.variables):
                    yield from self._form(row, client, form)

    def _client(self, row: Row, client: str) -> ClientEntry:
        since, ended, ending = OF_CLIENT
        return ClientEntry(
            client,
            row.time_or_none(since, self._zone),
            row.time_or_none(ended, self._zone),
            _word(row, ending, "ending"),
        )

    def _session(self, row: Row, client: str) -> SessionEntry:
        number, began, attendance, lateness = OF_SESSION
        merely = not row.text(number) and self._merely_counted(row)
        return SessionEntry(
            client,
            row.count(number) if row.text(number) else self._number(row, number),
            row.time_or_none(began, self._zone),
            _word(row, attendance, "attendance") or "held",
            row.number_or_none(lateness),
            merely,
        )

    def _form(self, row: Row, client: str, form: Form) -> Iterator[Entry]:
        session = row.count(form.session) if row.text(form.session) else self._number(row, form.name)
        merely = not row.text(form.session) and self._merely_counted(row)
        at = self._at(row, form)
        if not self._own_sessions and (client, session) not in self._met:
            self._met.add((client, session))
            yield SessionEntry(client, session, at, counted=merely)
        totals = [
            (scale, total_at(row, variable, form.instrument, form.instrument.scale(scale)))
            for scale, variable in form.totals.items()
            if row.text(variable) and row.text(variable) not in self._missing
        ]
        answers = {
            item: self._answer(row, variable, form, item)
            for item, variable in form.items.items()
            if variable in row.columns
        }
        if answers and (not totals or any(answer is not None for answer in answers.values())):
            instrument = form.instrument
            yield AnswersEntry(
                client, session, at, instrument.id, instrument.version, instrument.complete(answers), merely
            )
        yield from (
            TotalEntry(client, session, at, form.instrument.id, scale, value, merely)
            for scale, value in totals
            if value is not None
        )

    def _at(self, row: Row, form: Form) -> datetime | None:
        if row.text(form.at):
            return row.time_or_none(form.at, self._zone)
        stamp = f"{form.name}_timestamp"
        return None if row.text(stamp) == _NOT_DONE else row.time_or_none(stamp, self._zone)

    def _answer(self, row: Row, column: str, form: Form, name: str) -> float | None:
        text = row.text(column)
        if not text or text in self._missing:
            return None
        item = form.instrument.item(name)
        labels = form.labels.get(name, {})
        value = (
            labels.get(" ".join(text.split()).casefold())
            if not row.is_number(column)
            else row.number_or_none(column)
        )
        if value is None:
            row.refuse(
                column,
                f"{shown(text, 20)} is none of its answers; if it is a missing-data code of the project, say so",
            )
        return fitting_answer(row, column, form.instrument, item, value)

    def _merely_counted(self, row: Row) -> bool:
        """Whether no event says which session a row is for: an instance only counts how often a form was filled in."""
        return row.text(EVENT) not in self._sessions and not _of_an_event(row)

    def _number(self, row: Row, what: str) -> int:
        """The session that a row is for, where no field of ours says so."""
        event = row.text(EVENT)
        if event in self._sessions:
            return self._sessions[event]
        if _of_an_event(row):
            found = _OF_EVENT.findall(_ARM.sub("", event))
            if len(found) != 1 or int(found[0]) == 0:
                row.refuse(
                    EVENT,
                    f"which session {shown(event, 30)} is, for {what[:40]}, cannot be told from its name; say it",
                )
            return int(found[0])
        return row.count(INSTANCE) if row.text(INSTANCE) else 1


def _of_an_event(row: Row) -> bool:
    """Whether a row's event, and not its instance, is to say which session it is for."""
    return bool(row.text(EVENT)) and bool(row.text(REPEATED) or not row.text(INSTANCE))


def _filled(row: Row, variables: tuple[str, ...]) -> bool:
    """Whether a form was filled in at all: REDCap also has rows in which it is only not begun."""
    *own, complete = variables
    return any(map(row.text, own)) or row.text(complete).casefold() in _FAR


def _named(repeated: str, *names: str) -> bool:
    """Whether a row is for a form: each of them, where the row repeats none."""
    told = repeated.casefold()
    return not told or any(told in {name.casefold(), titled(name).casefold()} for name in names)


def _word(row: Row, column: str, kind: str) -> str | None:
    """A word of ours, by its code or its label."""
    text = row.text(column).replace("_", " ")
    words = words_of(kind)
    if text and text not in words:
        row.refuse(column, f"{shown(text, 20)} is none of {', '.join(words)}")
    return text or None
