"""What the rooms ask of one therapist's own tables: a question each, with what it reads.

A question sees frames and no practice. It answers for the whole practice and for each client, in one language; what is
told is a `Finding` or a `NotYet`, and a page says no more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.findings import Finding, NotYet
from attunement.web.answers import Answer, Told, answer_lacking, drawn, joined, latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.countertransference import Countertransference
    from attunement.instruments.description import Language
    from attunement.practice import Rated
    from attunement.ruptures import Ruptures
    from attunement.trajectories import Caseload
    from attunement.web.answers import Material

    Reading = Callable[["Material", Language], "Answer"]

KEY: Final = ("therapist", "client", "session")
WORSE: Final = "lower"
"""Which way the state before a session is worse, on our own line."""
BEST: Final = 10.0
"""The best state and the best day: turned about, they are strain."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Parameters
    ----------
    reads
        Which of the tables.
    own
        Whether it reads reflections: what it finds is for their owner's eyes, and is forgotten when they lock.
    ask
        Gives the answer.
    """

    reads: tuple[str, ...]
    own: bool
    ask: Reading


def asked(name: str, material: Material, language: Language) -> Answer:
    """Ask one question."""
    return QUESTIONS[name].ask(material, language)


# -- of one's own feelings


def _feelings(material: Material, language: Language) -> Answer:
    """Where one's feelings come from: habit, the client, one's day, the hour."""
    from attunement import plots  # noqa: PLC0415 - of the worker alone, like what follows
    from attunement.countertransference import FACTORS, awareness, countertransference  # noqa: PLC0415
    from attunement.norms.habit import by_feeling  # noqa: PLC0415

    tables = material.tables
    if tables.reflections.is_empty():
        return answer_lacking("mirror", "feelings", language)
    elsewhere = {feeling: each for norms in material.norms for feeling, each in by_feeling(norms).items()}
    mirror = countertransference(
        tables.reflections, days=tables.days, only=FACTORS, norms=elsewhere, language=language
    )
    found = mirror.all
    all_ = [Told("mirror", found, drawn(plots.feelings_chart(found) if isinstance(found, Finding) else None))]
    all_ += [Told("mirror", mirror.habitual(feeling=each)) for each in mirror.sources]
    all_ += [Told("mirror", mirror.day(each)) for each in mirror.sources]
    all_.append(Told("awareness", awareness(mirror, tables.namings)))
    all_ += [Told("mirror", each) for each in _recurring(material, language)]
    clients = tables.reflections["client"].unique(maintain_order=True)
    return Answer(tuple(all_), {client: _stirred(mirror, tables.reflections, client) for client in clients})


def _stirred(mirror: Countertransference, reflections: pl.DataFrame, client: str) -> tuple[Told, ...]:
    """What this client stirs, whose it is, and the last hour."""
    last = int(reflections.filter(client=client)["session"].max())  # type: ignore[arg-type]
    kinds = tuple(mirror.sources)
    each = (
        *(mirror.elicited(client, feeling=kind) for kind in kinds),
        *(mirror.momentary(client, last, feeling=kind) for kind in kinds),
        mirror.whose(client),
    )
    return tuple(Told("mirror", found) for found in each)


def _recurring(material: Material, language: Language) -> list[Finding | NotYet]:
    """The tags that come up with most clients, three at most."""
    from attunement.countertransference import tags  # noqa: PLC0415 - see above

    marked = material.tables.tags
    if marked.is_empty():
        return []
    found = tags(marked, material.tables.reflections, language=language)
    most = found.frame().head(3)
    return [found.of(tag, kind) for kind, tag in most.select("kind", "tag").iter_rows()]


def _signal(material: Material, language: Language) -> Answer:
    """What one's feelings tell of a client's state in the same session."""
    from attunement.countertransference import signal  # noqa: PLC0415 - see above

    reflections, states = material.tables.reflections, _states(material)
    if reflections.is_empty() or states.is_empty():
        return answer_lacking("signal", "feelings" if reflections.is_empty() else "states", language)
    whose = reflections["therapist"][0]
    found = signal(reflections, states.with_columns(therapist=pl.lit(whose)), worse=WORSE, language=language)
    clients = found.met["client"].unique(maintain_order=True)
    return Answer(
        (Told("signal", found.all),), {client: (Told("signal", found.of(client)),) for client in clients}
    )


def _next(material: Material, language: Language) -> Answer:
    """Whether what one felt goes with the client's next rating."""
    from attunement.countertransference import NEGATIVE, POSITIVE, next_session  # noqa: PLC0415 - see above
    from attunement.trajectories import Measure  # noqa: PLC0415 - see above

    reflections, ratings = material.tables.reflections, _rated(material)
    felt = set(reflections["feeling"])
    positive, negative = ([word for word in words if word in felt] for words in (POSITIVE, NEGATIVE))
    if not positive or not negative or ratings.is_empty():
        return answer_lacking("next_session", "feelings" if ratings.height else "ratings", language)
    found = next_session(
        reflections,
        ratings,
        Measure.of("connection"),
        positive=positive,
        negative=negative,
        language=language,
    )
    each = (found.negative, found.positive, found.usual_negative, found.usual_positive)
    return Answer(tuple(Told("next_session", finding) for finding in each))


def _agreement(material: Material, language: Language) -> Answer:
    """How one's guesses lie to what clients answer."""
    from attunement import plots  # noqa: PLC0415 - see above
    from attunement.agreement import agreement  # noqa: PLC0415 - see above
    from attunement.trajectories import Measure  # noqa: PLC0415 - see above

    ratings = material.tables.ratings
    if ratings.is_empty() or ratings["guess"].is_null().all():
        return answer_lacking("agreement", "guesses", language)
    found = agreement(ratings, Measure.of("connection"), language=language)
    told = found.all
    chart = drawn(plots.gaps_chart(found) if isinstance(told, Finding) else None)
    clients = found.met["client"].unique(maintain_order=True)
    return Answer(
        (Told("agreement", told, chart),), {each: (Told("agreement", found.of(each)),) for each in clients}
    )


# -- of the record


def _trust(material: Material, language: Language) -> Answer:
    """What trust rests on: consistency, empathy, an open mind; and whether talk goes deeper once it is there."""
    from attunement import plots  # noqa: PLC0415 - see above
    from attunement.trust import trust  # noqa: PLC0415 - see above

    tables = material.tables
    if tables.check_ins.is_empty():
        return answer_lacking("trust", "ratings", language)
    found = trust(tables.check_ins, tables.sessions, language=language)
    lines = found.all
    points = {
        each.about: each
        for each in lines.values()
        if isinstance(each, Finding) and each.estimate.unit == "points"
    }
    chart = drawn(plots.parts_chart(points, "points") if points else None)
    each = [*lines.values(), found.order]
    all_ = tuple(Told("trust", line, "" if place else chart) for place, line in enumerate(each))
    clients = tables.check_ins["client"].unique(maintain_order=True)
    return Answer(
        all_, {who: tuple(Told("trust", line) for line in found.of(who).values()) for who in clients}
    )


def _bond(material: Material, language: Language) -> Answer:
    """How each bond stands and what tore in it; and the share of clients with whom it is established."""
    answers = [_bond_on(each, language) for each in material.rated]
    if not answers:
        return answer_lacking("trajectory", "ratings", language)
    return Answer(tuple(told for answer, _ in answers for told in answer.all), latest(answers))


def _bond_on(rated: Rated, language: Language) -> tuple[Answer, dict[str, int]]:
    from attunement.ruptures import ruptures  # noqa: PLC0415 - see above

    caseload = _courses(rated, language)
    torn = ruptures(caseload)
    of = {
        each.client: (
            Told("trajectory", each.state, wanted=each.wants_a_look),
            Told("trajectory", each.depth),
            Told("trajectory", each.speed),
            Told("rupture", torn.of(each.client), wanted=_is_open(torn, each.client)),
        )
        for each in caseload
    }  # fmt: skip
    all_ = (Told("trajectory", caseload.connected), Told("rupture", torn.all))
    return Answer(all_, of), {each.client: each.now for each in caseload}


def _board(material: Material, language: Language) -> Answer:
    """What may stand behind a bond that does not form, with each client."""
    answers = [_board_on(material, each, language) for each in material.rated]
    return Answer((), latest(answers))


def _board_on(material: Material, rated: Rated, language: Language) -> tuple[Answer, dict[str, int]]:
    from attunement.connecting import Known as Signs  # noqa: PLC0415 - see above
    from attunement.connecting import board  # noqa: PLC0415 - see above
    from attunement.countertransference import NEGATIVE  # noqa: PLC0415 - see above
    from attunement.ruptures import ruptures  # noqa: PLC0415 - see above

    caseload, tables = _courses(rated, language), material.tables
    felt, states = tables.reflections, _states(material)
    guesses = tables.ratings.drop_nulls(["score", "guess"])
    signs = Signs(
        caseload, ruptures(caseload),
        feelings=_some(felt), heavy=tuple(word for word in NEGATIVE if word in set(felt["feeling"])),
        days=_some(tables.days.select(*KEY, strain=BEST - pl.col("my_day"))),
        triggers=_some(tables.tags.filter(kind="trigger").select(*KEY, "tag")),
        guesses=_some(guesses.select(*KEY, "score", "guess")),
        background=_some(_missed(material)),
        states=_some(states.select("client", "session", outcome=BEST - pl.col("outcome"))),
    )  # fmt: skip
    of = {each.client: (Told("board", board(signs, each.client, language=language)),) for each in caseload}
    return Answer((), of), {each.client: each.now for each in caseload}


# -- of impact


def _outcome(material: Material, language: Language) -> Answer:
    """Whether a stronger bond goes with a better next state, and how steady the states are once it stands."""
    from attunement.impact import outcome, stability  # noqa: PLC0415 - see above
    from attunement.trajectories import Measure  # noqa: PLC0415 - see above

    ratings = _rated(material, "outcome")
    if ratings.is_empty() or ratings["outcome"].is_null().all():
        return answer_lacking("outcome", "states", language)
    measure = Measure.of("connection")
    found = outcome(ratings, measure, worse=WORSE, language=language)
    steady = stability(ratings, measure, language=language)
    clients = ratings["client"].unique(maintain_order=True)
    all_ = (Told("outcome", found.all), Told("outcome", found.between), Told("stability", steady.all))
    return Answer(all_, {each: (Told("stability", steady.of(each)),) for each in clients})


def _change(material: Material, language: Language) -> Answer:
    """By how much states changed from the first to the last, and growth since it was first asked of."""
    return joined(_first_to_last(material, language), _growth(material, language))


def _first_to_last(material: Material, language: Language) -> Answer:
    from attunement.change import norms_of  # noqa: PLC0415 - see above
    from attunement.impact import first_to_last  # noqa: PLC0415 - see above
    from attunement.instruments import instrument  # noqa: PLC0415 - see above

    states = material.tables.outcomes.filter(instrument="state").drop_nulls("outcome")
    if states.is_empty():
        return answer_lacking("outcome", "states", language)
    found = first_to_last(states, norms_of(instrument("state"), language=language), language=language)
    return Answer(
        (Told("outcome", found.all),), {each: (Told("outcome", found.of(each)),) for each in found.clients}
    )


def _growth(material: Material, language: Language) -> Answer:
    from attunement.impact import growth  # noqa: PLC0415 - see above

    answers = material.tables.outcomes.filter(instrument="growth").drop_nulls(["outcome", "time"])
    if answers.is_empty():
        return answer_lacking("growth", "growth", language)
    check_ins = [
        each for each in material.rated if each.id == "connection"
    ]  # none, where nothing was scored yet
    caseload = _courses(check_ins[0], language) if check_ins else None
    found = growth(answers, caseload=caseload, language=language)
    clients = answers["client"].unique(maintain_order=True)
    return Answer(
        (Told("growth", found.all), Told("growth", found.depth)),
        {each: (Told("growth", found.of(each)),) for each in clients},
    )


def _staying(material: Material, language: Language) -> Answer:
    """Whether clients with a weaker bond leave more often; of one client only where such chances have held."""
    from attunement.impact import engagement  # noqa: PLC0415 - see above
    from attunement.trajectories import Measure  # noqa: PLC0415 - see above

    ratings, tables = _rated(material), material.tables
    if ratings["score"].is_null().all():
        return answer_lacking("staying", "ratings", language)
    measure = Measure.of("connection")
    found = engagement(ratings, tables.endings, measure, sessions=tables.sessions, language=language)
    known = set(tables.endings["client"])
    clients = [each for each in ratings["client"].unique(maintain_order=True) if each in known]
    return Answer(
        (Told("staying", found.all),), {each: (Told("staying", found.of(each)),) for each in clients}
    )


# -- inside


def _is_open(torn: Ruptures, client: str) -> bool:
    looked = torn.looked_at(client)
    return looked is not None and looked.open


def _courses(rated: Rated, language: Language) -> Caseload:
    from attunement.trajectories import trajectories  # noqa: PLC0415 - see above

    return trajectories(rated.ratings, rated.measure, language=language)


def _rated(material: Material, *more: str) -> pl.DataFrame:
    """The ratings, without one's own guesses of them."""
    ratings: pl.DataFrame = material.tables.ratings
    return ratings.select(*KEY, "time", "score", *more)


def _states(material: Material) -> pl.DataFrame:
    """The clients' states before their sessions; higher is better."""
    states: pl.DataFrame = material.tables.outcomes.filter(instrument="state").drop_nulls("outcome")
    return states.select("client", "session", "outcome")


def _missed(material: Material) -> pl.DataFrame:
    """What clients answered to whether a part of who they are was missed."""
    answered: pl.DataFrame = material.tables.outcomes.filter(instrument="background").drop_nulls("outcome")
    return answered.select(
        therapist=pl.lit(material.account), client="client", session="session", missed="outcome"
    )


def _some(table: pl.DataFrame) -> pl.DataFrame | None:
    return None if table.is_empty() else table


QUESTIONS: Final[dict[str, Question]] = {
    "feelings": Question(("reflections", "days", "namings", "tags", "norms"), own=True, ask=_feelings),
    "signal": Question(("reflections", "outcomes"), own=True, ask=_signal),
    "next": Question(("reflections", "ratings"), own=True, ask=_next),
    "agreement": Question(("ratings",), own=True, ask=_agreement),
    "board": Question(("rated", "ratings", "outcomes", "reflections", "days", "tags"), own=True, ask=_board),
    "trust": Question(("check_ins", "sessions"), own=False, ask=_trust),
    "bond": Question(("rated",), own=False, ask=_bond),
    "outcome": Question(("ratings",), own=False, ask=_outcome),
    "change": Question(("outcomes", "rated"), own=False, ask=_change),
    "staying": Question(("ratings", "endings", "sessions"), own=False, ask=_staying),
}
"""The board alone is asked without reflections too, and says then what is missing."""
