"""Which of two lines leads the other: no bond behind both, however it drifts, makes an order."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from attunement.trust.leads import Lead, lead


def told(rows: pl.DataFrame, x: str, y: str) -> Lead:
    found = lead(rows, x, y)
    assert found is not None
    return found


def two_lines(seed: int, *, leading: float = 0.0, walk: float = 0.4, clients: int = 80) -> pl.DataFrame:
    """A bond that walks behind both; y is three times as noisy; x's own moves lead y's by a session."""
    rng = np.random.default_rng(seed)
    pieces = []
    for client in range(clients):
        many = int(rng.integers(3, 20))
        bond = rng.normal(6.0, 1.5) + np.cumsum(rng.normal(0.0, walk, many))
        own = rng.normal(0.0, 0.8, many + 1)
        x = bond + own[1:] + rng.normal(0.0, 0.3, many)
        y = 0.6 * bond + leading * own[:-1] + rng.normal(0.0, 0.9, many)
        pieces.append(
            pl.DataFrame({"dyad": [str(client)] * many, "session": range(1, many + 1), "x": x, "y": y})
        )
    return pl.concat(pieces)


def test_a_bond_that_walks_behind_two_lines_makes_none_lead() -> None:
    found = [told(two_lines(seed), "x", "y").more for seed in range(60)]
    claimed = [each.low > 0 or each.high < 0 for each in found]
    assert np.mean(claimed) <= 0.12
    assert abs(np.mean([each.value for each in found])) < 0.02


def test_a_line_that_leads_is_seen_to() -> None:
    assert np.mean([told(two_lines(seed, leading=0.6), "x", "y").leads for seed in range(20)]) >= 0.9
    assert not any(told(two_lines(seed, leading=0.6), "y", "x").leads for seed in range(20))


def test_the_way_back_is_the_same_turned_over() -> None:
    rows = two_lines(1, leading=0.4)
    there, back = told(rows, "x", "y"), told(rows, "y", "x")
    assert there.more.value == pytest.approx(-back.more.value, abs=1e-12)
    assert there.se == pytest.approx(back.se, rel=1e-12)
    assert (there.clients, there.pairs) == (back.clients, back.pairs)


def test_it_is_the_difference_of_lagged_products_within_clients() -> None:
    rows = pl.DataFrame(
        {
            "dyad": ["a"] * 4 + ["b"] * 3,
            "session": [1, 2, 3, 5, 1, 2, 3],
            "x": [1.0, 3.0, 2.0, 6.0, 5.0, 4.0, 3.0],
            "y": [2.0, 2.0, 5.0, 3.0, 1.0, 1.0, 4.0],
        }
    )
    found = told(rows, "x", "y")
    centred = rows.with_columns(pl.col("x", "y") - pl.col("x", "y").mean())
    centred = centred.with_columns(pl.col("x", "y") - pl.col("x", "y").mean().over("dyad"))
    a, b = (centred.filter(dyad=who).select("x", "y").to_numpy() for who in ("a", "b"))
    products = [sum(z[t, 0] * z[t + 1, 1] - z[t, 1] * z[t + 1, 0] for t in range(2)) for z in (a, b)]
    spread = np.sqrt((np.vstack([a, b]) ** 2).sum(axis=0).prod()) / 5  # seven sessions, two means
    assert found.pairs == 4  # session 5 has none before it
    assert found.more.value == pytest.approx(sum(products) / (4 * spread), rel=1e-12)
    assert found.se == pytest.approx(np.hypot(*products) / (4 * spread), rel=1e-12)


def test_a_course_that_all_share_is_no_order() -> None:
    shared = two_lines(3).with_columns(
        x=pl.col("x") + 3.0 * (pl.col("session") >= 4), y=pl.col("y") + 3.0 * (pl.col("session") >= 5)
    )
    plain = told(two_lines(3), "x", "y").more
    assert told(shared, "x", "y").more.value == pytest.approx(plain.value, abs=0.05)


def test_where_nobody_has_two_sessions_in_a_row_there_is_nothing() -> None:
    rows = pl.DataFrame({"dyad": ["a"] * 3, "session": [1, 3, 5], "x": [1.0, 2.0, 3.0], "y": [2.0, 1.0, 2.0]})
    assert lead(rows, "x", "y") is None
    assert lead(rows.head(2), "x", "y") is None
    assert lead(rows.with_columns(session=pl.Series([1, 2, 3]), x=pl.lit(1.0)), "x", "y") is None
