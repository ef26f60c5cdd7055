"""The order trust, openness, depth: told where it was planted, and not where one bond moves all."""

from __future__ import annotations

import polars as pl

from attunement import frames
from attunement.simulate import simulate
from attunement.simulate.trusting import Trusting, trusting
from attunement.trust import Order, order
from attunement.trust.lines import laid_out


def looked(clients: int, how: Trusting, seed: int, sessions: int | None = None) -> Order:
    made = trusting(simulate(1, clients, seed=seed, sessions=sessions), how, seed=seed)
    found = order(laid_out(frames.check_ins(made.check_ins)))
    assert found is not None
    return found


def told(how: Trusting, seeds: range, clients: int = 150) -> int:
    return sum(looked(clients, how, seed).told for seed in seeds)


def test_one_bond_behind_all_is_no_order() -> None:
    assert told(Trusting(), range(15)) == 0
    assert told(Trusting(bond_sd=1.2, bond_keeps=0.97), range(15)) == 0


def test_lines_that_move_by_themselves_have_no_order() -> None:
    assert told(Trusting(bond_sd=0.0), range(15)) == 0


def test_the_order_reversed_is_not_this_order() -> None:
    assert told(Trusting(0.6, 0.6, reversed_order=True), range(15)) == 0


def test_one_step_alone_is_no_order() -> None:
    assert told(Trusting(to_openness=0.6), range(12)) <= 1


def test_an_order_that_is_there_is_told_with_what_each_moves_the_next() -> None:
    found = [looked(150, Trusting(0.8, 0.8), seed, sessions=10) for seed in range(2)]
    assert all(each.told for each in found)
    for each in found:
        for step in (each.to_openness, each.to_depth):
            if each.told:
                assert step.forward is not None
                assert step.backward is not None
                assert step.forward.low > 0
                assert step.lead.more.low > 0


def test_who_has_too_few_clients_hears_how_many_would_do() -> None:
    few, many = looked(60, Trusting(), 1), looked(250, Trusting(), 1)
    assert few.needed > few.clients
    assert 0.4 < few.needed / many.needed < 2.5


def test_only_the_very_next_session_counts() -> None:
    made = trusting(simulate(1, 60, seed=2), seed=2)
    rows = laid_out(frames.check_ins(made.check_ins))
    every_other = rows.with_columns(session=2 * pl.col("session"))
    assert order(every_other) is None


def test_moves_that_fade_at_their_own_pace_can_pass_for_an_order_as_each_finding_says() -> None:
    fading = Trusting(own_keeps=(0.0, 0.4, 0.9), own_tie=0.8, own_sd=1.2)
    found = looked(150, fading, 0, sessions=12)
    assert found.to_openness.lead.leads
    assert found.to_depth.lead.leads
