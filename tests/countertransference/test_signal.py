"""What feelings tell of the client's state: noise is not told, a signal is, and both in numbers that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.countertransference.gain import DIFFERS, SLOPE, gains
from attunement.countertransference.moves import moves
from attunement.countertransference.pairs import paired
from attunement.countertransference.signal import CLIENTS, DYAD, Signal, signal
from attunement.errors import ColumnProblem, ModelProblem
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.telling import Telling, Told, telling

if TYPE_CHECKING:
    from attunement.countertransference.moves import Moves
    from attunement.instruments.description import Language

HEAVY = Telling(tells={"heavy": 1.0}, tells_sd=0.3)
DRIFTING = Telling(lasting=0.8, lasting_share=0.9, state_lasting=0.9, state_lasting_share=0.9)


def felt(clients: int, sessions: int, seed: int, how: Telling | None = None, therapists: int = 1) -> Told:
    return telling(simulate(therapists, clients, seed=seed, sessions=sessions), how, seed=seed)


def moved(made: Told) -> Moves:
    both, names = paired(made.reflections, made.states)
    found = moves(both, names)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def heavy() -> Told:
    return felt(14, 12, 4, HEAVY)


@pytest.fixture(scope="module")
def found(heavy: Told) -> Signal:
    return signal(heavy.reflections, heavy.states, worse="higher")


def test_a_feeling_that_tells_is_told(found: Signal) -> None:
    told = found.all
    assert isinstance(told, Finding)
    assert "When you feel “heavy” 2 points more than is usual with a client" in told.sentence
    assert "points worse" in told.sentence
    assert told.estimate.low < 2.0 < told.estimate.high
    assert told.evidence["tells"].to_list() == [True] + [False] * 5
    assert told.evidence["gain"][0] > 0


def test_the_same_state_told_the_other_way_round_is_better(heavy: Told) -> None:
    told = signal(heavy.reflections, heavy.states, worse="lower").all
    assert isinstance(told, Finding)
    assert "points better" in told.sentence
    assert told.estimate.high < 0


def test_with_a_client_it_is_told_where_the_clients_own_interval_says_so(found: Signal) -> None:
    for client in found.met["client"]:
        told = found.of(client)
        assert isinstance(told, Finding)
        sure = told.estimate.low > 0 or told.estimate.high < 0
        assert ("it is not clear yet" not in told.sentence) == sure
        assert told.evidence.filter("tells").height == sure


def test_intervals_of_dyads_hold_their_slopes(found: Signal, heavy: Told) -> None:
    both = found.frame().join(heavy.slopes, on=["therapist", "client", "feeling"], suffix="_true")
    held = both.select(pl.col("slope_true").is_between(pl.col("slope_low"), pl.col("slope_high"))).to_series()
    assert held.len() == 14 * 6
    assert np.mean(held.to_numpy()) >= 0.88


@pytest.mark.parametrize(("clients", "sessions"), [(6, 6), (15, 10)])
def test_noise_is_hardly_ever_told_however_it_drifts_and_falls(clients: int, sessions: int) -> None:
    told = [
        any(each.tells for each in gains(moved(felt(clients, sessions, 100 + seed, DRIFTING))))
        for seed in range(40)
    ]
    assert sum(told) <= 5  # 2 are expected at most


def test_where_nothing_stands_out_it_says_so_and_shows_the_table() -> None:
    made = felt(8, 8, 11)
    told = signal(made.reflections, made.states, worse="higher")
    everybody, one = told.all, told.of(told.met["client"][0])
    assert isinstance(everybody, Finding)
    assert isinstance(one, Finding)
    assert "No feeling of yours stands out" in everybody.sentence
    assert "No feeling of yours stands out" in one.sentence
    assert everybody.evidence.height == one.evidence.height == 6
    assert not everybody.evidence["tells"].any()
    assert not told.frame()["tells"].any()


def test_leaving_one_session_out_in_closed_form_is_leaving_it_out() -> None:
    made = moved(felt(5, 6, 3, HEAVY))
    session = made.rows["session"].to_numpy().astype(float)
    dyad = np.repeat(np.arange(5), np.bincount(made.dyad) + 1)
    white = np.asarray(made.white.todense())
    level = np.eye(5)[dyad]
    ways = np.linalg.svd(white)[2][: white.shape[0]]  # any unit of the sessions that the moves see
    inside = np.linalg.inv(ways @ (white.T @ white) @ ways.T)
    strength = made.feelings[:, 0]
    more = SLOPE**2 * np.outer(strength, strength)
    more += DIFFERS**2 * np.outer(strength, strength) * (made.dyad[:, None] == made.dyad)
    back = np.linalg.pinv(white)
    covariance = ways.T @ inside @ ways + back @ more @ back.T + 1e6 * level @ level.T
    state = back @ made.state
    fixed = np.column_stack([session, np.log2(session)])
    left = []
    for place in range(state.size):
        others = np.arange(state.size) != place
        inverse = np.linalg.inv(covariance[np.ix_(others, others)])
        known = fixed[others]
        beta = np.linalg.solve(known.T @ inverse @ known, known.T @ inverse @ state[others])
        guess = fixed[place] @ beta + covariance[place, others] @ inverse @ (state[others] - known @ beta)
        left.append(state[place] - guess)
    from attunement.countertransference.gain import _LeftOut  # noqa: PLC0415 - what is inside is what is tested

    ours = _LeftOut(made, strength).errors(made.state[:, None])[:, 0]
    assert np.abs(ours - np.array(left)).max() < 1e-4


def test_other_therapists_are_not_compared_and_each_pair_is_told_of_itself() -> None:
    made = felt(4, 10, 5, HEAVY, therapists=3)
    told = signal(made.reflections, made.states, worse="higher")
    assert isinstance(told.all, Finding)
    assert "you feel" not in told.all.sentence
    shifted = made.reflections.with_columns(
        strength=pl.col("strength") + pl.when(pl.col("therapist") == "T1").then(3).otherwise(0)
    )
    again = signal(shifted, made.states, worse="higher")
    assert np.allclose(again.frame()["slope"].to_numpy(), told.frame()["slope"].to_numpy())


@pytest.mark.parametrize("language", ["en", "es"])
def test_both_languages_speak_of_all_and_of_each(heavy: Told, language: Language) -> None:
    told = signal(heavy.reflections, heavy.states, worse="higher", language=language)
    assert "{" not in told.all.sentence
    assert all("{" not in told.of(client).sentence for client in told.met["client"])


def test_what_is_missing_is_named() -> None:
    made = felt(CLIENTS, 9, 6)
    few = made.reflections.filter(pl.col("client") != made.states["client"][0])
    told = signal(few, made.states, worse="higher")
    assert told.gains == ()
    assert told.frame().is_empty()
    assert isinstance(told.all, NotYet)
    assert f"clients with {DYAD} sessions or more" in told.all.missing
    short = felt(CLIENTS, 5, 6)
    assert isinstance(found := signal(short.reflections, short.states, worse="higher").all, NotYet)
    assert found.missing.startswith("sessions that have both")
    same = signal(made.reflections.with_columns(strength=pl.lit(3.0)), made.states, worse="higher").all
    assert isinstance(same, NotYet)
    assert "what you feel hardly changes" in same.missing
    calm = signal(made.reflections, made.states.with_columns(outcome=pl.lit(9.0)), worse="higher").all
    assert isinstance(calm, NotYet)
    assert "the state they report hardly changes" in calm.missing


def test_nothing_written_down_is_not_yet(heavy: Told) -> None:
    told = signal(heavy.reflections.clear(), heavy.states, worse="higher")
    assert isinstance(told.all, NotYet)
    assert told.frame().is_empty()
    unknown = heavy.states.with_columns(outcome=pl.lit(None, dtype=pl.Float64))
    assert isinstance(signal(heavy.reflections, unknown, worse="higher").all, NotYet)


def test_the_simulated_truth_is_in_the_tables_and_the_same_seed_gives_the_same() -> None:
    made, again = felt(60, 12, 1, HEAVY), felt(60, 12, 1, HEAVY)
    assert made.states.equals(again.states)
    assert made.reflections.equals(again.reflections)
    both, _ = paired(made.reflections, made.states)
    own = both.select(
        pl.col(name) - pl.col(name).mean().over("client") for name in ("outcome", "heavy", "warm")
    )
    slopes = np.linalg.lstsq(own.select("heavy", "warm").to_numpy(), own["outcome"].to_numpy(), rcond=None)[0]
    assert abs(slopes[0] - 1.0) < 0.35
    assert abs(slopes[1]) < 0.35
    assert set(made.slopes.filter(pl.col("feeling") != "heavy")["slope"]) == {0.0}


def test_a_client_met_three_times_is_not_told_of_alone(heavy: Told) -> None:
    client = heavy.states["client"][0]
    short = heavy.reflections.filter((pl.col("client") != client) | (pl.col("session") <= 3))
    told = signal(short, heavy.states, worse="higher")
    assert isinstance(told.all, Finding)
    assert isinstance(told.of(client), NotYet)


def test_a_feeling_that_never_changes_is_not_asked(heavy: Told) -> None:
    flat = heavy.reflections.with_columns(
        strength=pl.when(pl.col("feeling") == "bored").then(0.0).otherwise(pl.col("strength"))
    )
    told = signal(flat, heavy.states, worse="higher").all
    assert isinstance(told, Finding)
    assert "bored" not in told.evidence["feeling"].to_list()
    assert told.limits[-1] == "Not asked, as they hardly changed: bored."


def test_states_may_come_as_outcomes_of_one_instrument(heavy: Told) -> None:
    outcomes = heavy.states.drop("therapist").with_columns(instrument=pl.lit("core-10"))
    told = signal(heavy.reflections, outcomes, worse="higher").all
    assert told.sentence == signal(heavy.reflections, heavy.states, worse="higher").all.sentence
    two = pl.concat([outcomes, outcomes.with_columns(instrument=pl.lit("phq-9"))])
    with pytest.raises(ColumnProblem, match="2 instruments are in it"):
        signal(heavy.reflections, two, worse="higher")
    moved_on = heavy.reflections.with_columns(therapist=pl.lit("T2"))
    with pytest.raises(ColumnProblem, match="the column therapist is missing"):
        signal(pl.concat([heavy.reflections, moved_on]), outcomes, worse="higher")


def test_what_cannot_be_taken_is_refused_in_words(heavy: Told, found: Signal) -> None:
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        found.of("nobody")
    with pytest.raises(ColumnProblem, match="the column outcome is missing"):
        signal(heavy.reflections, heavy.states.drop("outcome"), worse="higher")
    with pytest.raises(ColumnProblem, match="is not a table"):
        signal(heavy.reflections, 3, worse="higher")
    with pytest.raises(ColumnProblem, match="a feeling cannot be called 'session'"):
        signal(
            heavy.reflections.with_columns(pl.col("feeling").replace("warm", "session")),
            heavy.states,
            worse="higher",
        )
    with pytest.raises(ModelProblem, match="No feeling is called joyful"):
        Telling(tells={"joyful": 1.0})


def test_the_prior_can_be_switched_off_and_does_not_decide(heavy: Told, found: Signal) -> None:
    bare = signal(heavy.reflections, heavy.states, worse="higher", prior=None)
    assert isinstance(bare.all, Finding)
    assert [each.chance for each in bare.gains] == [each.chance for each in found.gains]
    assert not any("comes from elsewhere" in limit for limit in bare.all.limits)


def test_a_session_without_a_feeling_is_one_without_that_feeling_alone(heavy: Told) -> None:
    rng = np.random.default_rng(1)
    some = heavy.reflections.filter(pl.Series(rng.random(heavy.reflections.height) < 0.8))
    told = signal(some, heavy.states, worse="higher").all
    assert isinstance(told, Finding)
    assert "“heavy”" in told.sentence
