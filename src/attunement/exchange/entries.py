"""What crosses, whatever the format: a client, a session, an answered instrument, a total.

Every format reads to these and writes from these, so that what can leave by one can come back by another. There is no
entry for a reflection, and so no format that could carry one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.instruments import Answers, Instrument


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """A client, by a code and never by a name.

    Parameters
    ----------
    code
        The pseudonym.
    since, ended
        When the work together began and ended; None where that is not known, or it has not.
    ending
        How it ended: one of the words of `frames.ENDINGS`, or None.
    """

    code: str
    since: datetime | None = None
    ended: datetime | None = None
    ending: str | None = None


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session with a client.

    Parameters
    ----------
    client, number
        With whom, and which: 1, 2, …, within the client.
    began
        When, in UTC; None where it is not known.
    attendance
        One of the words of `frames.SESSIONS`, such as ``held``.
    lateness
        Minutes, or None.
    counted
        Whether the file does not say which session it is, so that the reader counted. The number tells the sessions of
        the file apart and no more; which one it is here is told by its day.
    """

    client: str
    number: int
    began: datetime | None = None
    attendance: str = "held"
    lateness: float | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True)
class AnswersEntry:
    """What a client answered to an instrument, for a session.

    Parameters
    ----------
    client, session
        Who, and for which session.
    at
        When it was answered, in UTC; None where it is not known.
    instrument, version
        What was answered; the version as the shelf has it.
    answers
        By item, in points; None where skipped. Every item has one.
    counted
        Whether the number of the session was counted, as with `SessionEntry`.
    """

    client: str
    session: int
    at: datetime | None
    instrument: str
    version: str
    answers: Answers = field(repr=False)
    counted: bool = False


@dataclass(frozen=True, slots=True)
class TotalEntry:
    """A total that was worked out elsewhere, such as by the owner's own system.

    Parameters
    ----------
    client, session
        Who, and for which session.
    at
        When, in UTC; None where it is not known.
    instrument, scale
        Of which instrument, and which of its scales.
    value
        In points of the scale.
    counted
        Whether the number of the session was counted, as with `SessionEntry`.
    """

    client: str
    session: int
    at: datetime | None
    instrument: str
    scale: str
    value: float = field(repr=False)
    counted: bool = False


Entry: TypeAlias = ClientEntry | SessionEntry | AnswersEntry | TotalEntry

BEFORE_VERSION: Final = "|"
"""Between the id and the version, in a key of a shelf that is not the id alone; no id has it in it."""


def described(shelf: Mapping[str, Instrument], instrument: str, version: str) -> Instrument | None:
    """Return an instrument of a shelf in that version; None where it is not there.

    A shelf has instruments by their ids: what is asked now. Earlier versions, of which answers are kept, stand beside
    them under ``id|version``.

    >>> from attunement.instruments import instrument
    >>> now, before = instrument("phq9"), instrument("gad7")
    >>> shelf = {"phq9": now, f"gad7|{before.version}": before}
    >>> described(shelf, "phq9", now.version) is now, described(shelf, "gad7", "2006") is before
    (True, True)
    >>> described(shelf, "phq9", "1899") is None
    True
    """
    found = shelf.get(instrument)
    if found is not None and found.version == version:
        return found
    return shelf.get(f"{instrument}{BEFORE_VERSION}{version}")


def asked_now(shelf: Mapping[str, Instrument]) -> tuple[Instrument, ...]:
    """Return the instruments of a shelf that stand under their ids: one version each."""
    return tuple(each for key, each in shelf.items() if BEFORE_VERSION not in key)


_KINDS: Final[dict[str, type[Entry]]] = {
    "client": ClientEntry, "session": SessionEntry, "answers": AnswersEntry, "total": TotalEntry,
}  # fmt: skip
_TIMES: Final = ("since", "ended", "began", "at")


def to_plain(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON has it, for a pipe between two processes.

    >>> from_plain(to_plain(SessionEntry("K-07", 3))) == SessionEntry("K-07", 3)
    True
    """
    kind = next(name for name, each in _KINDS.items() if isinstance(entry, each))
    plain = asdict(entry)
    if not plain.get("counted", True):
        del plain["counted"]
    return {"kind": kind} | {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in plain.items()
    }


def from_plain(plain: Mapping[str, Any]) -> Entry:
    """Return the entry that `to_plain` was given."""
    values: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name in _TIMES and value is not None else value
        for name, value in plain.items()
        if name != "kind"
    }
    return _KINDS[plain["kind"]](**values)
