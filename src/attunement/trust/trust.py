"""Trust in words: each line with a client and with all, and the order, as a `Finding` or a `NotYet`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from attunement import frames
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Finding, NotYet
from attunement.mixed import Posterior
from attunement.trajectories import Measure
from attunement.trust.courses import LATER, courses
from attunement.trust.keeping import PLANNED, keeping
from attunement.trust.lines import ANSWERS, CLIENTS, DYAD, LINES, laid_out, rest
from attunement.trust.links import POINTS, links
from attunement.trust.order import LEAST, order
from attunement.trust.prior import Priors, published_prior
from attunement.trust.telling import Telling, evidence
from attunement.wording import not_yet

if TYPE_CHECKING:
    from attunement.findings import Estimate
    from attunement.instruments.description import Language
    from attunement.trust.courses import Courses
    from attunement.trust.keeping import Keeping
    from attunement.trust.links import Links
    from attunement.trust.order import Order

CONSISTENCY: Final = "consistency"
_CEILING = 0.05  # share of answers at the top from which it is said
_PARTS = ("level", "change", "link")
_ENDS = {"": "value", "_low": "low", "_high": "high"}
ROW: Final = {
    "therapist": pl.String,
    "client": pl.String,
    "line": pl.String,
    "sessions": pl.Int64,
} | dict.fromkeys([f"{part}{end}" for part in _PARTS for end in _ENDS], pl.Float64)
"""The columns of `Trust.frame`: points, points a point for a link; shares in the line consistency."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What trust rests on, with everybody.

    Parameters
    ----------
    rows
        `lines.laid_out`.
    asked
        Which answers the table has.
    courses, links
        By line, fitted; links also of consistency. None where there is too little.
    kept
        The diary, or None where there is none.
    priors
        What was started from.
    measure, language
        The scale of the answers, and the language of the sentences.
    """

    rows: pl.DataFrame = field(repr=False)
    asked: frozenset[str] = field(repr=False)
    courses: dict[str, Courses | None] = field(repr=False)
    links: dict[str, Links | None] = field(repr=False)
    kept: Keeping | None = field(repr=False)
    priors: Priors | None = field(repr=False)
    measure: Measure = field(repr=False)
    language: Language = "en"

    def of(self, client: str, therapist: str | None = None) -> dict[str, Finding | NotYet]:
        """Say how each line stands with one client: empathy, non_judgment, openness, consistency.

        Raises
        ------
        ColumnProblem
            Where there is no such client, or several therapists met them and none is named.
        """
        key = self._dyad(client, therapist)
        told = {line: self._line(line, key) for line in LINES}
        return told | {CONSISTENCY: self._consistency(key)}

    @property
    def all(self) -> dict[str, Finding | NotYet]:
        """Say how each line usually stands."""
        return {line: self._usual(line) for line in LINES} | {CONSISTENCY: self._consistency(None)}

    @property
    def order(self) -> Finding | NotYet:
        """Say whether trust comes before openness, and openness before depth; of all clients together."""
        about = self._tell.say("trust_about_order")
        lacking = [name for name in ANSWERS if name not in self.asked]
        found = order(self.rows)
        if found is None and lacking:
            ask = self._tell.say("trust_order_ask", answers=", ".join(lacking))
            return not_yet(about, self._tell.say("trust_order_lines"), ask, self.language)
        if found is None or found.clients < LEAST:
            few = self._tell.say("trust_order_few", clients=0 if found is None else found.clients)
            return not_yet(about, few, self._tell.say("trust_order_from", number=LEAST), self.language)
        forward = found.to_openness.forward
        if not found.told or forward is None:
            return self._no_order(about, found)
        limits = (
            self._tell.say("trust_limit_order", clients=found.clients),
            self._tell.say("trust_limit_keeps"),
        )
        return Finding(about, self._tell.ordered(found), forward, _steps(found), limits)

    def frame(self) -> pl.DataFrame:
        """One row a dyad and line, with the columns of `ROW`; what cannot be told yet is missing."""
        rows = [self._row(key, line) for key in self._dyads() for line in (*LINES, CONSISTENCY)]
        return pl.DataFrame(rows, schema=ROW)

    # -- inside

    @property
    def _tell(self) -> Telling:
        return Telling(self.measure, self.language)

    def _dyads(self) -> list[tuple[str, str]]:
        met = list(self.rows.select("therapist", "client").unique(maintain_order=True).iter_rows())
        further = [] if self.kept is None else [key for key in self.kept.dyads if key not in set(met)]
        return [*met, *further]

    def _dyad(self, client: str, therapist: str | None) -> tuple[str, str]:
        met = [key for key in self._dyads() if key[1] == client and therapist in {None, key[0]}]
        if len(met) != 1:
            more = f"{len(met)} therapists met the client {client!r}; name one"
            raise ColumnProblem(f"{more}." if met else f"There is no client {client!r} in these check-ins.")
        return met[0]

    def _answered(self, line: str) -> pl.DataFrame:
        """``therapist, client, sessions`` with this line."""
        there = self.rows.filter(pl.col(LINES[line]).is_not_null())
        return there.group_by("therapist", "client").agg(sessions=pl.len().cast(pl.Int64))

    def _sessions(self, line: str, key: tuple[str, str]) -> int:
        if line == CONSISTENCY:
            return 0 if self.kept is None or key not in self.kept.dyads else self.kept.dyads[key].planned
        found = self._answered(line).filter(therapist=key[0], client=key[1])["sessions"]
        return int(found[0]) if found.len() else 0

    def _line(self, line: str, key: tuple[str, str]) -> Finding | NotYet:
        about = self._tell.about(line, key[1])
        fitted, sessions = self.courses[line], self._sessions(line, key)
        if LINES[line] not in self.asked:
            return self._not_asked(about, line)
        if sessions < DYAD:
            return not_yet(
                about, self._tell.answered(sessions), self._tell.say("trust_from", number=DYAD), self.language
            )
        if fitted is None:
            return self._few_clients(about, line)
        found = self.links[line]
        link = None if found is None else found.dyads.get(key)
        course = fitted.dyads[key]
        said = [self._tell.course(line, course), self._tell.link(link)]
        parts = {"level": course.level, "change": course.change, "link": link}
        limits = (self._tell.say("trust_limit_one_line"), *self._limits(line, fitted))
        return Finding(about, _joined(said), course.level, evidence(parts), limits)

    def _usual(self, line: str) -> Finding | NotYet:
        about, fitted = self._tell.about(line, None), self.courses[line]
        if LINES[line] not in self.asked:
            return self._not_asked(about, line)
        if fitted is None or self._often(line) < CLIENTS:
            return self._few_clients(about, line)
        found = self.links[line]
        link = None if found is None else found.all
        said = [self._tell.course(line, fitted.all), self._tell.link(link)]
        parts = {"level": fitted.all.level, "change": fitted.all.change, "link": link}
        limits = (self._tell.say("trust_limit_later", session=LATER), *self._limits(line, fitted))
        return Finding(about, _joined(said), fitted.all.level, evidence(parts), limits)

    def _consistency(self, key: tuple[str, str] | None) -> Finding | NotYet:
        about = self._tell.about(CONSISTENCY, None if key is None else key[1])
        if self.kept is None:
            return not_yet(
                about, self._tell.say("trust_no_diary"), self._tell.say("trust_keep_diary"), self.language
            )
        kept = self.kept.all if key is None else self.kept.dyads.get(key)
        planned = 0 if kept is None else kept.planned
        if kept is None or planned < PLANNED:
            few = self._tell.say("trust_planned", sessions=planned)
            return not_yet(about, few, self._tell.say("trust_from", number=PLANNED), self.language)
        found = self.links[CONSISTENCY]
        broken = None if found is None else found.all if key is None else found.dyads.get(key)
        several = key is None and len({who for who, _ in self.kept.dyads}) > 1
        said = [self._tell.kept(kept, several=several), self._tell.broken(broken)]
        parts = {
            "held as planned": kept.share, "begun late": kept.late_share, "change": kept.change,
            "days off the usual interval": kept.spread, "not kept": broken,
        }  # fmt: skip
        limits = (self._tell.say("trust_limit_diary"), self._tell.say("trust_limit_late"))
        return Finding(about, _joined(said), kept.share, evidence(parts), limits)

    def _no_order(self, about: str, found: Order) -> NotYet:
        name = "trust_order_bond"
        if found.to_openness.lead.leads and found.to_depth.lead.leads:
            name = "trust_order_slopes"
        missing = self._tell.say(name, clients=found.clients)
        if found.needed > found.clients:
            return not_yet(
                about,
                missing,
                self._tell.say("trust_order_needed", needed=_rounded(found.needed)),
                self.language,
            )
        return not_yet(about, missing, self._tell.say("trust_order_weak"), self.language)

    def _not_asked(self, about: str, line: str) -> NotYet:
        ask = self._tell.say("trust_ask_line", answer=LINES[line])
        return not_yet(about, self._tell.say("trust_no_line"), ask, self.language)

    def _few_clients(self, about: str, line: str) -> NotYet:
        few = self._tell.say("trust_few_clients", clients=self._often(line))
        return not_yet(about, few, self._tell.say("trust_from_clients", number=CLIENTS), self.language)

    def _often(self, line: str) -> int:
        return self._answered(line).filter(pl.col("sessions") >= 2).height

    def _limits(self, line: str, fitted: Courses) -> tuple[str, ...]:
        limits = [self._tell.say("trust_limit_mood")]
        answers = self.rows[LINES[line]].drop_nulls()
        top = int((answers >= self.measure.high).sum()) / max(answers.len(), 1)
        if top > _CEILING:
            limits.append(self._tell.top(top))
        if isinstance(fitted.model, Posterior):
            limits.append(self._tell.say("trust_limit_few", source=fitted.model.prior.source))
        return tuple(limits)

    def _row(self, key: tuple[str, str], line: str) -> dict[str, Any]:
        sessions = self._sessions(line, key)
        row: dict[str, Any] = {"therapist": key[0], "client": key[1], "line": line, "sessions": sessions}
        return row | _laid(self._numbers(key, line, sessions))

    def _numbers(self, key: tuple[str, str], line: str, sessions: int) -> dict[str, Estimate | None]:
        found = self.links[line]
        link = None if found is None else found.dyads.get(key)
        if line == CONSISTENCY:
            if self.kept is None or sessions < PLANNED:
                return {}
            kept = self.kept.dyads[key]
            return {"level": kept.share, "change": kept.change, "link": link}
        fitted = self.courses[line]
        if fitted is None or sessions < DYAD:
            return {}
        course = fitted.dyads[key]
        return {"level": course.level, "change": course.change, "link": link}


def trust(
    check_ins: Any,  # noqa: ANN401 - any eager frame narwhals knows
    sessions: Any = None,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    prior: Priors | Literal["published"] | None = "published",
    language: Language = "en",
) -> Trust:
    """Tell what trust rests on with each client, and whether talk goes deeper once it is there.

    Parameters
    ----------
    check_ins
        `frames.CHECK_INS`: therapist (if several), client, session, and the answers that there are.
    sessions
        `frames.SESSIONS`, for consistency.
    prior
        What is known before, for fewer than 400 dyads: published figures (`published_prior`), others, or None.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When a table breaks its contract, or the check-ins hold none of the answers.
    TooLittle
        When an answer lies outside the scale.
    """
    measure = Measure.of("connection")
    table = frames.check_ins(check_ins)
    asked = frozenset(name for name in ANSWERS if name in table.columns)
    if not asked:
        raise ColumnProblem(f"check_ins: none of the answers is there; they are {', '.join(ANSWERS)}.")
    _refuse_outside(table, asked, measure)
    priors = published_prior(measure.low, measure.high) if prior == "published" else prior
    rows = laid_out(table)
    diary = None if sessions is None else frames.sessions(sessions)
    course = {
        line: courses(rows, answer, None if priors is None else priors.course)
        for line, answer in LINES.items()
    }
    link = {
        line: links(rows, pl.col(answer), rest(line), None if priors is None else priors.link)
        for line, answer in LINES.items()
    }
    link[CONSISTENCY] = None if diary is None else _broken(rows, diary, priors)
    kept = None if diary is None else keeping(diary, known=priors is not None)
    return Trust(rows, asked, course, link, kept, priors, measure, language)


def _broken(rows: pl.DataFrame, diary: pl.DataFrame, priors: Priors | None) -> Links | None:
    """How connection is where a session began late, or the therapist had called off the one before."""
    before = pl.col("attendance").shift(1).over("therapist", "client", order_by="session")
    broken = (pl.col("attendance") == "late") | (before == "cancelled by therapist").fill_null(value=False)
    keys = ["therapist", "client", "session"]
    flagged = diary.select(*keys, broken=broken.cast(pl.Float64))
    laid = rows.join(flagged, on=keys, how="left", maintain_order="left")
    prior = None if priors is None else priors.broken
    return links(laid, pl.col("broken"), pl.col("connection"), prior, unit=POINTS)


def _refuse_outside(table: pl.DataFrame, asked: frozenset[str], measure: Measure) -> None:
    for name in sorted(asked):
        outside = table.filter(~pl.col(name).is_between(measure.low, measure.high))
        if not outside.is_empty():
            first = outside.row(0, named=True)
            raise TooLittle(
                f"{outside.height} of the column {name} outside the scale {measure.low:g} to {measure.high:g}, first "
                f"{first[name]:g} (client {first['client'][:24]!r}, session {first['session']})."
            )


def _steps(found: Order) -> pl.DataFrame:
    steps = {"trust to openness": found.to_openness, "openness to depth": found.to_depth}
    parts: dict[str, Estimate | None] = {}
    for name, step in steps.items():
        parts |= {
            name: step.forward,
            f"{name}, the way back": step.backward,
            f"{name}, forward less back": step.lead.more,
        }
    return evidence(parts)


def _laid(numbers: dict[str, Estimate | None]) -> dict[str, float]:
    return {
        f"{name}{end}": getattr(each, of)
        for name, each in numbers.items()
        if each is not None
        for end, of in _ENDS.items()
    }


def _joined(said: list[str]) -> str:
    return " ".join(each for each in said if each)


def _rounded(clients: int) -> int:
    """Up, to a number that does not look more exact than it is."""
    step = 10 if clients < 500 else 100
    return -(-clients // step) * step
