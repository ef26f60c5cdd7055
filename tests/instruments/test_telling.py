"""What is told of an instrument is all that is known of it, and the page in the docs is held to it."""

from dataclasses import replace
from pathlib import Path

import pytest

from attunement.instruments import Instrument, catalogue, instrument, of_others
from attunement.instruments.telling import listed, tabled, told

PAGE = Path(__file__).parents[2] / "docs/reference/instruments.md"
ALL = (*catalogue(), *of_others())


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.id)
def test_what_is_told_leaves_nothing_out_that_is_known(asked: Instrument) -> None:
    said = flat(told(asked))
    whole = [asked.name.en, asked.id, asked.version, asked.source, asked.licence, asked.key, asked.loinc]
    for scale in asked.scales:
        whole += [scale.id, scale.name.en, scale.higher, scale.loinc]
        whole += [each.source for each in (scale.reliability, scale.sd) if each]
        whole += [f"{each.side} {each.value:g}: {each.means} ({each.source})" for each in scale.cutoffs]
        whole += [f"{each.points:g} points are {each.means} ({each.source})" for each in scale.changes]
        whole += [each.source for each in scale.bands]
        whole += [f"{band.name} from {band.start:g}" for each in scale.bands for band in each.bands]
    assert [part for part in whole if part and flat(part) not in said] == []


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.id)
def test_no_line_is_longer_than_a_hundred_characters(asked: Instrument) -> None:
    assert max(map(len, told(asked).splitlines())) <= 100


def test_what_is_told_of_phq9_says_which_items_and_whose_safety() -> None:
    lines = [" ".join(line.split()) for line in told(instrument("phq9")).splitlines()]
    assert {
        "apart difficulty",
        "safety 9 from 1",
        "items 1-9",
        "counted sum; 7 of 9 must be answered",
    } <= set(lines)


def test_runs_of_items_are_told_in_short_and_pairs_are_not() -> None:
    assert "items        1-5, 7, 8, 10-15, 17-21, 23, 25-33" in told(instrument("core_om"))


def test_a_factor_is_told() -> None:
    assert "sum, times 2; 7 of 7 must be answered" in told(instrument("dass21"))


def test_an_instrument_without_words_says_how_they_are_loaded() -> None:
    assert "`attunement instruments load FILE`" in flat(told(instrument("gad7")))
    assert "instruments load" not in told(instrument("srs"))
    assert "instruments load" not in told(instrument("state"))


def test_what_a_therapist_or_a_supervisor_answers_is_said_not_to_be_asked_here() -> None:
    for each in of_others():
        assert ("not asked here" in flat(told(each))) is (each.asked_of != "client")
        assert each.takes_words is (each.words == "missing" and each.asked_of == "client")
    assert "answered by a supervisor, not asked here" in flat(told(instrument("cms")))
    assert "instruments load" not in told(instrument("proqol5"))
    assert listed([instrument("proqol5")]).endswith("words: not loaded  answered by a therapist")


def test_a_loaded_instrument_without_a_key_is_not_our_own() -> None:
    loaded = replace(instrument("arm5"), words="loaded", right="Made up", key="", choices=())
    assert "key not known" in flat(told(loaded))
    assert "our own" not in told(loaded)
    assert "our own" in told(instrument("state"))


def test_words_that_were_loaded_are_told_with_their_right_and_their_language() -> None:
    loaded = replace(
        instrument("arm5"), words="loaded", right="Made up for a test", languages=("es",), choices=()
    )
    said = flat(told(loaded))
    assert "words loaded by the practice, in Spanish" in said
    assert "right Made up for a test" in said


def test_the_list_has_a_line_for_each_and_its_columns_stand_one_under_the_other() -> None:
    lines = listed(ALL).splitlines()
    assert [line.split()[0] for line in lines] == [each.id for each in ALL]
    assert len({line.index("  words: ") for line in lines}) == 1


def test_a_list_of_none_is_empty() -> None:
    assert listed([]) == ""


def test_the_table_of_the_docs_is_the_catalogue_s() -> None:
    """`tabled(of_others())` is what stands between the two marks."""
    shown = (
        PAGE.read_text(encoding="utf-8")
        .partition("<!-- table -->\n\n")[2]
        .partition("\n<!-- end of table -->")[0]
    )
    assert shown == tabled(of_others())


def test_the_table_names_each_once_with_what_can_be_made_of_it() -> None:
    rows = {
        row.split("`")[1]: [cell.strip() for cell in row.split("|")]
        for row in tabled(of_others()).splitlines()[2:]
    }
    assert list(rows) == [each.id for each in of_others()]
    assert rows["phq9"][4:8] == ["10", "total", "none as yet", "yes"]
    assert rows["srs"][4:8] == ["–", "total", "none ever", "totals only"]
    for each in of_others():
        assert (rows[each.id][6:8] == ["not loaded", "no"]) is (each.asked_of != "client")
    assert rows["blri"][7:9] == ["totals only", "Not known surely"]
