"""Ruptures: expectation from earlier ratings alone, one alert an episode, an error rate that is kept to."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attunement.errors import ColumnProblem, InputError
from attunement.findings import Finding, NotYet
from attunement.mixed.ahead import ahead
from attunement.ruptures import Alarm, Ruptures, ruptures
from attunement.ruptures.alarm import QUIET_MEAN, QUIET_SD, alarm
from attunement.ruptures.episodes import watched
from attunement.ruptures.foreseen import Foreseen, foreseen
from attunement.ruptures.rules import RULES, below_36, dropped, own_2sd, v_shape
from attunement.simulate import SimulatedPractice, simulate
from attunement.trajectories import Caseload, Measure, trajectories

MEASURE = Measure(0, 10)


@pytest.fixture(scope="module")
def practice() -> SimulatedPractice:
    return simulate(1, 60, seed=8)


@pytest.fixture(scope="module")
def caseload(practice: SimulatedPractice) -> Caseload:
    return trajectories(practice.ratings, MEASURE)


@pytest.fixture(scope="module")
def found(caseload: Caseload) -> Ruptures:
    return ruptures(caseload)


def steady(scores: list[float], sessions: list[int] | None = None) -> Foreseen:
    """A dyad of whom 7 is expected, with a noise of 1 and a level known to 1."""
    score, many = np.array(scores), len(scores)
    session = np.array(sessions or range(1, many + 1), dtype=float)
    covariance = np.ones((many, many)) + np.eye(many)
    return Foreseen("T1", "K-07", session, score, np.full((1, many), 7.0), covariance[None])


ALARM = Alarm(0.05, watch=1.28, rupture=1.96, rate=0.05, sd=1.1)


# -- what is to be expected


def test_a_prediction_is_nearly_the_engines_own_which_takes_the_usual_course_as_known(
    caseload: Caseload,
) -> None:
    fit = caseload.model.fit  # type: ignore[union-attr]
    theirs = ahead(fit, caseload.rated, series="dyad", position="session")  # type: ignore[arg-type]
    for each in foreseen(caseload.rated, caseload.model):  # type: ignore[arg-type]
        of_dyad = theirs.filter(pl.col("client") == each.client).sort("session")
        expected, sd, _ = each.ahead()
        assert expected == pytest.approx(of_dyad["expected"].to_numpy(), abs=0.2)
        assert sd == pytest.approx(of_dyad["sd"].to_numpy(), rel=0.05)


def test_later_ratings_change_no_earlier_prediction() -> None:
    early, late = steady([7, 6, 8, 5, 7]), steady([7, 6, 8, 5, 0])
    assert early.ahead()[2][:4] == pytest.approx(late.ahead()[2][:4])


def test_a_prediction_from_all_earlier_ratings_is_the_same_either_way() -> None:
    dyad = steady([7, 6, 8, 5, 7])
    expected, sd, z = dyad.ahead()
    for at in range(5):
        assert dyad.given(np.ones(5, dtype=bool), at) == pytest.approx((expected[at], sd[at], z[at]))


def test_ratings_made_from_surprises_give_the_surprises_back() -> None:
    dyad = steady([7.0] * 6)
    surprises = np.random.default_rng(1).normal(size=(4, 6))
    assert dyad.ahead(dyad.drawn(surprises))[2] == pytest.approx(surprises)


def test_a_small_practice_allows_for_not_knowing_its_variances() -> None:
    small = trajectories(simulate(1, 6, seed=2).ratings, MEASURE)
    for each in foreseen(small.rated, small.model):  # type: ignore[arg-type]
        assert each.mean.shape[0] > 100
        assert np.isfinite(each.ahead()[2]).all()


# -- thresholds


@given(budget=st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2]))
@settings(max_examples=5, deadline=None)
def test_thresholds_keep_to_their_budget(caseload: Caseload, budget: float) -> None:
    dyads = tuple(foreseen(caseload.rated, caseload.model))  # type: ignore[arg-type]
    limits = alarm(dyads, (0, 10), budget)
    assert budget - 0.005 < limits.rate <= budget


def test_a_greater_budget_sees_more(caseload: Caseload) -> None:
    dyads = tuple(foreseen(caseload.rated, caseload.model))  # type: ignore[arg-type]
    strict, loose = alarm(dyads, (0, 10), 0.01), alarm(dyads, (0, 10), 0.10)
    assert loose.rupture < strict.rupture
    assert loose.power(1.0, 1.0) > strict.power(1.0, 1.0)


@pytest.mark.parametrize("budget", [0.0, 0.3, float("nan")])
def test_a_budget_beyond_reason_is_refused(caseload: Caseload, budget: float) -> None:
    with pytest.raises(InputError, match=r"a share from \.005 to \.25"):
        ruptures(caseload, budget=budget)


def test_the_power_that_is_told_is_the_power_there_is() -> None:
    rng = np.random.default_rng(3)
    surprise = rng.normal(QUIET_MEAN, QUIET_SD, 200_000)
    for drop in (0.5, 1.0, 2.0):
        seen = float((surprise - drop <= -ALARM.rupture).mean())
        assert ALARM.power(drop, 1.0) == pytest.approx(seen, abs=0.005)


def test_powers_are_told_for_three_drops() -> None:
    told = ALARM.powers(1.4)
    assert told["points"].to_list() == pytest.approx([0.55, 1.1, 2.2])
    assert told["power"].is_sorted()


# -- episodes


def test_a_quiet_course_has_no_episode() -> None:
    assert watched(steady([7, 7, 6.5, 7.5, 7]), ALARM).episodes == ()


def test_a_first_session_has_nothing_to_tear() -> None:
    assert watched(steady([1, 4, 4, 4]), ALARM).episodes == ()


def test_a_tear_that_comes_back_is_one_alert_and_a_repair() -> None:
    seen = watched(steady([7, 7, 7, 2, 3, 7, 7, 7]), ALARM)
    assert [(each.began, each.alerted, each.lowest, each.back, each.closed, each.how) for each in seen.episodes] == [
        (3, 3, 3, 5, 6, "repaired")
    ]  # fmt: skip


def test_two_low_ratings_in_a_row_are_an_alert_though_neither_alone_is() -> None:
    assert watched(steady([7, 7, 7, 5, 7, 7]), ALARM).episodes == ()
    both = watched(steady([7, 7, 7, 5, 4.6, 7]), ALARM).episodes
    assert [(each.began, each.alerted, each.how) for each in both] == [(3, 4, "open")]


def test_what_is_expected_during_a_rupture_is_what_was_expected_before() -> None:
    seen = watched(steady([7, 7, 7, 2, 2, 2]), ALARM)
    assert seen.expected[3:] == pytest.approx([7, 7, 7])


def test_a_fall_that_stays_is_a_new_level_and_not_an_alert_each_session() -> None:
    seen = watched(steady([7, 7, 7, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]), ALARM)
    assert [each.how for each in seen.episodes] == ["settled lower"]
    assert seen.expected[-1] < 4.5


def test_a_rupture_that_is_not_over_is_open() -> None:
    open_now = watched(steady([7, 7, 7, 2, 2]), ALARM).episodes[-1]
    nearly = watched(steady([7, 7, 7, 2, 7]), ALARM).episodes[-1]
    assert (open_now.how, open_now.back) == ("open", None)
    assert (nearly.how, nearly.back) == ("open", 4)


@given(
    scores=st.lists(st.floats(0, 10), min_size=1, max_size=25),
    gaps=st.lists(st.integers(1, 4), min_size=25, max_size=25),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_ratings_episodes_follow_one_another(scores: list[float], gaps: list[int]) -> None:
    sessions = np.cumsum(gaps[: len(scores)]).tolist()
    seen = watched(steady(scores, sessions), ALARM)
    ends = [-1]
    for each in seen.episodes:
        last = len(scores) - 1 if each.closed is None else each.closed
        assert ends[-1] < each.began <= each.alerted <= last
        assert each.began <= each.lowest <= last
        assert each.alerted - each.began <= 1
        assert (each.closed is None) == (each.how == "open")
        ends.append(last)
    assert all(each.how != "open" for each in seen.episodes[:-1])


# -- in words


def test_every_dyad_has_an_answer_and_every_number_an_interval(found: Ruptures) -> None:
    for each in found.looked:
        told = found.of(each.client)
        if each.sessions.size < 2:
            assert isinstance(told, NotYet)
            continue
        assert isinstance(told, Finding)
        assert told.estimate.low < told.estimate.value < told.estimate.high
        assert ("probable rupture" in told.sentence) == bool(each.watched.episodes)


def test_each_alert_states_how_often_it_is_wrong_and_what_it_would_see(found: Ruptures) -> None:
    torn = next(each for each in found.looked if each.watched.episodes)
    told = found.of(torn.client)
    assert isinstance(told, Finding)
    assert "Of 100 sessions where nothing is wrong, about 5 look like this." in told.sentence
    assert "would be seen at once in about" in " ".join(told.limits)


def test_the_whole_says_what_chance_alone_would_give(found: Ruptures) -> None:
    told = found.all
    assert isinstance(told, Finding)
    sessions = sum(each.sessions.size - 1 for each in found.looked)
    assert f"In {sessions} sessions where nothing is wrong, about {round(sessions * 0.05)}" in told.sentence
    assert found.rules()["rule"].to_list()[1:] == list(RULES)


def test_the_tables_agree_with_the_episodes(found: Ruptures) -> None:
    episodes, sessions = found.episodes, found.sessions
    assert episodes.height == sum(len(each.watched.episodes) for each in found.looked)
    assert sessions.filter(pl.col("episode").is_not_null()).height >= episodes.height
    assert (episodes["depth_low"] < episodes["depth"]).all()


def test_a_client_that_is_not_there_is_one_sentence(found: Ruptures) -> None:
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        found.of("nobody")


def test_a_client_of_two_therapists_is_asked_for_by_both() -> None:
    two = simulate(2, 12, seed=4, transfer_share=0.3)
    found = ruptures(trajectories(two.ratings, MEASURE))
    moved = two.clients.group_by("client").len().filter(pl.col("len") > 1)["client"][0]
    with pytest.raises(ColumnProblem, match="2 therapists met the client"):
        found.of(moved)
    assert found.of(moved, "T1").sentence


def test_where_nothing_can_be_expected_yet_nothing_is_said() -> None:
    few = trajectories(simulate(1, 3, seed=1).ratings, MEASURE, prior=None)
    found = ruptures(few)
    assert isinstance(found.all, NotYet)
    assert isinstance(found.of("whoever"), NotYet)
    assert found.episodes.is_empty()


# -- other signs


def test_signs_raise_what_is_found_and_not_what_is_quiet(
    practice: SimulatedPractice, caseload: Caseload
) -> None:
    alone, signed = ruptures(caseload), ruptures(caseload, signs=practice.signs)
    truth = practice.truth.select("therapist", "client", "session", "ruptured")
    key = ["therapist", "client", "session"]
    alerted = [
        each.episodes.select(*key[:2], session="alerted").join(truth, on=key) for each in (alone, signed)
    ]
    hits = [int(each["ruptured"].sum()) for each in alerted]
    wrong = [each.height - hit for each, hit in zip(alerted, hits, strict=True)]
    assert hits[1] > 1.3 * hits[0]
    assert wrong[1] <= wrong[0] + 5


def test_a_sign_alone_is_no_alert(practice: SimulatedPractice, caseload: Caseload) -> None:
    plain = ruptures(caseload).looked
    signed = ruptures(caseload, signs=practice.signs).looked
    both = [
        (a.watched, b.watched)
        for a, b in zip(plain, signed, strict=True)
        if not a.watched.episodes + b.watched.episodes
    ]
    assert len(both) > 20
    for without, with_signs in both:
        above = without.z >= 0
        assert with_signs.z[above] == pytest.approx(without.z[above])


def test_a_sign_may_be_called_anything_and_says_whose_it_is(
    practice: SimulatedPractice, caseload: Caseload
) -> None:
    called = practice.signs.rename({"hindering": "what got in the way (0-10)"})
    assert ruptures(caseload, signs=called).episodes.equals(ruptures(caseload, signs=practice.signs).episodes)
    with pytest.raises(ColumnProblem, match="signs: the column client is missing"):
        ruptures(caseload, signs=practice.signs.drop("client"))


def test_a_sign_that_nobody_gave_changes_nothing(practice: SimulatedPractice, caseload: Caseload) -> None:
    empty = practice.signs.with_columns(hindering=pl.lit(None, dtype=pl.Float64)).drop("distance")
    assert ruptures(caseload, signs=empty).episodes.equals(ruptures(caseload).episodes)


# -- the rules in use elsewhere


def test_the_rules_in_use_elsewhere_do_what_they_say() -> None:
    forty = Measure(0, 40)
    score = np.array([38.0, 37.0, 35.0, 39.0, 39.0, 20.0, 39.0])
    assert below_36(score, forty).nonzero()[0].tolist() == [2, 5]
    assert dropped(score, forty).nonzero()[0].tolist() == [1, 2, 5]
    assert own_2sd(score, forty).nonzero()[0].tolist() == [2, 5]
    assert v_shape(score, forty).nonzero()[0].tolist() == [5]


def test_the_one_point_rule_fires_in_a_quarter_of_quiet_sessions_or_more() -> None:
    rng = np.random.default_rng(5)
    quiet = 35 + rng.normal(0, 2, (2_000, 10))
    fired = np.mean([dropped(each, Measure(0, 40))[1:].mean() for each in quiet])
    assert fired >= 0.26  # 26 to 34 % on a scale of 40
