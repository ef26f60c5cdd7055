"""Norms as JSON: read as they were written, and nonsense refused in one sentence that names the place."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import FEELING, published, site

from attunement.errors import InputError
from attunement.norms import dump, load, pool
from attunement.norms.written import _digest

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

TEXT = dump(published(site("a", 12, seed=1), "Ahorn"))
PLAIN = json.loads(TEXT)


def changed(change: Callable[[dict[str, Any]], object], *, signed: bool = True) -> str:
    """The file with something else in it, its digest made anew."""
    plain = copy.deepcopy(PLAIN)
    change(plain)
    if signed:
        for part in plain["sites"]:
            part.pop("sha256", None)
            part["sha256"] = _digest(part, plain["about"])
    return json.dumps(plain)


def first(plain: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plain["sites"][0]["sums"][FEELING][0]
    return found


def test_what_is_written_is_read(clinics: dict[str, pl.DataFrame]) -> None:
    norms = pool([published(rows, name) for name, rows in clinics.items()])
    assert load(dump(norms)) == norms
    assert dump(load(dump(norms))) == dump(norms)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda plain: plain.update(attunement_norms=2), "attunement_norms: this program reads"),
    "another formula": (lambda plain: plain.update(formula="y ~ 1"), "formula: norms of"),
    "nothing of a site": (lambda plain: plain.update(sites=[]), "sites: there is none"),
    "one key more": (lambda plain: plain.update(rows=[1]), "norms: 'rows' has no place"),
    "one key less": (lambda plain: plain.pop("formula"), "norms: formula is missing"),
    "a client in it": (lambda plain: first(plain).update(client="K-07"), "'client' has no place"),
    "few therapists": (lambda plain: first(plain).update(therapists=4), "5 therapists and 20 clients"),
    "half a therapist": (lambda plain: first(plain).update(therapists=5.5), "therapists: a count"),
    "a truth": (lambda plain: first(plain).update(therapists=True), "therapists: a count"),
    "a text": (lambda plain: first(plain).update(total="7"), "total: a number"),
    "beyond the scale": (lambda plain: first(plain).update(total=1e6), "no answers on this scale"),
    "no variance": (lambda plain: first(plain).update(between_hours=0.0), "no answers on this scale"),
    "less than none": (lambda plain: first(plain).update(between_clients=-1.0), "no answers on this scale"),
    "one client each": (lambda plain: first(plain).update(clients_each=1), "two clients and two reflections"),
    "no day": (lambda plain: plain["sites"][0].update(since="yesterday"), "since: a day such as"),
    "days turned": (lambda plain: plain["sites"][0].update(since="2030-01-01"), "is after the last"),
    "a line in a name": (lambda plain: plain["sites"][0].update(site="a\nb"), "plain characters"),
    "a design twice": (
        lambda plain: plain["sites"][0]["sums"][FEELING].append(first(plain)), "is there twice, out of order",
    ),
    "a site twice": (lambda plain: plain["sites"].append(plain["sites"][0]), "is there twice"),
    "fewer than the least": (lambda plain: plain["least"].update(therapists=2), "are the fewest"),
    "a scale upside down": (lambda plain: plain["about"].update(high=-1.0), "about.high"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_nonsense_is_refused_with_its_place(name: str) -> None:
    change, said = REFUSED[name]
    with pytest.raises(InputError) as refused:
        load(changed(change))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_number_changed_by_hand_is_found() -> None:
    text = changed(lambda plain: first(plain).update(total=first(plain)["total"] + 0.001), signed=False)
    with pytest.raises(InputError, match="not those it was made for"):
        load(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "nested too deeply|no JSON"),
        ("[]", "norms: an object"),
        ("null", "norms: an object"),
        (TEXT.replace('"total": ', '"total": NaN, "x": ', 1), "NaN is no number"),
        (TEXT.replace('"total": ', '"total": 1, "total": ', 1), "is there twice"),
        (" " * 4_000_001, "longer than"),
    ],
)
def test_what_is_no_file_of_norms_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load(text)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.text(min_size=0, max_size=3))
def test_a_damaged_file_is_refused_or_says_the_same(place: int, put: str) -> None:
    text = TEXT[:place] + put + TEXT[place + 1 :]
    with contextlib.suppress(InputError):
        assert load(text) == load(TEXT)
