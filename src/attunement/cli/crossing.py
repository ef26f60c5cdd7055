"""The commands to and from other systems: `import` and `export`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from attunement.cli.opening import HOME, SWITCH, Folder, Me, opened, say
from attunement.errors import InputError
from attunement.exchange.formats import KINDS, Format, Kind
from attunement.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.exchange.entries import Entry
    from attunement.practice import Practice

SHOWN = 5
"""Entries that are shown before anything is taken in."""
EVERY = 1_000
"""Entries between two words on how far it is."""
LONGEST = 5_000_000
"""Bytes of a data dictionary."""
_EVERYBODY = "everybody"


def add_to(app: App) -> None:
    """Give the command line these commands."""
    app.command(export)
    app.command(import_, name="import")


def export(
    client: str, file: Path, /, *, kind: Annotated[Format | None, Parameter(name="--as")] = None,
    folder: Folder = HOME, me: Me = "",
) -> None:  # fmt: skip
    """Write a client's record: a ZIP for their right of access, or a file for another system; never a reflection.

    Parameters
    ----------
    client
        The code; with --as, `everybody` for all of your clients.
    file
        A new file.
    kind
        fhir (a Bundle), ndjson (a FHIR resource a line), csv or parquet (tables in a ZIP), or redcap; the ZIP for the
        client if left out.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        if kind is not None:
            _write(practice, client, file, kind)
        elif client == _EVERYBODY:
            raise InputError(
                "Everybody's record goes to another system; say to which: --as fhir, csv, parquet or redcap."
            )
        else:
            from attunement.practice.release import write_new

            write_new(file, practice.export(client))
    say(f"Written: {file}. It is not encrypted; give it to the one whom it is for, and to nobody else.")


def import_(  # noqa: PLR0913 - each is said once
    file: Path, /, *, kind: Annotated[Kind | None, Parameter(name="--as")] = None, recipe: str = "",
    mapping: Annotated[str, Parameter(name="--map")] = "", dictionary: Path | None = None,
    yes: Annotated[bool, SWITCH] = False, folder: Folder = HOME, me: Me = "",
) -> None:  # fmt: skip
    """Take in what another system gave: shown first, and taken in with --yes, all of it or nothing.

    Parameters
    ----------
    file
        A FHIR Bundle or NDJSON, our own tables (ZIP, or one of them), REDCap's records, or the export of a program for
        which there is a recipe.
    kind
        What it is, where that cannot be seen: fhir, tables, redcap or recipe.
    recipe
        Which recipe; `attunement import FILE --as recipe` names them.
    mapping
        Columns that a recipe calls otherwise: KEY=COLUMN,KEY=COLUMN.
    dictionary
        The data dictionary of the REDCap project, where it was not made here.
    yes
        Take in what was shown.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.exchange.incoming import counted, entries_of, kind_of, told

    what = kind or ("recipe" if recipe else kind_of(file, file.name))
    if what is None:
        known = "; ".join(f"{name} ({words})" for name, words in KINDS.items())
        raise InputError(f"What {file.name} is cannot be seen; say --as and one of {known}.")
    with opened(folder, me) as practice:
        settings = _settings(what, recipe, mapping, dictionary)
        notes: list[str] = []
        entries = _read(
            entries_of(file, what, file.name, practice.shelf(), note=notes.append, **settings), notes
        )
        say(f"{file.name} holds {counted(entries)}.")
        for entry in entries[:SHOWN]:
            say(f"  {told(entry)}")
        if len(entries) > SHOWN:
            say(f"  and {len(entries) - SHOWN:,} more")
        for each in notes:
            say(each)
        if not yes:
            say("Nothing is taken in yet; look whether this is right, and take it in with --yes.")
            return
        with Progress() as progress:
            progress("taking it in, all or nothing", 0.5)
            taken = practice.take_in_entries(entries)
    say(
        f"Taken in: {taken.clients:,} clients, {taken.sessions:,} sessions, {taken.answers:,} answered instruments, "
        f"{taken.totals:,} totals; {taken.there:,} were there already."
    )
    if taken.at_risk:
        say(f"Please look: the latest answers of {taken.at_risk:,} ask for a look at somebody's safety.")


def _read(entries: Iterator[Entry], notes: list[str]) -> list[Entry]:
    """Read what can be taken in at once; how many there will be is not known before."""
    from attunement.practice.crossing import at_most

    def counted(progress: Progress) -> Iterator[Entry]:
        for number, entry in enumerate(entries):
            if number % EVERY == 0:
                progress(f"read so far: {number:,}", 0.0)
            yield entry

    try:
        with Progress() as progress:
            return at_most(counted(progress))
    except InputError as problem:
        raise InputError(" ".join((str(problem), *notes))) from None


def _write(practice: Practice, client: str, file: Path, kind: Format) -> None:
    from attunement.exchange.outgoing import to_file

    shelf = practice.shelf()
    to_file(practice.entries(None if client == _EVERYBODY else client), shelf, file, kind)


def _settings(kind: Kind, recipe: str, mapping: str, dictionary: Path | None) -> dict[str, Any]:
    """What a reader takes besides the file."""
    if kind == "recipe":
        from attunement.exchange.recipes import parse_recipe_mapping
        from attunement.exchange.recipes import recipe as known

        return {"of": recipe, "mapping": parse_recipe_mapping(mapping, known(recipe)) if mapping else None}
    if mapping:
        raise InputError("--map names the columns of a recipe; this file has its own names.")
    if dictionary is None:
        return {}
    if kind != "redcap":
        raise InputError("--dictionary is of a REDCap project; this file is none.")
    return {"dictionary": _text(dictionary)}


def _text(file: Path) -> str:
    """The text of a data dictionary; it is read as one apart, with the records."""
    from attunement.exchange.files import first_bytes

    first_bytes(file)
    if file.stat().st_size > LONGEST:
        raise InputError(f"{file.name} has more than {LONGEST:,} bytes; a data dictionary has not.")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file.name} is not UTF-8; save it as “CSV UTF-8”.") from None
