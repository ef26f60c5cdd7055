"""What leaves: the client's own record, and a de-identified table. Both by an allow-list of columns.

Nothing leaves because it was not struck out; it leaves because it stands here.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError, NotStored
from attunement.instruments import score as scored
from attunement.practice.described import description
from attunement.vault.instants import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


EXPORTED: Final[dict[str, tuple[str, ...]]] = {
    "client": ("code", "since", "ended", "ending"),
    "sessions": ("session", "began", "attendance", "lateness"),
    "contacts": ("at", "kind", "begun_by"),
    "check_ins": ("session", "at", "instrument", "version", "item", "answer"),
    "ratings": ("session", "measure", "low", "high", "score"),
    "steps": ("chosen", "what", "about", "outcome", "repaired"),
    "step_answers": ("session", "talked", "helped"),
    "concerns": ("at", "session", "item", "answer", "why", "closed", "done", "done_at"),
    "reminders": ("session", "at"),
    "consents": ("purpose", "given", "withdrawn"),
}
"""The client's record: which columns of what leave, and no others."""

DEIDENTIFIED: Final = ("client", "session", "day", "attendance", "instrument", "version", "scale", "score")
"""What is left of a session when it is de-identified (45 CFR 164.514(b)(2)): no name, no date, no place, no text."""

LEAST_CLIENTS: Final = 5
_FIRST = (1980, 1, 1, 0, 0, 0)  # the same record gives the same bytes
_README: Final = """This is what the practice keeps about you.

client.csv     your code, since when you come, and how it ended, if it has
sessions.csv   when you met, and whether the session was held
contacts.csv   that there was a message or a call; never what it said
check_ins.csv  what you answered, item by item
ratings.csv    what you answered before, in a table that your therapist brought along
steps.csv      what your therapist tried next, in answer to what, and what came of it
step_answers.csv  whether you two talked about it, and whether that helped
concerns.csv   when somebody thought of your safety, and what was done
reminders.csv  when you were sent a link to a check-in by e-mail
consents.csv   what you agreed to, and what you withdrew
record.json    the same, for a program

It is what was with the therapist who gave you this. Another one of this practice who saw you has theirs; ask them too.

A therapist's own psychotherapy notes are kept apart and are not part of the record (45 CFR 164.524(a)(1)(i)).
"""


def allowed(name: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep the columns of the allow-list alone."""
    return [{column: _plain(row[column]) for column in EXPORTED[name]} for row in rows]


def record_archive(record: dict[str, list[dict[str, Any]]]) -> bytes:
    """Pack a client's record: tables for a person, JSON for a program. The same record gives the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "README.txt", _README)
        for name, columns in EXPORTED.items():
            _add(archive, f"{name}.csv", as_csv(record[name], columns))
        _add(archive, "record.json", json.dumps(record, indent=1, ensure_ascii=False))
    return packed.getvalue()


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Write a table in which no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(content)
    except FileExistsError:
        raise InputError(f"{path} is there already; name another file.") from None
    except OSError as problem:
        raise NotStored(f"{path} could not be written: {problem.strerror}.") from None


def deidentify(
    rows: Sequence[Mapping[str, Any]], pseudonyms: Mapping[str, str], firsts: Mapping[str, datetime]
) -> list[dict[str, Any]]:
    """Turn sessions with their check-ins into rows that name nobody.

    Parameters
    ----------
    rows
        A session a row: client, number, began, attendance, and its check-in's instrument, version, answers and
        description, or None.
    pseudonyms
        By client, a number drawn for this export alone.
    firsts
        By client, when the first session began: days are counted from it, and no date is left.

    Raises
    ------
    InputError
        Where fewer than five clients would be in it: so few are known again by their course alone.
    """
    if len(pseudonyms) < LEAST_CLIENTS:
        raise InputError(
            f"{len(pseudonyms)} clients have agreed to research; "
            f"a table of fewer than {LEAST_CLIENTS} would let them be known again."
        )
    left: list[dict[str, Any]] = []
    for row in rows:
        kept = {
            "client": pseudonyms[row["client"]],
            "session": row["number"],
            "day": (row["began"] - firsts[row["client"]]).days,
            "attendance": row["attendance"],
            "instrument": row["instrument"],
            "version": row["version"],
        }
        left += [{**kept, "scale": scale, "score": value} for scale, value in _scores(row)]
    return sorted(left, key=lambda row: (row["client"], row["session"], row["scale"] or ""))


def _scores(row: Mapping[str, Any]) -> list[tuple[str | None, float | None]]:
    if row["answers"] is None:
        return [(None, None)]
    asked, stored = description(row), json.loads(row["answers"])
    if asked.unscored:
        return [(None, None)]
    return [(each.scale, each.value) for each in scored(asked, asked.complete(stored)).scales]


def _add(archive: zipfile.ZipFile, name: str, content: str) -> None:
    member = zipfile.ZipInfo(name, _FIRST)
    member.external_attr = 0o600 << 16
    archive.writestr(member, content.encode(), zipfile.ZIP_DEFLATED)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value of a column
    return written(value) if hasattr(value, "astimezone") else value


def _cell(value: Any) -> Any:  # noqa: ANN401 - a value of a column
    """Put an apostrophe before a text that a spreadsheet would run."""
    if isinstance(value, str) and value[:1] in _RUN:
        return f"'{value}"
    return value


_RUN: Final = frozenset("=+-@\t\r＝＋－＠")
