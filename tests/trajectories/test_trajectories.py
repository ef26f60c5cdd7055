"""Depth, speed and state: what a therapist is told, and when nothing can be told yet."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
import pytest

from attunement.errors import ColumnProblem, InputError, TooLittle
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.trajectories import STATES, Caseload, Measure, Trajectory, guess_scale, trajectories

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TEN = Measure(0, 10)


def caseload_of(
    ratings: Mapping[str, Sequence[float | None]],
    measure: Measure = TEN,
    prior: Literal["published"] | None = "published",
) -> Caseload:
    rows = [
        (client, session, score)
        for client, scores in ratings.items()
        for session, score in enumerate(scores, start=1)
    ]
    table = pl.DataFrame(rows, schema=["client", "session", "score"], orient="row")
    return trajectories(table, measure, prior=prior)


def usual(clients: int = 20, sessions: int = 10) -> dict[str, list[float | None]]:
    """Clients whose connection grows as it usually does, with ordinary noise."""
    random = np.random.default_rng(11)
    found: dict[str, list[float | None]] = {}
    for client in range(clients):
        level, slope = random.normal(6.3, 0.9), random.normal(0.35, 0.1)
        found[f"u{client}"] = [
            float(np.clip(level + slope * math.log2(s) + random.normal(0, 0.5), 0, 10))
            for s in range(1, sessions + 1)
        ]
    return found


def one(caseload: Caseload, client: str) -> Trajectory:
    return next(each for each in caseload if each.client == client)


@pytest.fixture(scope="module")
def practice() -> Caseload:
    return caseload_of(
        usual()
        | {
            "falls": [6, 6.5, 7, 7.2, 7.4, 7.5, 7.3, 6.0, 4.8, 3.5],
            "stalls": [3.6, 3.2, 3.5, 3.3, 3.6, 3.4, 3.2, 3.5, 3.3, 3.4],
            "slow": [4.1, 4.3, 4.6, 4.8, 5.1, 5.3, 5.4, 5.6, 5.9, 6.0],
            "deep": [8.2, 8.5, 8.7, 8.8, 9.0, 8.9, 9.1, 9.0, 9.2, 9.1],
            "new": [6.0, 6.4],
        }
    )


def test_who_falls_is_called_falling_and_stands_first(practice: Caseload) -> None:
    assert practice.trajectories[0].client in {"falls", "stalls"}
    falls = one(practice, "falls")
    assert falls.shown[0][0] == "falling"
    assert falls.shown[0][1] > 0.9
    assert isinstance(falls.state, Finding)
    assert falls.state.estimate.high < 0
    assert falls.wants_a_look


def test_who_stays_far_below_is_called_stalled(practice: Caseload) -> None:
    assert one(practice, "stalls").shown[0][0] == "stalled"
    assert one(practice, "stalls").wants_a_look


def test_slow_is_normal_and_wants_no_look(practice: Caseload) -> None:
    slow = one(practice, "slow")
    assert {state for state, _ in slow.shown} <= {"slow", "forming"}
    assert not slow.wants_a_look


def test_who_is_deep_is_established_early(practice: Caseload) -> None:
    deep = one(practice, "deep")
    assert deep.shown[0][0] == "established"
    assert isinstance(deep.speed, Finding)
    assert deep.speed.estimate.value <= 2
    assert deep.on_course


def test_a_late_fall_is_not_smoothed_away(practice: Caseload) -> None:
    depth = one(practice, "falls").depth
    assert isinstance(depth, Finding)
    assert depth.estimate.value < 5.0


def test_two_sessions_are_too_early_for_a_state_but_not_for_a_depth(practice: Caseload) -> None:
    new = one(practice, "new")
    assert isinstance(new.state, NotYet)
    assert "2 rated sessions so far" in new.state.sentence
    assert isinstance(new.depth, Finding)
    assert new.word == "too early to tell"


def test_probabilities_of_the_states_add_to_one(practice: Caseload) -> None:
    for each in practice:
        assert each.states is not None
        assert sum(each.states.values()) == pytest.approx(1.0)
        assert min(each.states.values()) >= 0.0


def test_every_number_stays_on_the_scale_and_has_its_interval(practice: Caseload) -> None:
    for each in practice:
        assert isinstance(each.depth, Finding)
        estimate = each.depth.estimate
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 10
        assert (
            each.curve().select(pl.col("low", "connection", "high").is_between(0, 10).all()).row(0)
            == (True,) * 3
        )


def test_the_frame_has_a_row_a_dyad_and_says_what_the_findings_say(practice: Caseload) -> None:
    frame = practice.frame()
    assert frame.height == len(practice)
    first = frame.row(0, named=True)
    depth = practice.trajectories[0].depth
    assert isinstance(depth, Finding)
    assert first["depth"] == depth.estimate.value
    assert {f"p_{state}" for state in STATES} <= set(frame.columns)


def test_the_band_widens_with_sessions_and_holds_most_clients(practice: Caseload) -> None:
    band = practice.band
    width = (band["high"] - band["low"]).to_list()
    assert width[-1] >= width[0]
    inside = [
        band["low"][each.now - 1] <= each.depth.estimate.value <= band["high"][each.now - 1]
        for each in practice
        if each.client.startswith("u") and isinstance(each.depth, Finding)
    ]
    assert np.mean(inside) > 0.6


def test_the_connected_share_has_an_interval_and_a_sentence(practice: Caseload) -> None:
    found = practice.connected
    assert isinstance(found, Finding)
    assert 0 < found.estimate.low <= found.estimate.value <= found.estimate.high < 1
    assert f"{100 * found.estimate.value:.0f} in 100" in found.sentence


def test_without_a_prior_few_clients_get_a_not_yet_and_no_crash() -> None:
    caseload = caseload_of({"a": [5, 6, 7, 7], "b": [6, 6, 6.5]}, prior=None)
    assert isinstance(caseload.model, NotYet)
    assert isinstance(caseload.shares, NotYet)
    assert isinstance(caseload.connected, NotYet)
    for each in caseload:
        assert isinstance(each.depth, NotYet)
        assert isinstance(each.speed, NotYet)
        assert isinstance(each.state, NotYet)
        assert isinstance(each.plateau, NotYet)
    assert caseload.frame().height == 2


@pytest.mark.parametrize(
    "ratings",
    [
        {"a": [5.0, 6.0, 7.0, 7.0], "b": [6.0, 6.0, 6.5]},
        {"a": [4.0, 5.0]},
        {"a": [8.0], "b": [3.0]},
        {"a": [5.0 + session % 3 for session in range(60)]},
    ],
)
def test_from_published_figures_one_client_is_enough_for_an_answer(ratings: dict[str, list[float]]) -> None:
    caseload = caseload_of(ratings)
    for each in caseload:
        assert isinstance(each.depth, Finding)
        assert each.depth.estimate.low < each.depth.estimate.value < each.depth.estimate.high
        assert each.states is not None
        assert sum(each.states.values()) == pytest.approx(1)
    assert any("published figures" in limit for limit in caseload.limits)
    assert isinstance(caseload.shares, NotYet)


def test_a_client_who_was_rated_more_often_is_known_better() -> None:
    caseload = caseload_of({"often": [6.0, 6.5, 6.0, 7.0, 6.5, 7.0, 6.5, 7.0], "once": [6.5]})
    width = {
        each.client: each.depth.estimate.high - each.depth.estimate.low
        for each in caseload
        if isinstance(each.depth, Finding)
    }
    assert width["often"] < 0.8 * width["once"]


def test_the_prior_is_put_on_the_scale() -> None:
    ten = caseload_of({"a": [5.0, 6.0, 7.0], "b": [6.0, 8.0, 7.0]})
    forty = caseload_of({"a": [20.0, 24.0, 28.0], "b": [24.0, 32.0, 28.0]}, Measure(0, 40))
    for small, large in zip(ten, forty, strict=True):
        assert isinstance(small.depth, Finding)
        assert isinstance(large.depth, Finding)
        assert large.depth.estimate.value == pytest.approx(4 * small.depth.estimate.value, rel=1e-3)
        assert large.depth.estimate.low == pytest.approx(4 * small.depth.estimate.low, rel=1e-2)


def test_one_session_each_gets_a_not_yet() -> None:
    caseload = caseload_of({f"c{i}": [float(i % 7)] for i in range(30)})
    assert isinstance(caseload.model, NotYet)


def test_equal_scores_are_said_to_be_so() -> None:
    with pytest.raises(TooLittle, match="All 6 scores are 7"):
        caseload_of({"a": [7, 7, 7], "b": [7, 7, 7]})


def test_a_score_beyond_the_scale_is_refused() -> None:
    with pytest.raises(TooLittle, match="1 score lies outside the scale 0 to 10"):
        caseload_of({"a": [7, 12], "b": [5, 6]})


def test_no_score_at_all_is_refused() -> None:
    with pytest.raises(TooLittle, match="No session has a score"):
        caseload_of({"a": [None, None]})


def test_a_missed_check_in_is_left_out_and_the_count_goes_on() -> None:
    ratings = usual() | {"gap": [6.0, None, None, 7.0, 7.2]}
    gap = one(caseload_of(ratings), "gap")
    assert gap.rated.tolist() == [1, 4, 5]
    assert gap.now == 5
    assert gap.curve()["rating"].to_list() == [6.0, None, None, 7.0, 7.2]


def test_the_saturating_shape_has_a_plateau_and_the_others_say_why_not() -> None:
    random = np.random.default_rng(2)
    steep = {
        f"c{i}": [
            float(5 + random.normal(0, 0.5) + 4 * (1 - 1 / s) + random.normal(0, 0.15)) for s in range(1, 13)
        ]
        for i in range(15)
    }
    caseload = caseload_of(steep, prior=None)
    assert not isinstance(caseload.model, NotYet)
    assert caseload.model.shape.name == "saturating"
    plateau = caseload.trajectories[0].plateau
    assert isinstance(plateau, Finding)
    assert plateau.estimate.value == pytest.approx(9, abs=1.2)
    straight = caseload_of(usual(), prior=None)
    plateau = straight.trajectories[0].plateau
    assert isinstance(plateau, NotYet)


@pytest.mark.parametrize(
    ("shape", "course"),
    [("linear", lambda s: 0.3 * s), ("saturating", lambda s: 4 * (1 - 1 / s)), ("log2", math.log2)],
)
def test_whatever_its_shape_a_caseload_comes_back_from_another_process(
    shape: str, course: Callable[[int], float]
) -> None:
    random = np.random.default_rng(2)
    levels = random.normal(5, 0.5, 15)
    rated = {
        f"c{i}": [float(level + course(s) + random.normal(0, 0.15)) for s in range(1, 13)]
        for i, level in enumerate(levels)
    }
    caseload = caseload_of(rated, prior=None)
    assert not isinstance(caseload.model, NotYet)
    assert caseload.model.shape.name == shape
    returned = pickle.loads(pickle.dumps(caseload))  # noqa: S301 - our own
    assert returned.frame().equals(caseload.frame())


def test_one_therapists_caseload_keeps_what_is_usual_in_the_whole_table() -> None:
    practice = simulate(6, 8, seed=3)
    whole = trajectories(practice.ratings, TEN)
    own = whole.of("T2")
    assert {each.therapist for each in own} == {"T2"}
    assert own.model is whole.model
    with pytest.raises(ColumnProblem, match="No session was given by"):
        whole.of("nobody")


def test_nothing_compares_therapists() -> None:
    caseload = trajectories(simulate(8, 8, seed=3).ratings, TEN)
    assert isinstance(caseload.shares, Finding)
    assert not any(f"T{i}" in caseload.shares.sentence for i in range(1, 9))
    assert "therapist" in caseload.shares.evidence["source"].to_list()
    assert not caseload.shares.evidence["source"].str.starts_with("T").any()


def test_a_client_with_two_therapists_is_two_dyads_and_one_client() -> None:
    caseload = trajectories(simulate(6, 10, seed=5, transfer_share=0.5).ratings, TEN)
    assert isinstance(caseload.shares, Finding)
    assert "dyad" in caseload.shares.evidence["source"].to_list()
    assert any(" with T" in each.name for each in caseload)


def test_the_same_table_gives_the_same_numbers_in_any_order() -> None:
    ratings = simulate(1, 12, seed=9).ratings
    forward, shuffled = (
        trajectories(ratings, TEN),
        trajectories(ratings.sample(fraction=1.0, shuffle=True, seed=1), TEN),
    )
    assert forward.frame().equals(shuffled.frame())


def test_ceilings_are_said() -> None:
    many = {client: [min((score or 0) + 3, 10.0) for score in scores] for client, scores in usual().items()}
    assert any("top of the scale" in limit for limit in caseload_of(many).limits)


def test_depth_holds_the_truth_about_as_often_as_it_says() -> None:
    """The benchmark prints the coverage over many practices; this is its short form."""
    held = []
    for seed in range(8):
        practice = simulate(1, 30, seed=200 + seed)
        truth = {
            (row["client"], row["session"]): row["connection"] for row in practice.truth.iter_rows(named=True)
        }
        for each in trajectories(practice.ratings, TEN):
            assert isinstance(each.depth, Finding)
            held.append(
                each.depth.estimate.low
                <= min(max(truth[each.client, each.now], 0), 10)
                <= each.depth.estimate.high
            )
    assert np.mean(held) > 0.87


@pytest.mark.parametrize(
    ("low", "high", "established", "said"),
    [
        (10, 0, 5, "from low to high"),
        (0, 10, 10, "Established lies on the scale"),
        (0, 10, -1, "Established lies"),
    ],
)
def test_a_scale_that_is_none_is_refused(low: float, high: float, established: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Measure(low, high, established)


@pytest.mark.parametrize(
    ("scores", "scale"),
    [
        ([1, 4, 5], (1, 5)),
        ([0, 9.5], (0, 10)),
        ([3, 88], (0, 100)),
        ([-40, 260], (-40, 260)),
        ([36, 40], (0, 40)),
    ],
)
def test_a_scale_is_guessed_as_the_narrowest_usual_one(
    scores: list[float], scale: tuple[float, float]
) -> None:
    assert guess_scale(pl.Series(scores, dtype=pl.Float64)) == scale


def test_two_dyads_are_never_taken_for_one_whatever_their_codes() -> None:
    rows = [("A", "B × C"), ("A × B", "C"), ("A", "1 A"), ("1 A", "A")]
    table = pl.DataFrame(
        [(therapist, client, session, 3.0 + session + place) for place, (therapist, client) in enumerate(rows)
         for session in (1, 2, 3)],
        schema=["therapist", "client", "session", "score"], orient="row",
    )  # fmt: skip
    assert len(trajectories(table, TEN)) == 4


def test_the_frame_has_the_same_types_whatever_can_be_told() -> None:
    little, much = caseload_of({"a": [5, 6]}), caseload_of(usual())
    assert little.frame().schema == much.frame().schema


def test_a_long_course_of_one_client_says_what_is_missing_and_not_that_it_is_short() -> None:
    caseload = caseload_of({"a": [5 + session % 3 for session in range(60)]}, prior=None)
    assert isinstance(caseload.connected, NotYet)
    assert "1 client with two rated sessions" in caseload.connected.sentence
    assert caseload.trajectories[0].word == "not yet"


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_ratings_without_any_noise_are_no_fault(slope: float) -> None:
    exact = {f"c{i}": [2 + i * 0.5 + s * slope for s in range(1, 7)] for i in range(8)}
    for each in caseload_of(exact, prior=None):
        assert isinstance(each.depth, Finding)
        assert each.depth.estimate.value == pytest.approx(each.score[-1], abs=0.05)
