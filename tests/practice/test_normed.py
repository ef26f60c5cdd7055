"""Norms within a practice: what is loaded, what a therapist signs out, and what five together tell."""

from __future__ import annotations

import json
import random
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from cast import BEGAN, PHRASES, Cast, elsewhere, reopened

from attunement.countertransference.feelings import FACTORS, NEGATIVE, POSITIVE, strengths
from attunement.errors import InputError, Locked, Refused, TooLittle
from attunement.findings import Finding, NotYet
from attunement.norms import About, Norms, dump, habitual, load, publish
from attunement.practice import Practice, Role
from attunement.sessions import Purpose, Reflection
from attunement.vault import tables
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attunement.norms import Contribution

SINCE, UNTIL = date(2026, 1, 1), date(2026, 6, 30)
WORDS: Final = ("curious", "tense", "bored")
PHRASE: Final = "kestrel basement violet ladder"
FIVE: Final = ("T-1", "T-2", "T-3", "T-4", "T-5")
CLIENTS, SESSIONS = 5, 4


def colleague(cast: Cast, account: str) -> Practice:
    """One more therapist, unlocked."""
    cast.admin.add_account(
        account, PHRASE, RecoveryCode.fresh(), roles=frozenset({Role.THERAPIST}), cost=LEAST
    )
    return let_in(cast, account)


def let_in(cast: Cast, account: str) -> Practice:
    who = cast.first.sign_in(account, PHRASES.get(account, PHRASE))
    who.unlock(PHRASES.get(account, PHRASE))
    return who


def worked(practice: Practice, *, clients: int = CLIENTS, sessions: int = SESSIONS, day: int = -10) -> None:
    """See clients, and reflect after each hour; each therapist and client has a level of their own."""
    drawn = random.Random(f"{practice.who.code} {day}")  # noqa: S311 - the same every time
    habit = drawn.gauss(4, 1)
    known = {each.client.code for each in practice.clients()}
    for client in range(clients):
        code, level = f"K-{client}", habit + drawn.gauss(0, 1)
        if code not in known:
            practice.take_on(code, agreed=tuple(Purpose))
        for place in range(sessions):
            number = practice.log_session(code, BEGAN + timedelta(days=day + place)).number
            felt = {word: _strength(level, drawn) for word in WORDS[: 2 + place % 2]}
            practice.reflect(code, number, Reflection(connection=4, feelings=felt))


def _strength(level: float, drawn: random.Random) -> float:
    return round(min(max(level + drawn.gauss(0, 1.4), 0), 10), 1)


def signed(practice: Practice, seed: int = 1) -> tuple[Contribution, ...]:
    numbers = practice.to_sign_out(seed)
    practice.sign_out(numbers)
    return numbers


@pytest.fixture(scope="module")
def busy(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five therapists, each with five clients and four reflections on each; closed, for each test to copy."""
    folder = Path(shutil.copytree(founded, tmp_path_factory.mktemp("busy") / "practice"))
    there = reopened(folder)
    for each in (
        *(let_in(there, account) for account in FIVE[:2]),
        *(colleague(there, each) for each in FIVE[2:]),
    ):
        worked(each)
    there.close()
    return folder


@pytest.fixture
def cast(founded: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cast]:
    """Those of all tests; of the busy practice where a test is about that."""
    source = request.getfixturevalue("busy") if "clinic" in request.fixturenames else founded
    everybody = reopened(Path(shutil.copytree(source, tmp_path / "practice")))
    yield everybody
    everybody.close()


@pytest.fixture
def clinic(cast: Cast) -> list[Practice]:
    """The five therapists, unlocked."""
    cast.first.unlock(PHRASES["T-1"])
    return [cast.first, *(let_in(cast, account) for account in FIVE[1:])]


def rows_of(practices: Sequence[Practice]) -> pl.DataFrame:
    """All their reflections, clients told apart by whose they are."""
    own = [each.own_tables().reflections for each in practices]
    whose = pl.concat_str("therapist", "client", separator=" ")
    return pl.concat(own).with_columns(client=whose)


def body(cast: Cast) -> str:
    """Everything in the record's tables, as text."""
    with cast.first.house.record.reading() as rows:
        return "\n".join(
            str(row) for table in tables.kept(tables.RECORD) for row in rows.all(sa.select(table))
        )


# -- the same numbers


def test_what_therapists_sign_out_gives_the_same_estimates_as_all_their_rows(
    cast: Cast, clinic: list[Practice]
) -> None:
    for each in clinic:
        signed(each)
    pooled = cast.admin.publish_norm("Elm House")
    whole = publish(rows_of(clinic), site="Elm House", since=SINCE, until=UNTIL, seed=1)
    assert pooled.measures == whole.measures == FACTORS[::-1]
    for measure in FACTORS:
        ours, theirs = pooled.fit(measure), whole.fit(measure)
        for name in ("mean", "error", "habits", "clients", "hours", "loglik"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-9, abs=1e-9)


def test_what_is_published_is_a_file_of_norms_that_others_can_load(
    cast: Cast, clinic: list[Practice]
) -> None:
    for each in clinic:
        signed(each)
    pooled = cast.admin.publish_norm("Elm House")
    assert load(dump(pooled)) == pooled
    assert pooled.therapists("negative") == 5


def test_those_who_come_later_are_added_when_there_are_five_of_them(
    cast: Cast, clinic: list[Practice]
) -> None:
    for each in clinic:
        signed(each)
    first = cast.admin.publish_norm("Elm House")
    later = [colleague(cast, f"T-1{place}") for place in range(5)]
    for place, each in enumerate(later):
        worked(each)
        signed(each)
        if place < 4:
            with pytest.raises(TooLittle, match="Fewer than five"):
                cast.admin.publish_norm("Elm House")
            assert cast.admin.pooled().norms == first
    both = cast.admin.publish_norm("Elm House")
    whole = publish(rows_of([*clinic, *later]), site="Elm House", since=SINCE, until=UNTIL, seed=1)
    assert both.fit("negative").mean == pytest.approx(whole.fit("negative").mean, rel=1e-9)


# -- nothing of one client, nothing of one therapist


def test_no_clients_sum_or_answer_is_in_what_is_signed_out(cast: Cast) -> None:
    alone = cast.second
    alone.unlock(PHRASES["T-2"])
    worked(alone)
    planted = 7.654321
    for session in range(1, SESSIONS + 1):
        alone.reflect(
            "K-0", session, Reflection(connection=4, feelings={"tense": planted, "curious": planted})
        )
    signed(alone)
    there = [
        number
        for row in _signed(cast)
        for number in json.loads(row["body"]).values()
        if isinstance(number, float)
    ]
    assert len(there) == 3 * len(_signed(cast)) == 6
    laid = strengths(alone.own_tables().reflections, POSITIVE, NEGATIVE)
    for client in laid.partition_by("client", "feeling"):
        felt = client["strength"].to_numpy()
        for middle in (0.0, 5.0, float(felt.mean())):
            off = felt - middle
            for told in (off.mean(), off.sum(), (off**2).sum(), (off**2).mean(), planted):
                assert abs(told) < 1e-9 or not np.isclose(there, told, rtol=1e-7).any()
    text = str(_signed(cast))
    assert "K-0" not in text
    assert str(planted) not in body(cast)


def _signed(cast: Cast) -> list[dict[str, Any]]:
    with cast.first.house.record.reading() as rows:
        return rows.all(sa.select(tables.signed))


def test_what_was_added_is_kept_of_nobody_alone(cast: Cast, clinic: list[Practice]) -> None:
    given = [number for each in clinic for number in signed(each)]
    before = body(cast)
    assert all(repr(each.mean) in before for each in given)
    cast.admin.publish_norm("Elm House")
    after = body(cast)
    for each in given:
        assert not any(repr(number) in after for number in (each.mean, each.clients, each.hours))
    assert all(each.numbers is None for who in clinic for each in who.signed_out())


def test_fewer_than_five_are_told_of_nobody(cast: Cast, clinic: list[Practice]) -> None:
    for each in clinic[:4]:
        signed(each)
    with pytest.raises(TooLittle, match="Fewer than five therapists"):
        cast.admin.publish_norm("Elm House")
    pooled = cast.admin.pooled()
    assert all(isinstance(each, NotYet) for each in pooled.findings)
    assert "therapists who have signed out and are not added yet: 4; from 5 on" in pooled.findings[0].sentence
    assert not pooled.ready


def test_a_feeling_of_fewer_than_five_is_left_out_and_goes_on_waiting(
    cast: Cast, clinic: list[Practice]
) -> None:
    for each in clinic[:4]:
        signed(each)
    clinic[4].sign_out([each for each in clinic[4].to_sign_out(1) if each.measure == "negative"])
    assert cast.admin.publish_norm("Elm House").measures == ("negative",)
    assert {each.measure for each in clinic[0].signed_out() if each.numbers} == {"positive"}
    positive, negative = cast.admin.pooled().findings
    assert isinstance(positive, NotYet)
    assert isinstance(negative, Finding)
    assert "5 therapists who chose to take part" in negative.limits[0]


def test_a_manager_sees_the_same_whether_there_are_no_notes_or_many(cast: Cast) -> None:
    before = repr(cast.admin.pooled())
    cast.first.unlock(PHRASES["T-1"])
    worked(cast.first)
    assert repr(cast.admin.pooled()) == before
    assert cast.first.to_sign_out()
    assert repr(cast.admin.pooled()) == before


def test_feelings_stand_nowhere_in_the_record_but_as_sums_that_were_signed_out(
    cast: Cast, clinic: list[Practice]
) -> None:
    assert not any(word in body(cast) for word in WORDS)
    given = signed(clinic[0])
    left = body(cast)
    assert not any(word in left for word in WORDS)
    assert left.count("between") == 0
    assert left.count('"mean"') == len(given) == 2


def test_looking_at_what_could_be_signed_out_leaves_nothing_in_the_record(
    cast: Cast, clinic: list[Practice]
) -> None:
    entries = cast.first.house.record.tip
    assert clinic[0].to_sign_out()
    assert cast.first.house.record.tip == entries


# -- one's own to give, and to take back


def test_what_waits_can_be_taken_back_and_what_was_added_cannot(cast: Cast, clinic: list[Practice]) -> None:
    for each in clinic:
        signed(each)
    first = clinic[0]
    first.take_back_signed(first.signed_out()[0].id)
    assert len(first.signed_out()) == 1
    first.sign_out(first.to_sign_out(1))
    assert len(first.signed_out()) == 2
    cast.admin.publish_norm("Elm House")
    with pytest.raises(InputError, match="nobody's can be found again"):
        first.take_back_signed(first.signed_out()[0].id)


def test_somebody_elses_reads_like_one_that_is_not_there(clinic: list[Practice]) -> None:
    signed(clinic[0])
    theirs = clinic[0].signed_out()[0].id
    said = set()
    for which in (theirs, "no such id"):
        with pytest.raises(Refused) as no:
            clinic[1].take_back_signed(which)
        said.add(str(no.value))
    assert len(said) == 1
    assert clinic[1].signed_out() == ()


def test_a_therapist_counts_once_until_the_norms_begin_anew(cast: Cast, clinic: list[Practice]) -> None:
    for each in clinic:
        numbers = signed(each)
    cast.admin.publish_norm("Elm House")
    last = clinic[-1]
    assert last.to_sign_out() == ()
    with pytest.raises(InputError, match="a therapist counts once"):
        last.sign_out(numbers)
    cast.admin.retire_norm(cast.admin.pooled().id)
    assert cast.admin.pooled().norms is None
    assert last.to_sign_out() == ()  # these were summed once, and are not again
    cast.hands.pass_by(timedelta(days=30))
    last.unlock(PHRASE)
    worked(last, day=10)
    assert len(last.to_sign_out()) == 2


def test_without_clients_enough_there_is_nothing_to_sign_out(cast: Cast) -> None:
    cast.first.unlock(PHRASES["T-1"])
    worked(cast.first, clients=4)
    assert cast.first.to_sign_out() == ()
    with pytest.raises(InputError, match="nothing to sign out"):
        cast.first.sign_out(())


def test_sums_that_would_tell_on_every_client_are_not_offered(cast: Cast) -> None:
    cast.first.unlock(PHRASES["T-1"])
    worked(cast.first)
    for client in range(CLIENTS):
        for session in range(1, SESSIONS + 1):
            always = Reflection(connection=4, feelings={"tense": float(client)})
            cast.first.reflect(f"K-{client}", session, always)
    assert cast.first.to_sign_out() == ()


def test_who_is_locked_signs_nothing_out(clinic: list[Practice]) -> None:
    numbers = clinic[0].to_sign_out()
    clinic[0].lock()
    for act in (clinic[0].to_sign_out, lambda: clinic[0].sign_out(numbers)):
        with pytest.raises(Locked):
            act()


@pytest.mark.parametrize("event", ["destroyed", "erased", "left"])
def test_what_waits_ends_with_what_it_was_summed_from_or_with_who_signed(
    cast: Cast, clinic: list[Practice], event: str
) -> None:
    for each in clinic:
        signed(each)
    assert cast.admin.pooled().ready
    if event == "destroyed":
        clinic[4].destroy_reflection("K-0", 1)
    elif event == "erased":
        clinic[4].erase("K-0")
    else:
        cast.admin.end_account(clinic[4].who.code)
    assert not cast.admin.pooled().ready
    with pytest.raises(TooLittle):
        cast.admin.publish_norm("Elm House")
    if event != "left":
        assert clinic[4].signed_out() == ()
    another = colleague(cast, "T-6")
    worked(another)
    signed(another)
    assert cast.admin.publish_norm("Elm House").therapists("negative") == 5
    assert {row["kind"] for row in _signed(cast)} == {"added"}


# -- norms of others


def test_a_loaded_norm_is_in_force_until_another_takes_its_place_or_it_is_retired(cast: Cast) -> None:
    assert cast.first.norms_in_force() == ()
    first = cast.first.load_norm(dump(elsewhere()).encode())
    (there,) = cast.supervisor.norms_in_force()
    assert (there.norms, there.id, there.by) == (elsewhere(), first.id, "T-1")
    second = cast.admin.load_norm(dump(elsewhere("Oak House", 4)).encode())
    assert [each.id for each in cast.first.norms_in_force()] == [second.id]
    with pytest.raises(InputError, match="loaded by A-1"):
        cast.first.retire_norm(second.id)
    cast.admin.retire_norm(second.id)
    assert cast.first.norms_in_force() == ()
    with pytest.raises(Refused):
        cast.admin.retire_norm(second.id)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no text in UTF-8"),
        (b"{}", "attunement_norms is missing"),
        (b" " * 4_000_001, "larger than"),
    ],
)
def test_what_is_no_file_of_norms_is_not_taken(cast: Cast, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        cast.first.load_norm(content)
    assert cast.first.norms_in_force() == ()


def test_norms_of_something_else_are_not_taken(cast: Cast) -> None:
    other = Norms(About("mood", "1", 0.0, 10.0), elsewhere().parts)
    with pytest.raises(InputError, match="These norms are of mood"):
        cast.first.load_norm(dump(other).encode())


def test_ones_own_practice_is_left_out_of_norms_that_are_loaded(cast: Cast, clinic: list[Practice]) -> None:
    for each in clinic:
        signed(each)
    ours = cast.admin.publish_norm("Elm House")
    both = Norms(ours.about, (*ours.parts, *elsewhere().parts))
    assert [part.site for part in cast.first.load_norm(dump(both).encode()).norms.parts] == ["Ash House"]
    with pytest.raises(InputError, match="norms of this practice itself"):
        cast.first.load_norm(dump(ours).encode())
    assert [part.site for each in cast.first.norms_in_force() for part in each.norms.parts] == ["Ash House"]


def test_the_practices_own_norms_are_not_a_therapists_to_retire(cast: Cast, clinic: list[Practice]) -> None:
    for each in clinic:
        signed(each)
    cast.admin.publish_norm("Elm House")
    with pytest.raises(Refused):
        cast.first.retire_norm(cast.admin.pooled().id)


def test_against_a_loaded_norm_a_therapist_alone_is_told_a_habit(cast: Cast) -> None:
    cast.first.unlock(PHRASES["T-1"])
    worked(cast.first, sessions=6)
    cast.first.load_norm(dump(elsewhere(usual=1.0)).encode())
    (there,) = cast.first.norms_in_force()
    found = habitual(cast.first.own_tables().reflections, there.norms, feeling="negative")
    assert isinstance(found, Finding)
    assert "8 therapists of Ash House, 2026" in found.sentence
