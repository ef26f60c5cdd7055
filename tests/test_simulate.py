"""A simulated practice is what it says it is: its truth adds up, and its figures are the published ones."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from attunement import frames
from attunement.errors import ModelProblem
from attunement.simulate import PARTS, TODAY, Published, SimulatedPractice, simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONG = 12  # sessions of every therapy in the large practice
DYAD = ["therapist", "client"]


@pytest.fixture(scope="module")
def solo() -> SimulatedPractice:
    return simulate(clients=40, seed=7)


@pytest.fixture(scope="module")
def large() -> SimulatedPractice:
    """Ten thousand clients; everything answered, nothing rounded or held to the scale: the model itself."""
    return simulate(
        2000, 5, seed=1, sessions=LONG, ceiling=False, settings=Published(missing_share=0, step=0)
    )


@pytest.fixture(scope="module")
def clinic() -> SimulatedPractice:
    return simulate(20, 30, seed=5, transfer_share=0.2)


@pytest.fixture(scope="module")
def planted() -> SimulatedPractice:
    return simulate(20, 50, seed=3, plant={"falling": 30, "stalled": 30, "slow": 30})


def by_client(practice: SimulatedPractice, column: str) -> NDArray[np.float64]:
    """(clients, sessions) of the large practice."""
    return practice.ratings[column].to_numpy().reshape(-1, LONG)


def share_between(rated: NDArray[np.float64]) -> float:
    within = float(rated.var(axis=1, ddof=1).mean())
    between = float(rated.mean(axis=1).var(ddof=1)) - within / LONG
    return between / (between + within)


def of_course(practice: SimulatedPractice, course: str) -> list[NDArray[np.float64]]:
    """The connection of each client with that course, session by session."""
    chosen = practice.truth.join(practice.clients.filter(course=course), on=DYAD)
    return [dyad["connection"].to_numpy() for dyad in chosen.partition_by(DYAD, maintain_order=True)]


class TestNumbers:
    def test_the_same_seed_gives_the_same_practice(self, solo: SimulatedPractice) -> None:
        again = simulate(clients=40, seed=7)
        assert again.ratings.equals(solo.ratings)
        assert again.truth.equals(solo.truth)
        assert again.clients.equals(solo.clients)

    def test_another_seed_gives_another_practice(self, solo: SimulatedPractice) -> None:
        assert not simulate(clients=40, seed=8).clients.equals(solo.clients)

    @pytest.mark.parametrize("name", ["solo", "clinic", "planted"])
    def test_ratings_hold_their_contract(self, name: str, request: pytest.FixtureRequest) -> None:
        ratings = request.getfixturevalue(name).ratings
        assert frames.ratings(ratings).equals(ratings)

    @pytest.mark.parametrize("name", ["solo", "clinic", "planted"])
    def test_truth_stands_beside_its_ratings_row_by_row(
        self, name: str, request: pytest.FixtureRequest
    ) -> None:
        practice = request.getfixturevalue(name)
        key = [*DYAD, "session"]
        assert practice.truth.select(key).equals(practice.ratings.select(key))

    @pytest.mark.parametrize("name", ["solo", "clinic", "planted"])
    def test_the_truth_adds_up_to_the_connection(self, name: str, request: pytest.FixtureRequest) -> None:
        truth = request.getfixturevalue(name).truth
        np.testing.assert_allclose(truth.select(PARTS).sum_horizontal(), truth["connection"], atol=1e-12)

    def test_a_dyad_walks_about_its_own_line(self, clinic: SimulatedPractice) -> None:
        rows = clinic.truth.join(clinic.clients, on=DYAD, maintain_order="left")
        line = pl.col("intercept") + pl.col("slope") * pl.col("session").log(2)
        told = rows.select(line + pl.col("of_drift") + pl.col("of_rupture")).to_series()
        np.testing.assert_allclose(told, rows["connection"], atol=1e-12)

    def test_a_practice_says_how_large_it_is(self) -> None:
        said = str(simulate(clients=1, seed=1, sessions=3))
        assert said == "A simulated practice (seed 1): 1 therapist, 1 client, 1 dyad, 3 sessions."

    def test_a_health_system_of_fifty_thousand_clients_takes_seconds(self) -> None:
        began = time.perf_counter()
        simulate(1000, 50, seed=1)
        assert time.perf_counter() - began < 10


class TestPublishedFigures:
    """Each within some three standard errors over ten thousand clients, as other seeds tell them."""

    def test_three_quarters_of_the_variance_lie_between_clients(self, large: SimulatedPractice) -> None:
        assert share_between(by_client(large, "score")) == pytest.approx(0.75, abs=0.02)

    def test_a_twentieth_of_the_variance_between_clients_is_the_therapists(
        self, large: SimulatedPractice
    ) -> None:
        level = pl.sum_horizontal("of_therapist", "of_client", "of_pairing")
        first = large.truth.filter(session=1).select(level.var(), part=pl.col("of_therapist").var())
        assert first["part"][0] / first["of_therapist"][0] == pytest.approx(0.05, abs=0.015)

    def test_a_third_session_is_rated_3_9_of_5(self, large: SimulatedPractice) -> None:
        assert by_client(large, "score")[:, 2].mean() / 2.5 + 1 == pytest.approx(3.9, abs=0.05)

    def test_within_a_client_ratings_vary_by_a_third_of_a_point_of_5(self, large: SimulatedPractice) -> None:
        within = np.sqrt(by_client(large, "score").var(axis=1, ddof=1).mean()) / 2.5
        assert within == pytest.approx(0.35, abs=0.02)

    def test_clients_rise_by_a_tenth_of_a_point_of_5_with_each_unit_of_log_session(self) -> None:
        calm = Published(rupture_chance=0, missing_share=0, step=0)
        rated = by_client(simulate(500, 20, seed=1, sessions=LONG, ceiling=False, settings=calm), "score")
        rise = np.polyfit(np.log(np.arange(1, LONG + 1)), rated.mean(axis=0), 1)[0] / 2.5
        assert rise == pytest.approx(0.10, abs=0.01)

    def test_one_rating_in_twenty_is_at_the_top_of_the_scale(self) -> None:
        ratings = simulate(500, 20, seed=1, sessions=LONG).ratings
        assert (ratings["score"] == 10).mean() == pytest.approx(0.06, abs=0.02)

    def test_about_a_fifth_of_sessions_are_ruptured(self, large: SimulatedPractice) -> None:
        assert large.truth["ruptured"].mean() == pytest.approx(0.20, abs=0.02)

    def test_therapies_last_13_sessions_in_the_mean_and_8_in_the_median(self) -> None:
        long_ago = Published(intake_weeks=5000)  # so that hardly any is still running
        sessions = simulate(10, 2000, seed=1, settings=long_ago).clients["sessions"]
        assert sessions.mean() == pytest.approx(12.9, abs=0.3)
        assert sessions.median() == pytest.approx(8, abs=1)

    def test_therapists_guess_below_the_client_by_the_published_d(self, large: SimulatedPractice) -> None:
        score, guess = by_client(large, "score"), by_client(large, "guess")
        assert (score - guess).mean() / score.std() == pytest.approx(0.63, abs=0.05)

    def test_guesses_tell_clients_apart_as_poorly_as_published(self, large: SimulatedPractice) -> None:
        score, guess = by_client(large, "score").mean(axis=1), by_client(large, "guess").mean(axis=1)
        assert np.corrcoef(score, guess)[0, 1] == pytest.approx(0.36, abs=0.04)

    def test_guesses_follow_a_clients_ups_and_downs_in_part(self, large: SimulatedPractice) -> None:
        score, guess = (
            by_client(large, side) - by_client(large, side).mean(axis=1, keepdims=True)
            for side in ("score", "guess")
        )
        assert 0.3 < np.corrcoef(score.ravel(), guess.ravel())[0, 1] < 0.5

    def test_the_share_of_skipped_check_ins_is_the_setting(self) -> None:
        ratings = simulate(10, 50, seed=1, sessions=LONG, settings=Published(missing_share=0.25)).ratings
        assert ratings["score"].is_null().mean() == pytest.approx(0.25, abs=0.03)
        assert ratings["guess"].null_count() == 0


class TestRuptures:
    def test_a_first_session_has_nothing_to_tear(self, large: SimulatedPractice) -> None:
        assert not large.truth.filter(session=1)["ruptured"].any()

    def test_a_ruptured_session_is_below_its_course(self, large: SimulatedPractice) -> None:
        depth = large.truth.filter("ruptured")["of_rupture"]
        assert depth.max() < 0  # type: ignore[operator] # a number, as the column is
        assert depth.min() >= -Published().rupture_depth[1]  # type: ignore[operator] # likewise

    def test_a_repaired_rupture_leaves_no_mark(self) -> None:
        truth = simulate(clients=200, seed=1, settings=Published(repair_chance=1)).truth
        assert (truth["ruptured"] == (truth["of_rupture"] < 0)).all()

    def test_a_repaired_rupture_is_a_v(self) -> None:
        long = Published(repair_chance=1, rupture_chance=0.02, rupture_depth=(1, 1), rupture_length=(3, 3))
        dips = simulate(clients=50, seed=1, sessions=20, settings=long).truth["of_rupture"].to_list()
        assert [-0.5, -1.0, -0.5, 0.0] in [dips[row : row + 4] for row in range(len(dips))]

    def test_the_mark_of_an_unrepaired_rupture_halves_in_its_half_life(self) -> None:
        torn = Published(repair_chance=0, rupture_chance=0.02, rupture_depth=(1, 1), rupture_length=(1, 1))
        dips = simulate(clients=50, seed=1, sessions=20, settings=torn).truth["of_rupture"].to_list()
        after = [
            dips[row + 4]
            for row in range(len(dips) - 4)
            if dips[row] == -1 and -1 not in dips[row + 1 : row + 5]
        ]
        assert -0.5 in after

    def test_no_ruptures_where_none_are_wanted(self) -> None:
        truth = simulate(seed=1, settings=Published(rupture_chance=0)).truth
        assert not truth["ruptured"].any()
        assert (truth["of_rupture"] == 0).all()


class TestPlantedCourses:
    def test_there_are_as_many_as_were_planted(self, planted: SimulatedPractice) -> None:
        counts = dict(planted.clients["course"].value_counts().iter_rows())
        assert counts == {"falling": 30, "stalled": 30, "slow": 30, "": 910}

    def test_they_are_still_in_therapy_after_eight_sessions_or_more(self, planted: SimulatedPractice) -> None:
        chosen = planted.clients.filter(pl.col("course") != "")
        assert chosen["sessions"].min() == 10
        assert not chosen["ended"].any()
        last = planted.ratings.join(chosen, on=DYAD).group_by(DYAD).agg(pl.col("time").dt.date().max())
        assert (last["time"] > TODAY - timedelta(days=7)).all()

    def test_a_planted_falling_client_truly_falls(self, planted: SimulatedPractice) -> None:
        for connection in of_course(planted, "falling"):
            assert (np.diff(connection[-5:]) < 0).all(), "without a break"
            assert connection[-7:].max() - connection[-1] > 3.5, "by a lot"
            assert connection[-7] > 7, "from an ordinary height"

    def test_a_planted_stalled_client_is_low_and_flat(self, planted: SimulatedPractice) -> None:
        for connection in of_course(planted, "stalled"):
            np.testing.assert_allclose(connection, Published().start - 3, atol=1e-9)

    def test_a_planted_slow_client_is_low_and_rises(self, planted: SimulatedPractice) -> None:
        for connection in of_course(planted, "slow"):
            assert (np.diff(connection) > 0).all()
            assert connection[0] == pytest.approx(Published().start - 3)
            assert connection[-1] < Published().start

    def test_no_rupture_blurs_them(self, planted: SimulatedPractice) -> None:
        chosen = planted.truth.join(planted.clients.filter(pl.col("course") != ""), on=DYAD)
        assert not chosen["ruptured"].any()


class TestAnswers:
    @pytest.mark.parametrize("side", ["score", "guess"])
    def test_no_answer_leaves_the_scale(self, side: str) -> None:
        wild = Published(client_sd=5, session_sd=4)
        assert simulate(clients=200, seed=1, settings=wild).ratings[side].is_between(0, 10).all()

    def test_without_a_ceiling_answers_go_beyond_it_and_all_else_is_the_same(self) -> None:
        held, free = (simulate(clients=200, seed=1, ceiling=ceiling) for ceiling in (True, False))
        assert free.truth.equals(held.truth)
        assert free.ratings.with_columns(pl.col("score", "guess").clip(0, 10)).equals(held.ratings)
        assert (free.ratings["score"] > 10).any()

    def test_answers_are_rounded_to_the_step(self) -> None:
        score = simulate(clients=50, seed=1, settings=Published(step=0.5)).ratings["score"].drop_nulls()
        assert (score * 2 == (score * 2).round()).all()


class TestWhoAndWhen:
    def test_codes_are_unique_and_name_nobody(self, solo: SimulatedPractice) -> None:
        assert solo.clients["client"].is_unique().all()
        assert solo.clients["client"].str.contains(r"^[A-HJ-NP-Z]-\d\d$").all()

    def test_a_larger_practice_has_longer_codes(self) -> None:
        codes = simulate(10, 300, seed=1, sessions=1).clients["client"]
        assert codes.is_unique().all()
        assert codes.str.contains(r"^[A-HJ-NP-Z]-\d\d\d$").all()

    @pytest.mark.parametrize(("clients", "length"), [(24 * 99, 4), (24 * 99 + 1, 5)])
    def test_codes_suffice_to_the_last_one(self, clients: int, length: int) -> None:
        codes = simulate(clients=clients, seed=1, sessions=1).clients["client"]
        assert codes.is_unique().all()
        assert (codes.str.len_chars() == length).all()

    def test_sessions_are_weekly_with_gaps(self, solo: SimulatedPractice) -> None:
        gaps = solo.ratings.select(pl.col("time").diff().over(DYAD)).drop_nulls().to_series().dt.total_days()
        assert (gaps % 7 == 0).all()
        assert gaps.min() == 7
        assert gaps.median() == 7
        assert gaps.max() > 7  # type: ignore[operator] # a number, as the column is

    def test_nobody_works_at_night_on_weekends_or_between_the_years(self, large: SimulatedPractice) -> None:
        when = large.ratings["time"]
        assert when.dt.weekday().is_between(1, 5).all()
        assert when.dt.hour().is_between(8, 17).all()
        assert not when.dt.strftime("%m-%d").is_in(["12-25", "01-01", "08-08"]).any()

    def test_a_therapist_sees_one_client_at_a_time(self, clinic: SimulatedPractice) -> None:
        assert clinic.ratings.select("therapist", "time").is_unique().all()

    def test_nothing_is_known_of_tomorrow(self, large: SimulatedPractice) -> None:
        assert (large.ratings["time"].dt.date() <= TODAY).all()

    def test_some_therapies_have_ended_and_some_are_running(self, solo: SimulatedPractice) -> None:
        assert solo.clients["ended"].any()
        assert not solo.clients["ended"].all()

    def test_a_fixed_length_is_the_length_of_every_therapy(self) -> None:
        clients = simulate(2, 10, seed=1, sessions=9, transfer_share=0.5).clients
        assert (clients["sessions"] == 9).all()
        assert clients["ended"].all()

    def test_sessions_count_from_one_without_a_gap(self, clinic: SimulatedPractice) -> None:
        counted = clinic.ratings.select(pl.int_range(1, pl.len() + 1).over(DYAD)).to_series()
        assert (counted == clinic.ratings["session"]).all()

    def test_the_wanted_share_of_clients_meets_a_second_therapist(self, clinic: SimulatedPractice) -> None:
        met = clinic.clients.group_by("client").agg(pl.col("therapist").n_unique())
        assert dict(met["therapist"].value_counts().iter_rows()) == {1: 480, 2: 120}

    def test_the_second_therapist_begins_when_the_first_has_ended(self, clinic: SimulatedPractice) -> None:
        spans = (
            clinic.ratings.group_by(DYAD, maintain_order=True)
            .agg(pl.col("time").min().alias("from"), pl.col("time").max().alias("to"))
            .filter(pl.len().over("client") == 2)
            .group_by("client", maintain_order=True)
            .agg(pl.col("to").first(), pl.col("from").last())
        )
        assert (spans["to"] < spans["from"]).all()

    def test_a_client_takes_their_part_along_and_the_pairing_is_new(self, clinic: SimulatedPractice) -> None:
        first = clinic.truth.filter(session=1).filter(pl.len().over("client") == 2)
        parts = first.group_by("client").agg(pl.col("of_client", "of_pairing").n_unique())
        assert (parts["of_client"] == 1).all()
        assert (parts["of_pairing"] == 2).all()


class TestRefusals:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"therapists": 0}, "therapists lies at 1 or above; 0 does not"),
            ({"clients": -3}, "clients lies at 1 or above; -3 does not"),
            ({"seed": -1}, "seed lies at 0 or above; -1 does not"),
            ({"sessions": 0}, "sessions lies between 1 and 1000; 0 does not"),
            (
                {"sessions": 7, "plant": {"slow": 1}},
                "sessions, where a course is planted, lies at 8 or above; 7 does not",
            ),
            ({"therapists": 2, "transfer_share": 1.5}, "transfer_share lies between 0 and 1; 1.5 does not"),
            ({"transfer_share": 0.5}, "A transfer needs a second therapist; therapists is 1"),
            ({"plant": {"soaring": 1}}, "one of slow, stalled, falling; 'soaring' is not"),
            ({"plant": {"slow": -1}}, "the number of slow clients lies at 0 or above; -1 does not"),
            ({"plant": {"slow": 13}}, "13 courses cannot be planted in 12 clients with one therapist"),
        ],
    )
    def test_an_argument_out_of_range_is_refused_in_a_sentence(
        self, wrong: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(ModelProblem, match=said):
            simulate(**{"seed": 1, **wrong})

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"session_sd": -1.0}, "session_sd lies between 0 and 10; -1.0 does not"),
            ({"start": float("nan")}, "start lies between 0 and 10; nan does not"),
            ({"rupture_length": (0, 3)}, "rupture_length lies between 1 and 50; 0 does not"),
            (
                {"rupture_depth": (1.0, 0.5)},
                "the upper end of rupture_depth lies at 1 or above; 0.5 does not",
            ),
            ({"pairing_share": 0.99}, "therapist_share \\+ pairing_share lies between 0 and 1"),
            ({"guess_accuracy": 0.9}, "guess_accuracy² \\+ guess_habit_share lies between 0 and 1"),
        ],
    )
    def test_a_setting_out_of_range_is_refused_in_a_sentence(self, wrong: dict[str, Any], said: str) -> None:
        with pytest.raises(ModelProblem, match=said):
            Published(**wrong)

    def test_settings_at_the_ends_of_their_ranges_still_work(self) -> None:
        still = Published(
            client_sd=0, slope_sd=0, session_sd=0, drift_sd=0, rupture_chance=0, mean_sessions=1
        )
        certain = Published(
            rupture_chance=1, missing_share=1, weekly_share=1, therapist_share=1, pairing_share=0
        )
        assert simulate(seed=1, settings=still).ratings.height == 12
        assert simulate(seed=1, settings=certain).ratings["score"].null_count() > 0
