"""The four tables become entries again: clients, sessions, answers, totals, in this order and in flat memory."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.errors import ColumnProblem, UnreadableFile
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry, described
from attunement.exchange.files import is_parquet, refuse_what_is_no_text
from attunement.exchange.fitting import answer_at, instrument_at, item_at, scale_at, total_at, versioned_at
from attunement.exchange.parquet import quiet
from attunement.exchange.raw import shown
from attunement.exchange.rows import Row, as_text, rows_of
from attunement.exchange.sent import Sent
from attunement.exchange.tables.layout import CLIENTS, SESSIONS_OF, TABLES, TOTALS, Table, words_of
from attunement.exchange.zipped import MOST, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from typing import BinaryIO

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument

    _Form = tuple[str, int, datetime | None, str, str]
    """Client, session, time, instrument and version of one answered form."""

_ENDINGS: Final = (".csv", ".parquet")
_BATCH: Final = 20_000
_MOST_ROWS: Final = 50_000_000
_IN_UTC: Final = pl.selectors.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None)
"""Times without their zone: Python would look for it on the disk."""


def read_tables(source: Path | Sent | str, shelf: Mapping[str, Instrument]) -> Iterator[Entry]:
    """Read what `write_tables` wrote, or somebody in the same form.

    Parameters
    ----------
    source
        A folder, a ZIP archive, or one table alone, such as ``totals.csv``. Not every table has to be there.
    shelf
        The instruments that are answered, as `entries.described` has it.

    Raises
    ------
    InputError
        One sentence: which file, row and column, what is wrong there, and what would do. What was read before it is
        good to nobody: take in all or nothing.
    """
    path = Path(source) if isinstance(source, str) else source
    if isinstance(path, Path) and path.is_dir():
        yield from _read_folder(path, shelf)
    elif path.suffix.lower() == ".zip":
        yield from _read_zip(path, shelf)
    else:
        table = next((each for each in TABLES if path.stem.lower() == each.name), None)
        if table is None:
            raise UnreadableFile(
                f"{path.name} is none of our tables; they are called clients, sessions, answers and totals "
                "(.csv or .parquet), in a folder or a ZIP archive."
            )
        yield from _read_file(table, path, shelf)


def _read_folder(folder: Path, shelf: Mapping[str, Instrument]) -> Iterator[Entry]:
    names = tuple(each.name for each in folder.iterdir() if each.is_file())
    for table, name in _found(folder.name, names):
        yield from _read_file(table, folder / name, shelf)


def _read_zip(path: Path | Sent, shelf: Mapping[str, Instrument]) -> Iterator[Entry]:
    """All of an archive is unpacked, counted, before a row of it is read; it is held to be small."""
    with path.open("rb") as file:
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise UnreadableFile(f"{path.name} has more than {MOST:,} bytes; give the folder, unpacked.")
    files = {name: file for name, file in unpacked(content, path.name) if not _is_besides(name)}
    for name in files:
        if PurePath(name).suffix not in _ENDINGS:
            raise UnreadableFile(
                f"{path.name} holds {shown(name)}, which is no table; the tables alone would do."
            )
    for table, name in _found(path.name, tuple(files)):
        yield from _read_file(table, Sent(PurePath(name).name, files[name]), shelf)


def _is_besides(name: str) -> bool:
    """What a file system leaves in an archive."""
    return name.rpartition("/")[2].startswith(".") or name.startswith("__MACOSX/")


def _found(where: str, names: tuple[str, ...]) -> list[tuple[Table, str]]:
    """Which file is which table; folders within an archive do not matter."""
    found = []
    for table in TABLES:
        mine = [
            name for name in names if name.rpartition("/")[2] in {f"{table.name}{end}" for end in _ENDINGS}
        ]
        if len(mine) > 1:
            raise UnreadableFile(f"{where} has {shown(mine[0])} and {shown(mine[1])}; one of them would do.")
        found += [(table, name) for name in mine]
    if not found:
        raise UnreadableFile(f"{where} holds none of the tables clients, sessions, answers and totals.")
    return found


def _read_file(table: Table, path: Path | Sent, shelf: Mapping[str, Instrument]) -> Iterator[Entry]:
    if is_parquet(path):
        source = path if isinstance(path, Path) else path.open("rb")
        yield from _entries(table, _parquet_rows(table, source, path.name), shelf)
        return
    refuse_what_is_no_text(path, "utf-8")
    with path.open("rb") as file, as_text(file) as text:
        yield from _entries(table, rows_of(text, path.name, _checked(table, path.name)), shelf)


def _checked(table: Table, where: str) -> Callable[[tuple[str, ...]], None]:
    return lambda header: table.check(where, header)


def _lazy(source: Path | BinaryIO) -> pl.LazyFrame:
    """A file is scanned; what is in memory already is read at once, for a scan begins threads that a child has not."""
    return pl.scan_parquet(source, glob=False) if isinstance(source, Path) else pl.read_parquet(source).lazy()


def _parquet_rows(table: Table, source: Path | BinaryIO, where: str) -> Iterator[Row]:
    """Rows of a Parquet file, a batch at a time."""
    try:
        with quiet():
            frame = _lazy(source)
            schema = frame.collect_schema()
            height = int(frame.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as problem:
        raise UnreadableFile(_damaged(where, problem)) from None
    header = tuple(schema)
    table.check(where, header)
    for name, kind in schema.items():
        if kind.is_nested() or kind in {pl.Binary, pl.Object}:
            raise ColumnProblem(f"{where}, column {name} holds {kind}; numbers, text or times would do.")
    if height > _MOST_ROWS:
        raise UnreadableFile(f"{where} says that it has {height:,} rows; {_MOST_ROWS:,} are taken at most.")
    columns = {name: place for place, name in enumerate(header)}
    for start in range(0, height, _BATCH):
        try:
            with quiet():
                batch = (
                    frame.slice(start, _BATCH)
                    .with_columns(pl.selectors.float().fill_nan(None), _IN_UTC)
                    .collect()
                )
                cells = batch.rows()
        except (
            pl.exceptions.PolarsError,
            pl.exceptions.PanicException,
            OSError,
            ValueError,
            OverflowError,
        ) as problem:
            raise UnreadableFile(_damaged(where, problem)) from None
        yield from (Row(where, start + place, columns, row) for place, row in enumerate(cells, start=1))


def _damaged(where: str, problem: BaseException) -> str:
    return f"{where} is damaged or no Parquet file ({type(problem).__name__})."


def _entries(table: Table, rows: Iterator[Row], shelf: Mapping[str, Instrument]) -> Iterator[Entry]:
    if table is CLIENTS:
        return map(_client, rows)
    if table is SESSIONS_OF:
        return map(_session, rows)
    if table is TOTALS:
        return (_total(row, shelf) for row in rows)
    return _answers(rows, shelf)


def _client(row: Row) -> ClientEntry:
    return ClientEntry(
        row.code("client"),
        row.time_or_none("since"),
        row.time_or_none("ended"),
        row.word_or_none("ending", words_of("ending")),
    )


def _session(row: Row) -> SessionEntry:
    return SessionEntry(
        row.code("client"),
        row.count("session"),
        row.time_or_none("began"),
        row.word_or_none("attendance", words_of("attendance")) or "held",
        row.number_or_none("lateness"),
    )


def _total(row: Row, shelf: Mapping[str, Instrument]) -> TotalEntry:
    instrument = instrument_at(row, "instrument", shelf)
    scale = scale_at(row, "scale", instrument)
    value = total_at(row, "value", instrument, scale)
    if value is None:
        row.refuse("value", "it is empty; leave out the row, or fill it in")
    return TotalEntry(
        row.code("client"), row.count("session"), row.time_or_none("at"), instrument.id, scale.id, value
    )


def _answers(rows: Iterator[Row], shelf: Mapping[str, Instrument]) -> Iterator[AnswersEntry]:
    """Rows that follow one another and say the same client, session, time and instrument are one entry.

    A form of which some items are not told of is over when another begins: it may not go on later.
    """
    key: _Form | None = None
    told: dict[str, float | None] = {}
    partial: set[_Form] = set()
    before: tuple[str, ...] = ()
    for row in rows:
        said = tuple(map(row.text, ("client", "session", "at", "instrument", "version")))
        if said != before:  # else it is the form of the row above
            instrument = versioned_at(row, "instrument", "version", shelf)
            mine = (
                row.code("client"), row.count("session"), row.time_or_none("at"), instrument.id, instrument.version
            )  # fmt: skip
            before = said
        item = item_at(row, "item", instrument)
        whole = key is not None and len(told) == len(_asked(key, shelf).items)
        if mine != key or (whole and item.id in told):
            if key:
                yield _answered(key, told, shelf)
            if key and not whole:
                partial.add(key)
            if mine in partial:
                row.refuse(
                    "item", "the rows of one form follow one another, and these are apart; sort the table"
                )
            key, told = mine, {}
        if item.id in told:
            row.refuse("item", f"{item.id} stands twice in one form; once would do")
        told[item.id] = answer_at(row, "answer", instrument, item)
    if key:
        yield _answered(key, told, shelf)


def _asked(key: _Form, shelf: Mapping[str, Instrument]) -> Instrument:
    found = described(shelf, *key[3:])
    return shelf[key[3]] if found is None else found


def _answered(key: _Form, told: dict[str, float | None], shelf: Mapping[str, Instrument]) -> AnswersEntry:
    client, session, at, *_ = key
    instrument = _asked(key, shelf)
    return AnswersEntry(
        client,
        session,
        at,
        instrument.id,
        instrument.version,
        instrument.complete(told),
    )
