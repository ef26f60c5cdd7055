"""An instrument that is known is asked by its own key, whatever a file says."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.apart import read_instruments_apart
from attunement.exchange.fhir import from_questionnaire, to_questionnaire
from attunement.exchange.sent import read_described
from attunement.instruments import (
    Choice,
    Ends,
    Instrument,
    Item,
    Wording,
    instrument,
    of_others,
    refuse_otherwise,
    to_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PHQ9 = instrument("phq9")
MADE_UP = Wording("Made up", "Inventado")


def with_words(bare: Instrument, **more: object) -> Instrument:
    """The same with made-up words."""
    items = tuple(
        replace(item, wording=MADE_UP, choices=tuple(replace(each, wording=MADE_UP) for each in item.choices))
        for item in bare.items
    )
    choices = tuple(replace(each, wording=MADE_UP) for each in bare.choices)
    made = replace(bare, items=items, choices=choices, words="loaded", right="made up", intro=MADE_UP)
    return replace(made, **more)  # type: ignore[arg-type]


def item_nine(**more: object) -> Callable[[Instrument], Instrument]:
    def change(asked: Instrument) -> Instrument:
        nine = replace(asked.items[8], **more)  # type: ignore[arg-type]
        return replace(asked, items=(*asked.items[:8], nine, *asked.items[9:]))

    return change


def scaled(**more: object) -> Callable[[Instrument], Instrument]:
    return lambda asked: replace(asked, scales=(replace(asked.main, **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize("bare", [each for each in of_others() if each.items], ids=lambda each: each.id)
def test_the_known_key_with_any_words_is_taken(bare: Instrument) -> None:
    ends = Ends(bare.ends.low, bare.ends.high, MADE_UP, MADE_UP)
    refuse_otherwise(
        with_words(bare, version="mine", licence="mine", ends=ends, languages=("es",), name=MADE_UP),
        of_others(),
    )


def test_a_line_apart_may_be_missing_and_an_unknown_id_is_nobody_s() -> None:
    nine = replace(with_words(PHQ9), items=with_words(PHQ9).items[:9])
    refuse_otherwise(nine, of_others())
    refuse_otherwise(replace(with_words(PHQ9), id="mine", scales=(), unscored="made up"), of_others())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (item_nine(risk_from=None), "risk_from of item9"),
        (item_nine(risk_from=3), "risk_from of item9"),
        (item_nine(reverse=True), "reverse of item9"),
        (item_nine(loinc=None), "loinc of item9"),
        (item_nine(choices=(Choice(0, MADE_UP), Choice(1, MADE_UP))), "the answers to item9"),
        (scaled(factor=2.0), "factor of scale total"),
        (scaled(higher="better"), "higher of scale total"),
        (scaled(cutoffs=()), "cutoffs of scale total"),
        (scaled(id="sum"), "its scales"),
        (lambda asked: replace(asked, loinc=None), "loinc"),
        (lambda asked: replace(asked, unscored="no"), "whether it is scored"),
        (
            lambda asked: replace(asked, items=(*asked.items, Item("more", MADE_UP, apart=True))),
            "which items it has",
        ),
    ],
)
def test_what_counts_otherwise_is_refused(change: Callable[[Instrument], Instrument], said: str) -> None:
    with pytest.raises(
        InstrumentProblem, match=f"phq9 is known here, and this file counts otherwise: {said};"
    ):
        refuse_otherwise(change(with_words(PHQ9)), of_others())


def test_one_of_which_a_total_alone_is_taken_has_no_words() -> None:
    with pytest.raises(InstrumentProblem, match="ors is known here, and its owners bar electronic forms"):
        refuse_otherwise(replace(with_words(instrument("who5")), id="ors"), of_others())


SHELF = {each.id: each for each in of_others()}


def test_neither_a_description_nor_a_questionnaire_brings_another_key() -> None:
    odd = with_words(PHQ9, scales=(replace(PHQ9.main, at_least=1),))
    written = to_questionnaire(odd, loaded=True)
    with pytest.raises(InputError, match="phq9 is known here, and this file counts otherwise: at_least"):
        from_questionnaire(written, right="made up", shelf=SHELF)
    assert from_questionnaire(written, right="made up", name="mine", shelf=SHELF).id == "mine"
    text = io.BytesIO(toml_of(replace(instrument("state"), id="srs")))
    with pytest.raises(InstrumentProblem, match="srs is known here, and its owners bar"):
        read_described(text, SHELF)


def test_what_was_loaded_before_hides_no_key() -> None:
    odd = with_words(PHQ9, scales=(replace(PHQ9.main, at_least=1),))
    content = json.dumps(to_questionnaire(odd, loaded=True)).encode()
    with pytest.raises(InstrumentProblem, match="counts otherwise"):
        read_instruments_apart("questionnaire", content, {"right": "made up"}, shelf=SHELF | {"phq9": odd})


def toml_of(asked: Instrument) -> bytes:
    """A description as TOML has it: JSON's texts, numbers and lists are TOML's."""
    return "\n".join(f"{name} = {_inline(value)}" for name, value in to_table(asked).items()).encode()


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_inline(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
