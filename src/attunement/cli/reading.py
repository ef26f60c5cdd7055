"""The command `library`: what to read, found by words, on the terminal or as BibTeX."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import TYPE_CHECKING

from attunement.cli.opening import say
from attunement.errors import InputError
from attunement.library.source import About, Shelf, Topic  # noqa: TC001 - as above

if TYPE_CHECKING:
    from cyclopts import App

    from attunement.library import Source


def add_to(app: App) -> None:
    """Give the command line this command."""
    app.command(library)


def library(
    *words: str,
    topic: Topic | None = None,
    shelf: Shelf | None = None,
    about: About | None = None,
    bib: Path | None = None,
) -> None:
    """Find something to read: journals and practical guides, each with what it is good for.

    Parameters
    ----------
    words
        Names, topics or words of the title, all of which occur; accents do not matter. None shows everything.
    topic
        Only those of this topic.
    shelf
        Only journal articles, practical guides or other books.
    about
        Only those that bear on this finding.
    bib
        Write what is found to this file, as BibTeX.
    """
    from attunement.exchange import write_files
    from attunement.library import bibtex, search

    found = search(" ".join(words), topic, shelf=shelf, about=about)
    if not found:
        raise InputError("The library has nothing with all of this; try with less.")
    if bib:
        write_files({bib: bibtex(found)})
        say(f"Written: {bib}, {len(found)} to read.")
        return
    say("\n\n".join(_told(each) for each in found))


def _told(each: Source) -> str:
    """A source in a few lines: what it is, where it is, what it is good for."""
    where = f" {each.link}" if each.link else ""
    return f"{each.citation()}{where}\n    {each.said()}\n    Bears on: {', '.join(each.bears_on)}."
