"""Entries and instruments come in, whatever the file is: seen from its first bytes, and read apart.

What a file is, is told by what it holds; only what cannot be told is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.apart import read_apart, read_instruments_apart
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry
from attunement.exchange.files import first_bytes
from attunement.exchange.tables.layout import TABLES
from attunement.exchange.zipped import is_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from attunement.exchange.entries import Entry
    from attunement.exchange.formats import Kind
    from attunement.instruments import Instrument

_READER: Final[dict[Kind, str]] = {
    "fhir": "fhir", "tables": "tables", "redcap": "redcap records", "recipe": "recipe",
}  # fmt: skip
_JSON = (b"{", b"[")
_HEADER: Final = 4_096  # bytes of a header line
_OURS: Final = {table.name: (",".join(table.columns).encode(),) for table in TABLES}
_COUNTED: Final = (
    (ClientEntry, "client"), (SessionEntry, "session"), (AnswersEntry, "answered instrument"), (TotalEntry, "total"),
)  # fmt: skip


def kind_of(source: Path | bytes, name: str) -> Kind | None:
    """Tell what a file is; None where a CSV or Parquet file could be several things.

    >>> kind_of(b'{"resourceType": "Bundle"}', "export.json")
    'fhir'
    >>> kind_of(b"record_id,redcap_repeat_instrument", "records.csv")
    'redcap'
    >>> kind_of(b"client,score", "mine.csv") is None
    True
    """
    first = source[:_HEADER] if isinstance(source, bytes) else first_bytes(source, _HEADER)
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_JSON):
        return "fhir"
    if is_zip(first):
        return "tables"
    header = start.split(b"\n", 1)[0]
    if header.rstrip() in _OURS.get(Path(name).stem.lower(), ()):
        return "tables"
    return "redcap" if b"record_id" in header or b"redcap_" in header else None


def entries_of(
    source: Path | bytes,
    kind: Kind,
    name: str,
    shelf: Mapping[str, Instrument],
    *,
    note: Callable[[str], None] | None = None,
    **settings: Any,  # noqa: ANN401
) -> Iterator[Entry]:
    """Read the entries of a file, apart; what else a reader takes is in `settings`, as JSON has it.

    `note` is told, after the last entry, what was passed over and why; show it to whoever takes the file in.

    Raises
    ------
    InputError
        One sentence, with the place.
    """
    if kind == "recipe" and not settings.get("of"):
        from attunement.exchange.recipes import recipes  # noqa: PLC0415 - for the names alone

        raise InputError(f"Say by which recipe: {', '.join(each.id for each in recipes())}.")
    return read_apart(_READER[kind], source, settings, name=name, shelf=shelf, note=note)


def instruments_of(
    source: Path | bytes, file: str, shelf: Mapping[str, Instrument], right: str, **settings: Any,  # noqa: ANN401
) -> tuple[Instrument, ...]:  # fmt: skip
    """Read instruments with their words: words or a description in TOML, a FHIR Questionnaire, a REDCap dictionary.

    The settings are `name`, which instrument of the shelf it is or how it is to be called; `higher`, what a higher
    total of a Questionnaire means; and `language`, of a dictionary's words.

    Raises
    ------
    InputError, InstrumentProblem
        One sentence.
    """
    first = source[:64] if isinstance(source, bytes) else first_bytes(source)
    given = {"instrument" if key == "name" else key: value for key, value in settings.items() if value}
    if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_JSON):
        reader = "questionnaire"
    elif Path(file).suffix.lower() == ".csv":
        reader = "redcap dictionary"
    else:
        reader, given = "described", {}
    return read_instruments_apart(reader, source, {"right": right, **given}, name=file, shelf=shelf)


def counted(entries: Sequence[Entry]) -> str:
    """Say how many of what there are.

    >>> counted([ClientEntry("K-07"), SessionEntry("K-07", 1), SessionEntry("K-07", 2)])
    '1 client, 2 sessions'
    """
    many = [(sum(isinstance(entry, kind) for entry in entries), word) for kind, word in _COUNTED]
    return ", ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in many if count)


def told(entry: Entry) -> str:
    """Say an entry in a line, for a look at the first few; answers are counted, and not shown.

    >>> told(SessionEntry("K-07", 2))
    'session 2 of K-07: held'
    """
    match entry:
        case ClientEntry(code=code, since=since):
            return f"client {code}" + (f", since {since:%Y-%m-%d}" if since else "")
        case SessionEntry():
            began = f", {entry.began:%Y-%m-%d %H:%M}" if entry.began else ""
            return f"session {entry.number} of {entry.client}{began}: {entry.attendance}"
        case AnswersEntry():
            given = sum(answer is not None for answer in entry.answers.values())
            answered = f"{given} of {len(entry.answers)} answered"
            return f"session {entry.session} of {entry.client}: {entry.instrument}, {answered}"
        case _:
            return f"session {entry.session} of {entry.client}: {entry.instrument}, {entry.scale} {entry.value:g}"
