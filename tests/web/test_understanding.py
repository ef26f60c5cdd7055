"""Mirror, board, card and impact: a page says what its findings say, is never stale, and is for its owner alone."""

from __future__ import annotations

import html
import logging
import re
import threading
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from cast import ANSWERS, BEGAN, PHRASES, Cast, seen
from guest import HERE, Guest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from attunement.change import norms_of
from attunement.connecting import CALLED
from attunement.conversation import Heard, card
from attunement.countertransference import FACTORS, NEGATIVE, awareness, countertransference, signal
from attunement.findings import Finding, NotYet
from attunement.impact import first_to_last, growth, outcome, stability
from attunement.instruments import instrument
from attunement.practice import Practice
from attunement.ruptures import ruptures
from attunement.sessions import Reflection
from attunement.trajectories import Measure, trajectories
from attunement.trust import trust
from attunement.vault.locks import LEAST
from attunement.web import WAYS, Rooms, app, understanding, working
from attunement.web.answers import Answer, Material, Told
from attunement.web.apart import Apart
from attunement.web.demonstration import ACCOUNT, PHRASE, demonstration
from attunement.web.pages import understanding as pages
from attunement.web.questions import QUESTIONS, Question, asked
from attunement.web.understanding import Understanding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guest import Building

    from attunement.instruments.description import Language
    from attunement.practice.unlocked import Reflections

LANGUAGES: tuple[Language, ...] = ("en", "es")
SAID = re.compile(
    r'<(p|span) class="(?:[^"]* )?(?:sentence|limit|evidence|ask|why)(?: [^"]*)?">(.*?)</\1>', re.DOTALL
)
RATED = ("therapist", "client", "session", "time", "score")


@pytest.fixture(autouse=True)
def waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worked out beside the pages is waited for, and worked out in this process."""
    monkeypatch.setattr("attunement.web.apart.Apart.do", lambda _, work, *given: work(*given))
    monkeypatch.setattr(understanding, "PATIENCE", 120.0)
    monkeypatch.setattr(working, "FIRST", 120.0)


def said(page: str) -> list[str]:
    """Everything on a page that is not of the page itself."""
    return [html.unescape(" ".join(text.split())) for _, text in SAID.findall(page)]


def sentences(found: Finding | NotYet) -> list[str]:
    return [found.sentence, *(found.limits if isinstance(found, Finding) else ())]


# -- what a page says is what the finding says


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A practice past most gates; some of its clients have just begun."""
    folder = tmp_path_factory.mktemp("rooms") / "practice"
    demonstration(folder, clients=16)
    with Practice.open(folder, ACCOUNT, PHRASE) as opened:
        opened.unlock(PHRASE)
        yield opened


def rooms_of(practice: Practice, account: str, phrase: str) -> Guest:
    rooms = Rooms(practice.house.folder, port=8437, cost=LEAST)
    rooms.door.take_over(practice)
    guest = Guest(TestClient(app(rooms, WAYS), base_url=HERE, follow_redirects=False))
    assert guest.post("/sign-in", account=account, passphrase=phrase, then="/").status_code == 303
    assert guest.post("/reflections/unlock", passphrase=phrase, then="/").status_code == 303
    return guest


@pytest.fixture(scope="module")
def simulated_answers(simulated: Practice) -> Callable[[Language], dict[str, Answer]]:
    """What is found in it, in a language; worked out once."""
    return cache(lambda language: answers(simulated, language))


def answers(practice: Practice, language: Language) -> dict[str, Answer]:
    read = understanding.read(practice, practice.version, reflections=True)
    return {name: asked(name, read.whole.material, language) for name in QUESTIONS}


def expected(known: dict[str, Answer], names: tuple[str, ...], of: str | None) -> list[str]:
    """What a page of these questions says, in its order."""
    told: list[Told] = []
    for name in names:
        answer = known[name]
        none = tuple(each for each in answer.all[:1] if isinstance(each.found, NotYet))
        told += answer.all if of is None else answer.of.get(of, none)
    return [sentence for each in told for sentence in sentences(each.found)]


def compare(guest: Guest, known: dict[str, Answer], clients: list[str], language: Language) -> None:
    """Hold every page against what was found."""
    mirror, impact = pages.MIRROR + pages.TRUST, pages.IMPACT
    with_client = pages.WITH_CLIENT + pages.TRUST
    both: tuple[tuple[str, tuple[str, ...]], ...] = (("/mirror", mirror), ("/impact", impact))
    for path, names in both:
        assert said(guest.get(f"{path}?language={language}").text) == expected(known, names, None), path
    for client in clients:
        own: tuple[tuple[str, tuple[str, ...]], ...] = (("mirror", with_client), ("impact", impact))
        for path, names in own:
            page = guest.get(f"/clients/{client}/{path}?language={language}").text
            assert said(page) == expected(known, names, client), (path, client)
        assert on_board(guest, known, client, language)
        assert on_card(guest, known, client, language)


def on_board(guest: Guest, known: dict[str, Answer], client: str, language: Language) -> bool:
    page = guest.get(f"/clients/{client}/board?language={language}").text
    told = known["board"].of.get(client)
    wanted = sentences(told[0].found) if told else said(page)[:1]
    if told and isinstance(told[0].found, Finding):
        columns = ("speaks_for", "speaks_against", "missing", "ask")
        rows = told[0].found.evidence.select(columns).iter_rows()
        wanted += [text for row in rows for text in row if text]
    bond = known["bond"].of.get(client, ())
    wanted += [
        s for place, each in enumerate(bond) if place == 0 or each.wanted for s in sentences(each.found)
    ]
    return said(page) == wanted


def on_card(guest: Guest, known: dict[str, Answer], client: str, language: Language) -> bool:
    """Every reason on the card is a finding's sentence, or what was answered or chosen."""
    page = guest.get(f"/clients/{client}/card?language={language}").text
    found = {
        s
        for name in ("bond", "board")
        for each in known[name].of.get(client, ())
        for s in sentences(each.found)
    }
    ours = re.findall(r'data-about="(\w+)"', page)
    from_answers = {"step", "hindering", "line", "open"}
    reasons = [s for s in said(page) if s in found]
    return bool(ours) and len(said(page)) - len(reasons) == sum(about in from_answers for about in ours)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_the_findings_past_the_gates(
    simulated: Practice, simulated_answers: Callable[[Language], dict[str, Answer]], language: Language
) -> None:
    known = simulated_answers(language)
    kinds = {each.kind for answer in known.values() for each in answer.all if isinstance(each.found, Finding)}
    assert kinds >= {
        "mirror",
        "awareness",
        "signal",
        "agreement",
        "trust",
        "trajectory",
        "rupture",
        "outcome",
    }
    wanted = [client for client, (told,) in known["board"].of.items() if isinstance(told.found, Finding)]
    early = [client for client, told in known["bond"].of.items() if isinstance(told[0].found, NotYet)]
    assert wanted
    assert early
    compare(rooms_of(simulated, ACCOUNT, PHRASE), known, [wanted[0], early[0]], language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sessions", [None, 0, 2])
def test_every_sentence_is_the_findings_before_any_gate(
    cast: Cast, language: Language, sessions: int | None
) -> None:
    if sessions is not None:
        seen(cast.first, "K-01", sessions)
    cast.first.unlock(PHRASES["T-1"])
    known = answers(cast.first, language)
    assert all(
        isinstance(each.found, NotYet)
        for name in QUESTIONS
        for each in known[name].all
        if each.kind not in {"trust", "rupture"}
    )
    clients = [] if sessions is None else ["K-01"]
    compare(rooms_of(cast.first, "T-1", PHRASES["T-1"]), known, clients, language)


def said_of(found: Finding | NotYet) -> tuple[str, str]:
    """What is told: two processes may differ in a number's last digits."""
    return found.about, found.sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_rooms_ask_is_what_the_doors_of_the_library_answer(
    simulated: Practice, simulated_answers: Callable[[Language], dict[str, Answer]], language: Language
) -> None:
    tables, measure = simulated.own_tables(), Measure.of("connection")
    of_record = tables.ratings.select(*RATED, "outcome")
    caseload = trajectories(tables.ratings.select(RATED), measure, language=language)
    torn = ruptures(caseload)
    mirror = countertransference(tables.reflections, days=tables.days, only=FACTORS, language=language)
    states = tables.outcomes.filter(instrument="state")
    heard = signal(
        tables.reflections, states.select("client", "session", "outcome").with_columns(therapist=pl.lit(ACCOUNT)),
        worse="lower", language=language,
    )  # fmt: skip
    carried = outcome(of_record, measure, worse="lower", language=language)
    steady = stability(of_record, measure, language=language)
    rests = trust(tables.check_ins, tables.sessions, language=language)
    grown = growth(tables.outcomes.filter(instrument="growth"), caseload=caseload, language=language)
    norms = norms_of(instrument("state"), language=language)
    by_hand = {
        "bond": [caseload.connected, torn.all],
        "signal": [heard.all],
        "outcome": [carried.all, carried.between, steady.all],
        "trust": [*rests.all.values(), rests.order],
        "change": [first_to_last(states, norms, language=language).all, grown.all, grown.depth],
    }
    known = simulated_answers(language)
    for name, told in by_hand.items():
        assert [said_of(each.found) for each in known[name].all] == [said_of(each) for each in told], name
    assert known["feelings"].all[0].found == mirror.all
    assert awareness(mirror, tables.namings) in [each.found for each in known["feelings"].all]
    for each in caseload:
        bond = [told.found for told in known["bond"].of[each.client]]
        assert bond == [each.state, each.depth, each.speed, torn.of(each.client)]


def test_a_client_who_says_that_a_part_of_them_was_missed_is_heard_on_the_board(simulated: Practice) -> None:
    material = understanding.read(simulated, simulated.version, reflections=True).whole.material
    torn = next(
        client
        for client, (told,) in asked("board", material, "en").of.items()
        if isinstance(told.found, Finding)
    )
    tables = material.tables
    rows = [
        {
            "client": each,
            "session": 1,
            "time": None,
            "instrument": "background",
            "outcome": 9.0 if each == torn else 1.0,
        }
        for each in tables.ratings["client"].unique(maintain_order=True)
    ]
    outcomes = pl.concat([tables.outcomes, pl.DataFrame(rows, schema=tables.outcomes.schema)])
    (told,) = asked("board", replace(material, tables=replace(tables, outcomes=outcomes)), "en").of[torn]
    assert isinstance(told.found, Finding)
    unsaid = told.found.evidence.filter(hypothesis="unsaid").row(0, named=True)
    assert (unsaid["missing"], unsaid["speaks_for"] is None) == (None, False)


# -- the card


def test_a_card_has_three_points_at_most_and_never_none() -> None:
    full = Heard(
        step="slow down", talked="yes", helped=8, session=4,
        answers={"hindering": 7, "safe": 3, "understood": 8, "could_say": 9},
    )  # fmt: skip
    assert [point.about for point in card(full)] == ["step", "hindering", "line"]
    assert [point.about for point in card(Heard())] == ["open"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("line", instrument("connection").scale("total").items)
def test_the_line_answered_lowest_has_a_sentence_of_its_own(line: str, language: Language) -> None:
    answered = dict.fromkeys(instrument("connection").scale("total").items, 9.0) | {line: 4.0}
    (point,) = card(Heard(session=2, answers=answered), language)
    assert point.about == "line"
    assert instrument("connection").item(line).wording.say(language).rstrip(".") in point.why
    assert point.opening.endswith("?")


def test_what_the_client_said_of_a_step_is_brought_up_as_they_said_it() -> None:
    told = {
        talked: card(Heard(step="slow down", talked=talked, helped=3))[0] for talked in ("yes", "no", None)
    }
    assert "helped at 3 of 10" in told["yes"].why
    assert "not talked yet" in told["no"].why
    assert "3 of 10" not in told["no"].why + told[None].why


def test_nothing_that_merely_might_fit_is_a_point(
    simulated_answers: Callable[[Language], dict[str, Answer]],
) -> None:
    for (told,) in simulated_answers("en")["board"].of.values():
        if isinstance(told.found, Finding) and told.found.estimate.value < CALLED:
            assert [point.about for point in card(Heard(board=told.found))] == ["open"]


# -- never stale


def test_a_page_is_of_the_present_tables_whatever_was_changed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that merely says what it read changes with every datum that was changed, and with no other."""

    def digest(material: Material, _: Language) -> Answer:
        rows = {
            name: getattr(material.tables, name).rows() for name in ("ratings", "sessions", "reflections")
        }
        told = NotYet(
            repr(sorted(map(str, rows["ratings"]))), repr(rows["sessions"]), repr(sorted(rows["reflections"]))
        )
        return Answer((Told("trust", told),))

    monkeypatch.setitem(
        QUESTIONS, "echo", Question(("ratings", "sessions", "reflections"), own=True, ask=digest)
    )
    practice, asking = cast.first, Understanding(Apart())
    seen(practice, "K-01", 2)
    practice.unlock(PHRASES["T-1"])
    opened = practice.house.reflections["T-1"]
    sent = iter(range(1, 10_000))

    def check_in(number: int, points: int) -> None:
        practice.log_session("K-01", BEGAN + timedelta(days=30 + number))
        session = practice.sessions("K-01")[-1].number
        token = practice.invite("K-01", session).token
        practice.for_client().receive(token, {**ANSWERS, "safe": points}, f"stale-or-not-{next(sent)}")

    def change(number: int, points: int) -> None:
        practice.change_session("K-01", 1, attendance="late", lateness=float(points + number))

    def reflect(number: int, points: int) -> None:
        practice.reflect("K-01", 1 + number % 2, Reflection(feelings={NEGATIVE[0]: float(points)}))

    def destroy(number: int, _: int) -> None:
        reflect(number, 1)
        practice.destroy_reflection("K-01", 1 + number % 2)

    acts = (check_in, change, reflect, destroy)

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4)
    )
    def holds(doings: list[tuple[int, int, int]]) -> None:
        for which, number, points in doings:
            acts[which](number, points)
            found = asking.of(practice, opened, "en", "echo")
            read = understanding.read(practice, practice.version, reflections=True)
            assert found.answers["echo"] == digest(read.whole.material, "en")
            assert not found.pending

    holds()


def counted(monkeypatch: pytest.MonkeyPatch, *reads: str, own: bool = False) -> list[int]:
    """Ask a question that counts how often it was worked out."""
    times: list[int] = []

    def count(_: Material, __: Language) -> Answer:
        times.append(1)
        return Answer((Told("trust", NotYet("a", str(len(times)), "b")),))

    monkeypatch.setitem(QUESTIONS, "count", Question(reads, own=own, ask=count))
    return times


def test_what_was_not_read_is_not_worked_out_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    times, asking, practice = counted(monkeypatch, "check_ins"), Understanding(Apart()), cast.first
    seen(practice, "K-01", 2)
    for act in (
        lambda: practice.choose_step("K-01", "slower"),
        lambda: practice.change_session("K-01", 1, attendance="late", lateness=3.0),
        lambda: seen(cast.second, "K-02", 2),
    ):
        asking.of(practice, None, "en", "count")
        act()
        asking.of(practice, None, "en", "count")
    assert len(times) == 1
    asking.of(practice, None, "es", "count")
    assert len(times) == 2


def test_while_it_is_worked_out_the_last_is_shown_and_said_to_be(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, asking, practice = threading.Event(), Understanding(Apart()), cast.first
    go_on.set()

    def slow(material: Material, _: Language) -> Answer:
        go_on.wait(60)
        return Answer((Told("trust", NotYet("a", str(material.tables.check_ins.height), "b")),))

    monkeypatch.setitem(QUESTIONS, "slow", Question(("check_ins",), own=False, ask=slow))
    seen(practice, "K-01", 2)
    before = asking.of(practice, None, "en", "slow")
    go_on.clear()
    seen(practice, "K-03", 1)
    monkeypatch.setattr(working, "FIRST", 0.5)
    monkeypatch.setattr(understanding, "PATIENCE", 0.05)
    while "slow" not in (during := asking.of(practice, None, "en", "slow")).pending:
        pass
    assert during.answers == before.answers
    go_on.set()
    monkeypatch.setattr(working, "FIRST", 60.0)
    monkeypatch.setattr(understanding, "PATIENCE", 60.0)
    after = asking.of(practice, None, "en", "slow")
    assert (after.pending, after.answers["slow"].all[0].found.missing) == (frozenset(), "3")  # type: ignore[union-attr]


def test_what_cannot_be_worked_out_is_said_in_a_sentence_without_its_values(
    house: Building, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Material, __: Language) -> Answer:
        raise ValueError("PLANTED")

    monkeypatch.setitem(QUESTIONS, "bond", Question(("rated",), own=False, ask=fail))
    with caplog.at_level(logging.DEBUG):
        page = house.guest("T-1").get("/impact").text
    assert understanding.FAILED in page
    assert "PLANTED" not in page + caplog.text


# -- for their owner's eyes alone


def planted(practice: Practice) -> Reflections:
    seen(practice, "K-01", 2)
    practice.unlock(PHRASES[practice.who.code])
    for number in (1, 2):
        practice.reflect(
            "K-01",
            number,
            Reflection(feelings={"PLANTEDFEELING": 9.0, NEGATIVE[0]: 3.0}, tags=("trigger: PLANTEDTAG",)),
        )
    return practice.house.reflections[practice.who.code]


def test_what_comes_from_reflections_is_forgotten_when_they_lock(cast: Cast) -> None:
    opened, asking = planted(cast.first), Understanding(Apart())
    asking.of(cast.first, opened, "en", "feelings", "trust")
    assert "feelings" in str(list(opened._kept))  # noqa: SLF001 - is it empty?
    assert "PLANTED" not in repr(asking._kept)  # noqa: SLF001 - see above
    assert "feelings" not in str(list(asking._kept))  # noqa: SLF001 - see above
    cast.first.lock()
    assert opened._kept == {}  # noqa: SLF001 - see above
    opened.keep("late", "PLANTED")  # what was still being worked out comes too late
    assert opened.kept("late") is None


def test_another_browser_of_the_same_therapist_sees_no_mirror_until_it_unlocks(house: Building) -> None:
    planted(house.cast.first)
    here, there = house.guest("T-1", unlocked=True), house.guest("T-1")
    assert "PLANTED" in here.get("/mirror").text or 'id="feelings"' in here.get("/mirror").text
    for path in ("/mirror", "/clients/K-01/mirror", "/clients/K-01/board", "/clients/K-01/card", "/impact"):
        page = there.get(path).text
        assert "PLANTED" not in page
        assert 'id="feelings"' not in page


def test_the_process_that_outlives_a_lock_is_given_nothing_of_reflections(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, shared = planted(cast.first), Apart()
    cast.first.reflect("K-01", 1, Reflection(guess={"safe": 3.25}, feelings={"PLANTEDFEELING": 9.0}))
    given: dict[bool, list[str]] = {True: [], False: []}

    def write_down(self: Apart, work: Callable[..., Answer], *what: object) -> Answer:
        tables = [each.tables for each in what if isinstance(each, Material)]
        given[self is shared] += [
            str(getattr(each, name).rows()) for each in tables for name in each.__slots__
        ]
        return work(*what)

    monkeypatch.setattr(Apart, "do", write_down)
    everything = [name for name in QUESTIONS if name not in {"echo", "count", "slow"}]
    Understanding(shared).of(cast.first, opened, "en", *everything)
    assert "PLANTED" in str(given[False])
    assert given[True]
    assert not {"PLANTED", "3.25"} & {word for word in ("PLANTED", "3.25") if word in str(given[True])}


def test_a_locked_page_is_the_same_to_the_byte_whether_there_are_reflections_or_not(house: Building) -> None:
    practice = house.cast.first
    seen(practice, "K-01", 2)
    paths = (
        "/mirror",
        "/impact",
        *(f"/clients/K-01/{room}" for room in ("mirror", "board", "card", "impact")),
    )
    before = [house.guest("T-1").get(path).content for path in paths]
    practice.unlock(PHRASES["T-1"])
    practice.reflect(
        "K-01", 1, Reflection(feelings={NEGATIVE[0]: 9.0}, tags=("trigger: PLANTED",), words="PLANTED")
    )
    house.guest("T-1", unlocked=True).get("/mirror")
    practice.lock()
    assert [house.guest("T-1").get(path).content for path in paths] == before


@pytest.mark.parametrize("who", ["T-2", "S-1", "A-1"])
def test_nobody_else_sees_anything_of_it(house: Building, who: str, caplog: pytest.LogCaptureFixture) -> None:
    planted(house.cast.first)
    house.guest("T-1", unlocked=True).get("/mirror")
    other = house.guest(who)
    with caplog.at_level(logging.DEBUG):
        pages = [
            other.get(path) for path in ("/mirror", "/impact", "/clients/K-01/mirror", "/clients/K-01/board")
        ]
    assert all("PLANTED" not in page.text for page in pages)
    assert "PLANTED" not in caplog.text
    assert [page.status_code for page in pages[2:]] == [404, 404]


def test_a_look_stands_in_the_journal_of_the_reflections_and_not_in_the_records(house: Building) -> None:
    opened = planted(house.cast.first)
    guest = house.guest("T-1", unlocked=True)
    opened = house.cast.first.house.reflections["T-1"]
    vault, _ = opened.use()
    guest.get("/mirror")
    before, record = vault.tip.seq, house.cast.first.house.record.tip.seq
    guest.get("/mirror")
    assert vault.tip.seq == before + 1
    assert house.cast.first.house.record.tip.seq == record
    house.cast.first.lock()
    guest.get("/mirror")
    assert (
        house.cast.admin.journal()[-1]["verb"] == "see journal"
        or house.cast.first.house.record.tip.seq > record
    )


def test_both_languages_say_the_same_around_the_findings(house: Building) -> None:
    seen(house.cast.first, "K-01", 2)
    guest: Any = house.guest("T-1", unlocked=True)
    for path in ("/mirror", "/impact", "/clients/K-01/board", "/clients/K-01/card"):
        pages = {language: guest.get(f"{path}?language={language}").text for language in LANGUAGES}
        tags = {language: re.findall(r"<(\w+)", page) for language, page in pages.items()}
        assert tags["en"] == tags["es"], path
        assert '<html lang="es">' in pages["es"]
    assert '<html lang="es">' in guest.get("/mirror").text  # it is remembered in this browser
