"""What the tables mean, worked out beside the pages, and kept by what it depends on: nothing is stale, or done twice.

A version says whether anything was changed; a digest of each table says whether that was anything a question reads.
What comes from reflections is worked out in a process of its own, is kept with the opened reflections alone and is
forgotten when they lock.
"""

from __future__ import annotations

import hashlib
import io
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import polars as pl

from attunement.errors import AttunementError
from attunement.web import working
from attunement.web.answers import Answer, Material
from attunement.web.apart import Apart
from attunement.web.questions import QUESTIONS, asked
from attunement.web.shield import note_failure
from attunement.web.working import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from attunement.instruments.description import Language
    from attunement.norms import Norms
    from attunement.practice import Practice, Rated
    from attunement.practice.own_tables import OwnTables
    from attunement.practice.unlocked import Reflections

Kept = TypeVar("Kept")
FAILED: Final = "This could not be worked out; everything else is as it was."
_OF_NO_QUESTION: Final = frozenset({"steps", "contacts"})
"""Tables whose changes are not in the version of a practice, so that no question may read them."""
PATIENCE: Final = (
    0.2  # seconds that a page waits for what was changed a moment ago, where it has what was before
)


@dataclass(frozen=True, slots=True)
class Part:
    """Tables that a question may read, and by table a digest of what it holds."""

    material: Material = field(repr=False)
    digests: dict[str, str] = field(repr=False)

    def of(self, names: tuple[str, ...]) -> str:
        """What these tables hold, as a digest."""
        return " ".join(self.digests[name] for name in names)


@dataclass(frozen=True, slots=True)
class Read:
    """One's tables at one time.

    Parameters
    ----------
    version
        Of the practice, taken before they were read.
    whole
        Everything that was read.
    record
        The same without whatever comes from reflections, the guesses among the ratings too.
    """

    version: str
    whole: Part = field(repr=False)
    record: Part = field(repr=False)


@dataclass(frozen=True, slots=True)
class Understood:
    """What is known now.

    Parameters
    ----------
    answers
        By question; what is not known yet is not there.
    pending
        Questions that are being worked out, for the first time or anew.
    failed
        Questions that could not be, with a sentence each.
    """

    answers: dict[str, Answer] = field(repr=False)
    pending: frozenset[str] = frozenset()
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """An answer, and of what."""

    of: str
    answer: Answer | None
    problem: str = ""


class Patience:
    """How long one page waits, for all that it asks together."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def left(self, *, anything: bool) -> float:
        """Return the seconds that are left: fewer where there is anything to show meanwhile."""
        most = min(PATIENCE, working.FIRST) if anything else working.FIRST
        return max(self._began + most - time.monotonic(), 0.0)


class Understanding:
    """Asks questions of practices' own tables, and keeps the answers.

    Parameters
    ----------
    apart
        The process in which what is of the record alone is worked out; what is of reflections has one of its own.
    """

    def __init__(self, apart: Apart) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="understanding")
        self._guard = threading.RLock()  # what is done at once says so to whoever began it
        self._kept: dict[Hashable, Any] = {}
        self._doing: dict[Hashable, Future[Any]] = {}
        self._of_record, self._of_reflections = apart, Apart()

    def of(
        self, practice: Practice, opened: Reflections | None, language: Language, *names: str
    ) -> Understood:
        """Return what is known of these questions now; what is not is begun, and waited for a moment.

        Parameters
        ----------
        practice
            As its therapist stands before it.
        opened
            Their reflections, where they are open here; nothing is read of them where they are not.
        language
            Of the sentences.
        names
            Of `QUESTIONS`.
        """
        patience = Patience()
        try:
            read, late = self._read(practice, opened, patience)
        except AttunementError as problem:
            return Understood({}, failed=dict.fromkeys(names, str(problem)))
        if read is None:
            return Understood({}, frozenset(names))
        begun = {name: self._asked(read, opened, name, language) for name in names}
        found = {name: self._waited(last, doing, patience) for name, (last, doing) in begun.items()}
        return Understood(
            {name: each.answer for name, (each, _) in found.items() if each and each.answer},
            frozenset(name for name, (_, later) in found.items() if later or late),
            {name: each.problem for name, (each, _) in found.items() if each and each.problem},
        )

    def forget(self) -> None:
        """Forget everything: the practice was closed."""
        with self._guard:
            self._kept.clear()
            self._doing.clear()
        self._of_reflections.end()

    def forget_reflections(self) -> None:
        """End the process that has read reflections: none are open any more."""
        self._of_reflections.end()

    # -- inside

    def _read(
        self, practice: Practice, opened: Reflections | None, patience: Patience
    ) -> tuple[Read | None, bool]:
        """Return the tables, and whether they are of before."""
        place = ("read", practice.who.code, opened is not None)
        version = practice.version
        last: Read | None = self._kept_at(place, opened)
        if last is not None and last.version == version:
            return last, False

        def again() -> Read:
            return self._keep(place, opened, read(practice, version, reflections=opened is not None))

        return self._waited(last, self._begun((*place, version), again), patience)

    def _asked(
        self, read: Read, opened: Reflections | None, name: str, language: Language
    ) -> tuple[_Found | None, Future[Any] | None]:
        """Return what was found last, and what is being worked out where that is not of the present tables."""
        question = QUESTIONS[name]
        private = opened if question.own else None
        part = read.record if private is None else read.whole
        place = ("found", part.material.account, private is not None, name, language)
        of = part.of(question.reads)
        last: _Found | None = self._kept_at(place, private)
        if last is not None and last.of == of:
            return last, None
        apart = self._of_record if private is None else self._of_reflections

        def ask() -> _Found:
            return self._keep(place, private, _found(apart, part.material, name, language, of))

        return last, self._begun((*place, of), ask)

    def _waited(
        self, last: Kept | None, doing: Future[Kept] | None, patience: Patience
    ) -> tuple[Kept | None, bool]:
        """Return what is done in time, else the last; and whether that is of before."""
        if doing is None:
            return last, False
        try:
            return doing.result(patience.left(anything=last is not None)), False
        except TimeoutError:
            return last, True

    def _kept_at(self, place: Hashable, opened: Reflections | None) -> Any:  # noqa: ANN401 - either kind
        return self._kept.get(place) if opened is None else opened.kept(place)

    def _keep(self, place: Hashable, opened: Reflections | None, value: Kept) -> Kept:
        """Keep something with the opened reflections that it comes from, or here."""
        if opened is not None:
            opened.keep(place, value)
        else:
            with self._guard:
                self._kept[place] = value
        return value

    def _begun(self, what: Hashable, work: Callable[[], Kept]) -> Future[Kept]:
        """Begin a piece of work, unless it has been."""
        with self._guard:
            doing = self._doing.get(what)
            if doing is None:
                doing = self._pool.submit(work)
                self._doing[what] = doing
                doing.add_done_callback(lambda _: self._done(what))
            return doing

    def _done(self, what: Hashable) -> None:
        with self._guard:
            self._doing.pop(what, None)


def read(practice: Practice, version: str, *, reflections: bool) -> Read:
    """Read everything that a question may ask of.

    Parameters
    ----------
    practice
        As its therapist stands before it.
    version
        Of the practice, taken before this: what is changed meanwhile has a later one.
    reflections
        Whether one's own reflections are read too.
    """
    tables = practice.own_tables(reflections=reflections)
    held = replace(tables, **{each.name: _countable(getattr(tables, each.name)) for each in fields(tables)})
    rated = tuple(each for each in practice.rated() if _can_be_told(each))
    account = practice.who.code
    record = _part(Material(account, without_reflections(held), rated))
    if not reflections:
        return Read(version, record, record)
    norms = practice.norms_in_force()
    return Read(version, _part(Material(account, held, rated, tuple(each.norms for each in norms))), record)


def without_reflections(tables: OwnTables) -> OwnTables:
    """Take away whatever comes from reflections: a process that outlives their lock is given nothing of them."""
    own = ("reflections", "days", "namings", "tags")
    empty: dict[str, Any] = {name: getattr(tables, name).clear() for name in own}
    return replace(tables, ratings=tables.ratings.with_columns(guess=pl.lit(None, dtype=pl.Float64)), **empty)


def _part(material: Material) -> Part:
    tables = material.tables
    held = {each.name: getattr(tables, each.name) for each in fields(tables)}
    digests = {name: _digest(table) for name, table in held.items() if name not in _OF_NO_QUESTION}
    digests["rated"] = " ".join(
        f"{each.id} {each.measure} {_digest(each.ratings)}" for each in material.rated
    )
    digests["norms"] = _digest_of(material.norms)
    return Part(material, digests)


def _digest_of(norms: tuple[Norms, ...]) -> str:
    if not norms:
        return ""
    from attunement.norms import dump  # noqa: PLC0415 - most of a second, where there are norms alone

    return hashlib.sha256("".join(map(dump, norms)).encode()).hexdigest()


def _can_be_told(rated: Rated) -> bool:
    """Whether a measure has a score at all, and sessions that are counted."""
    scored = rated.ratings.drop_nulls("score")
    return bool(scored.height) and int(rated.ratings["session"].max()) <= LONGEST  # type: ignore[arg-type]


def _countable(table: pl.DataFrame) -> pl.DataFrame:
    """Sessions whose number is no count are left out: the time that a course takes grows with its cube."""
    return table.filter(table["session"] <= LONGEST) if "session" in table.columns else table


def _digest(table: pl.DataFrame) -> str:
    content = io.BytesIO()
    table.write_ipc(content)
    return hashlib.sha256(content.getbuffer()).hexdigest()


def _found(apart: Apart, material: Material, name: str, language: Language, of: str) -> _Found:
    try:
        return _Found(of, apart.do(asked, name, material, language))
    except AttunementError as problem:
        return _Found(of, None, str(problem))
    except Exception as problem:  # noqa: BLE001 - a page says so, goes on, and tries again when it is next looked at
        note_failure(problem)
        return _Found("", None, FAILED)
