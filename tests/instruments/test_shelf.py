from dataclasses import FrozenInstanceError, replace

import pytest

from attunement.errors import InstrumentProblem
from attunement.instruments import Instrument, Wording, catalogue, instrument, loads


def refusal(toml: str, old: str, new: str) -> str:
    """Change one place of a description, and return the sentence that it is refused with."""
    assert toml.count(old) >= 1
    with pytest.raises(InstrumentProblem) as refused:
        loads(toml.replace(old, new, 1))
    return str(refused.value)


def test_a_description_is_read_as_it_stands(warmth: Instrument) -> None:
    assert (warmth.id, warmth.licence, warmth.asked_of) == ("warmth", "CC0-1.0", "client")
    assert [item.id for item in warmth.items if item.reverse] == ["cold"]
    assert [item.id for item in warmth.items if item.apart] == ["noise"]
    assert warmth.ends.at_high == Wording("Always", "Siempre")


def test_a_scale_that_says_nothing_of_skipping_needs_all_its_items(warmth_toml: str) -> None:
    assert loads(warmth_toml.replace("at_least = 2", "")).scale("total").at_least == 3


def test_an_instrument_without_a_licence_is_refused(warmth_toml: str) -> None:
    assert refusal(warmth_toml, 'licence = "CC0-1.0"', "") == (
        "warmth: licence is missing; it takes the terms that its words stand under, such as CC0-1.0."
    )


def test_an_instrument_without_a_source_is_refused(warmth_toml: str) -> None:
    assert refusal(warmth_toml, 'source = "Invented for the tests"', "") == (
        "warmth: source is missing; it takes who wrote it, and where it was published."
    )


def test_an_instrument_that_is_not_validated_says_so_in_a_note(warmth_toml: str) -> None:
    said = refusal(warmth_toml, "validated = true", "validated = false")
    assert said == "warmth: note is missing; an instrument that is not validated says so in a note."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "cold"', 'id = "near"', "warmth: the id near stands twice among its items and scales"),
        ('id = "nearness"', 'id = "near"', "warmth: the id near stands twice among its items and scales"),
        ('id = "near"', 'id = "It is near"', "warmth: the id 'It is near' is made of other things"),
        ('["near", "cold", "light"]', '["near", "warm"]', "warmth: scale total: items names 'warm', which"),
        ('["near", "cold", "light"]', '["near", "near"]', "warmth: scale total: items names near twice"),
        ('["near", "cold", "light"]', "[]", "warmth, scale total: items is []; it takes a list of ids."),
        ('["near", "cold", "light"]', '["near", 1.5]', "warmth, scale total: items is ['near', 1.5]; it"),
        ("apart = true", "", "warmth: item noise: no scale counts it; name it in a scale"),
        ("reverse = true", "apart = true", "warmth: item cold: apart is true, and a scale counts it"),
        ("at_least = 2", "at_least = 4", "warmth: scale total: at_least is 4; it takes"),
        ("at_least = 2", "at_least = 0", "warmth: scale total: at_least is 0; it takes"),
        ("value = 4", "value = 6", "warmth: scale total: established is 6; it takes a number from 1 to 5."),
        ("0.91", "1.0", "warmth: scale total: reliability is 1; it takes a number between 0 and 1."),
        ("0.75", "0", "warmth: scale total: sd is 0; it takes a number above 0 and up to 4."),
        ("0.75", "nan", "warmth, scale total, sd: value is nan; it takes a number."),
        ("low = 1", "low = 5", "warmth: ends: low is 5 and high is 5; low is the smaller one."),
    ],
)  # fmt: skip
def test_an_instrument_whose_parts_do_not_fit_together_is_refused(
    warmth_toml: str, old: str, new: str, said: str
) -> None:
    assert refusal(warmth_toml, old, new).startswith(said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("reverse = true", "reversed = true", "warmth, item cold: reversed is no field of it"),
        ("reverse = true", 'reverse = "yes"', "warmth, item cold: reverse is 'yes'; it takes true or false."),
        ('es = "Hubo ruido."', "", "warmth, item noise: es is missing; it takes a text."),
        ('en = "It was loud."', 'en = "  "', "warmth, item noise: en is '  '; it takes a text."),
        ('id = "light"', "", "warmth, item 3: id is missing; it takes a text."),
        ('version = "1"', "version = 1", "warmth: version is 1; it takes a text."),
        ('method = "mean"', 'method = "median"', "warmth, scale total: method is 'median'; it takes one"),
        ('"client"', '"parent"', "warmth: asked_of is 'parent'; it takes one of client, therapist, supervisor."),
        ("low = 1", "low = true", "warmth, ends: low is True; it takes a whole number."),
        ("value = 0.91", 'value = ".91"', "warmth, scale total, reliability: value is '.91'; it takes"),
        (', source = "A study, table 1"', "", "warmth, scale total, reliability: source is missing"),
        ('{ en = "Warmth", es = "Calidez" }', '"Warmth"', "warmth: name is 'Warmth'; it takes a table."),
        ('id = "warmth"', "", "an instrument without id: id is missing; it takes a text."),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_refused_with_its_place(
    warmth_toml: str, old: str, new: str, said: str
) -> None:
    assert refusal(warmth_toml, old, new).startswith(said)


def test_an_instrument_without_items_is_refused(warmth_toml: str) -> None:
    before, rest = warmth_toml.split("[[items]]", 1)
    with pytest.raises(
        InstrumentProblem, match=r"warmth: items is missing; it takes one \[\[items\]\] or more"
    ):
        loads(before + rest[rest.index("[[scales]]") :])


def test_a_text_that_is_no_toml_is_refused_with_its_line() -> None:
    with pytest.raises(InstrumentProblem, match=r"not TOML: .*line 1, column 4"):
        loads("id connection")


def test_an_instrument_made_in_code_is_held_to_the_same_terms(warmth: Instrument) -> None:
    with pytest.raises(InstrumentProblem, match="warmth: licence is empty"):
        replace(warmth, licence=" ")
    with pytest.raises(InstrumentProblem, match="warmth: source is empty"):
        replace(warmth, source="")


def test_an_instrument_cannot_be_changed_after_it_was_read(warmth: Instrument) -> None:
    with pytest.raises(FrozenInstanceError):
        warmth.licence = "mine"  # type: ignore[misc]


def test_the_catalogue_holds_our_first_three() -> None:
    assert [one.id for one in catalogue()] == ["background", "connection", "growth", "state"]


def test_an_instrument_that_is_not_shipped_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        InstrumentProblem, match=r"has no instrument 'wai_9'; it has .*connection, .*growth, .*state"
    ):
        instrument("wai_9")
