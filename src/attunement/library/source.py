"""A source: what was written, by whom, and, in a sentence of our own, what it is good for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from attunement.instruments.description import Language

Kind = Literal["article", "book", "manual"]
"""What a source is to a bibliography."""


class Shelf(StrEnum):
    """Where a reader would look: among journals, among guides to practice, or among other books."""

    JOURNAL = "journal"
    GUIDE = "guide"
    BOOK = "book"


class Topic(StrEnum):
    """What a source is about, one word each."""

    CONNECTION = "connection"
    EMPATHY = "empathy"
    TRUST = "trust"
    RUPTURE = "rupture"
    COUNTERTRANSFERENCE = "countertransference"
    CULTURE = "culture"
    FEEDBACK = "feedback"
    OUTCOME = "outcome"
    STAYING = "staying"
    GROWTH = "growth"
    SUPERVISION = "supervision"
    MEASUREMENT = "measurement"
    SAFETY = "safety"


class About(StrEnum):
    """What a page tells of, and a source may bear on: the findings, the eight hypotheses of the board, what is done."""

    TRAJECTORY = "trajectory"
    RUPTURE = "rupture"
    AGREEMENT = "agreement"
    TRUST = "trust"
    MIRROR = "mirror"
    AWARENESS = "awareness"
    SIGNAL = "signal"
    NEXT_SESSION = "next_session"
    FORMING = "forming"
    TORN = "torn"
    THEME = "theme"
    DAY = "day"
    STIRS = "stirs"
    STYLE = "style"
    UNSAID = "unsaid"
    OUTSIDE = "outside"
    OUTCOME = "outcome"
    STABILITY = "stability"
    GROWTH = "growth"
    STAYING = "staying"
    STEPS = "steps"
    SUPERVISION = "supervision"
    CHECK_IN = "check_in"
    SAFETY = "safety"


OTHERS: Final = "others"
"""Stands last among authors where not all are listed, as in BibTeX."""
_NAMED: Final = 3
_WORDS: Final = {
    "en": ("and", "and others", "edited by {}", "{} ed."),
    "es": ("y", "y otros", "ed. por {}", "{}.ª ed."),
}
_ENDINGS: Final = {"1": "st", "2": "nd", "3": "rd"}


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read.

    Parameters
    ----------
    id
        Stable: for links, and as the key of a BibTeX entry.
    kind
        What it is to a bibliography.
    authors
        Family name, comma, initials; ``others`` last where not all are listed. Empty where there are editors.
    year
        Of its publication.
    title
        As printed.
    topics, bears_on
        What it is about; which findings it bears on, the one that it says most about first.
    en, es
        What it is good for, in a sentence of ours.
    container
        The journal, or the publisher of a book.
    volume, number, pages, edition
        Where they are known for sure.
    doi
        Without its address.
    editors
        Who put it together, where others wrote it.
    guide
        Whether it says what to do, in the hour or in supervision.
    open_access
        Whether anybody may read it for free; None where that is not known.
    """

    id: str
    kind: Kind
    authors: tuple[str, ...]
    year: int
    title: str
    topics: tuple[Topic, ...]
    bears_on: tuple[About, ...]
    en: str
    es: str
    container: str | None = None
    volume: str | None = None
    number: str | None = None
    pages: str | None = None
    edition: str | None = None
    doi: str | None = None
    editors: tuple[str, ...] = ()
    guide: bool = False
    open_access: bool | None = None

    @property
    def shelf(self) -> Shelf:
        """Where a reader would look for it."""
        if self.kind == "article":
            return Shelf.JOURNAL
        return Shelf.GUIDE if self.guide else Shelf.BOOK

    @property
    def link(self) -> str | None:
        """The address that its DOI leads to."""
        return f"https://doi.org/{self.doi}" if self.doi else None

    def said(self, language: Language = "en") -> str:
        """What it is good for."""
        return self.es if language == "es" else self.en

    def named(self, language: Language = "en") -> str:
        """Its short name: up to three family names and the year.

        Examples
        --------
        >>> from attunement.library import source
        >>> source("munder-2010").named(), source("norcross-2018").named("es")
        ('Munder and others 2010', 'Norcross y Lambert 2018')
        """
        both, more = _WORDS[language][:2]
        names = [each.partition(",")[0] for each in self.authors or self.editors]
        if OTHERS in names or len(names) > _NAMED:
            return f"{names[0]} {more} {self.year}"
        listed = f" {both} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        return f"{listed} {self.year}"

    def citation(self, language: Language = "en") -> str:
        """Return the whole reference in one line, without its DOI.

        Examples
        --------
        >>> from attunement.library import source
        >>> source("heimann-1950").citation()
        'Heimann, P. (1950). On counter-transference. International Journal of Psycho-Analysis, 31, 81–84.'
        """
        _, more, edited, edition = _WORDS[language]
        people = "; ".join(self.authors or self.editors).replace(f"; {OTHERS}", f" {more}")
        who = people if self.authors else edited.format(people)
        title = self.title if self.title.endswith("?") else f"{self.title}."
        printed = edition.format(self._ordinal(language)) if self.edition else None
        where = ", ".join(part for part in (self.container, printed, self._volume, self.pages) if part)
        end = "" if not where or where.endswith(".") else "."
        return " ".join(part for part in (f"{who} ({self.year}). {title}", where + end) if part)

    @property
    def _volume(self) -> str | None:
        return f"{self.volume}({self.number})" if self.number else self.volume

    def _ordinal(self, language: Language) -> str:
        return f"{self.edition}{_ENDINGS.get(str(self.edition), 'th') if language == 'en' else ''}"
