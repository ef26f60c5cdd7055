"""The compiled passes, and the same loops as plain Python, give what the arrays give."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from attunement.mixed import compiled, fit
from attunement.mixed.design import moments
from attunement.mixed.effects import effects
from attunement.mixed.layout import likelihood

FORMULAS = [
    "score ~ x + (1 | client)",
    "score ~ x + (1 + x | client)",
    "score ~ x + (1 + x + I(x ** 2) | client)",
    "score ~ x + (1 + x | client) + (1 | therapist)",
    "score ~ x + (1 | client) + (0 + x | client) + (1 + x | therapist)",
]


def practice(clients: int) -> pl.DataFrame:
    random = np.random.default_rng(8)
    client = np.repeat(np.arange(clients), random.integers(1, 9, clients))
    x = random.normal(size=client.size).round(3)
    score = random.normal(size=clients)[client] + x * random.normal(size=clients)[client]
    return pl.DataFrame(
        {
            "client": client,
            "therapist": np.minimum(client // 7, clients // 20),  # one of them has most clients
            "x": x,
            "score": score + random.normal(size=client.size),
        }
    )


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the loops for every size, without compiling them."""
    monkeypatch.setattr(compiled, "LEAST", 0)
    monkeypatch.setattr(compiled, "HERE", True)
    monkeypatch.setattr(compiled, "_compile", lambda kernel: kernel)
    monkeypatch.setattr(compiled, "_KEPT", [])


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.usefixtures("always")
def test_the_loops_give_what_the_arrays_give(formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = likelihood(moments(formula, practice(40)), reml=True)
    theta = model.start(0.7) + 0.1
    value, gradient = model.with_gradient(theta)
    found = effects(model, model.solve(theta))
    monkeypatch.setattr(compiled, "HERE", False)
    plain, slope = model.with_gradient(theta)
    assert value == pytest.approx(plain, rel=1e-12)
    assert gradient == pytest.approx(slope, rel=1e-9, abs=1e-9)
    for factor, (modes, spread) in effects(model, model.solve(theta)).items():
        assert found[factor][0] == pytest.approx(modes, abs=1e-10)
        assert found[factor][1] == pytest.approx(spread, abs=1e-10)


def test_a_large_table_is_fitted_the_same_with_and_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="needs numba")
    table = practice(24_000)
    formula = "score ~ x + (1 + x | client) + (1 | therapist)"
    compiled_fit = fit(formula, table)
    monkeypatch.setattr(compiled, "HERE", False)
    plain = fit(formula, table)
    assert compiled_fit.loglik == pytest.approx(plain.loglik, rel=1e-11)
    assert compiled_fit.sigma == pytest.approx(plain.sigma, rel=1e-6)
    both = compiled_fit.ranef["client"].join(plain.ranef["client"], on=["level", "term"], suffix="_plain")
    assert both["value"].to_numpy() == pytest.approx(both["value_plain"].to_numpy(), abs=1e-5)
    assert both["sd"].to_numpy() == pytest.approx(both["sd_plain"].to_numpy(), rel=1e-5)
