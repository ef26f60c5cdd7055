"""The instruments of others: what is known of them is whole and has its source, and not one of their words is here."""

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from attunement.errors import InputError, InstrumentProblem
from attunement.instruments import Instrument, catalogue, from_table, instrument, loads, of_others, to_table
from attunement.practice import Practice
from attunement.sessions import Purpose
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

FOLDER = files("attunement.instruments") / "catalogue" / "others"
TEXTS = {
    file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir() if file.name.endswith(".toml")
}
NAMES = {"name"}
"""The only fields that may hold words in a language: names of instruments and scales, which are facts."""

CERTAINTIES = (
    "Seen in ",
    "From memory of the published key; check it",
    "Not known surely: ",
    "Nothing is counted ",
)
RIGHTS = ("Free to show", "CC BY-NC-", "Permission needed;", "Not verified;", "Totals only;")

every_one = pytest.mark.parametrize("other", of_others(), ids=lambda other: other.id)


def spoken(value: Any, field: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any part of a TOML file
    """Every text in a language, with the field that it stands in."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in {"en", "es"}:
                yield field, part
            else:
                yield from spoken(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from spoken(part, field)


def test_all_that_were_promised_are_there() -> None:
    assert {each.id for each in of_others()} >= {
        "phq9", "gad7", "pcl5", "dass21", "core10", "core_om", "who5", "k10", "wai_sr", "wai_s", "arm5", "haq2",
        "rri_client", "rri_therapist", "blri", "care_measure", "seq", "fwc24", "fwc58", "fwc_bv", "care_scale", "cms",
        "chs", "ptgi", "proqol5", "ors", "srs", "oq45",
    }  # fmt: skip


@pytest.mark.parametrize("file", sorted(TEXTS))
def test_each_stands_in_a_file_of_its_name(file: str) -> None:
    assert loads(TEXTS[file]).id == file.removesuffix(".toml")


@every_one
def test_it_is_kept_as_a_table_and_comes_back_as_it_was(other: Instrument) -> None:
    assert from_table(to_table(other)) == other


@every_one
def test_it_has_no_words(other: Instrument) -> None:
    assert other.words in {"missing", "totals only"}
    assert (other.intro.en, other.intro.es) == ("(no words)", "(sin palabras)")
    assert (other.ends.at_low.en, other.ends.at_high.en) == (str(other.ends.low), str(other.ends.high))
    for item in other.items:
        assert re.fullmatch(r"Item \d+(, difficulty)?", item.wording.en)
        assert re.fullmatch(r"Ítem \d+(, dificultad)?", item.wording.es)
        assert not any(choice.wording for choice in other.choices_of(item))


@pytest.mark.parametrize("file", sorted(TEXTS))
def test_its_file_holds_no_text_in_a_language_but_names(file: str) -> None:
    texts = {text for field, text in spoken(tomllib.loads(TEXTS[file])) if field not in NAMES}
    assert texts <= {"Item 10, difficulty", "Ítem 10, dificultad"}


@every_one
def test_nobody_can_be_asked(other: Instrument) -> None:
    assert not other.askable
    assert other.id not in {each.id for each in catalogue()}
    assert instrument(other.id) == other


def test_an_invitation_to_one_is_refused_by_its_name(tmp_path: Path) -> None:
    practice = Practice.found(
        tmp_path / "practice", "T-1", "glacier pencil tomorrow violin", RecoveryCode.fresh(), cost=LEAST
    )
    practice.take_on("K-01", agreed=[Purpose.CHECK_INS])
    practice.log_session("K-01", datetime(2026, 3, 2, 9, tzinfo=UTC))
    for other in of_others():
        with pytest.raises((InputError, InstrumentProblem), match=rf"\b{other.id}\b"):
            practice.invite("K-01", 1, instrument=other.id)


@every_one
def test_it_says_whose_it_is_where_it_was_published_and_what_a_practice_must_have(other: Instrument) -> None:
    assert re.search(r"\(\d{4}\)", other.source)
    assert other.licence.startswith(RIGHTS)
    assert "; " in other.licence  # the short of it; then the holder


@every_one
def test_it_says_how_surely_its_key_is_known(other: Instrument) -> None:
    assert other.key.startswith(CERTAINTIES)
    assert other.key.endswith(".")
    assert other.key.startswith("Not known surely") is bool(other.unscored)
    assert other.key.startswith("Nothing is counted") is (other.words == "totals only")


@every_one
def test_it_says_where_the_rule_for_skipped_items_is_from_wherever_a_score_is_made(other: Instrument) -> None:
    scored = other.words != "totals only" and not other.unscored
    assert ("Skipped: " in other.key) is scored
    lenient = any(scale.at_least < len(scale.items) for scale in other.scales)
    assert ("made up by the mean of the rest" in other.key) is lenient


@every_one
def test_each_figure_has_its_source(other: Instrument) -> None:
    for scale in other.scales:
        sources = [each.source for each in scale.cutoffs] + [each.source for each in scale.bands]
        sources += [each.source for each in scale.changes]
        sources += [each.source for each in (scale.reliability, scale.sd) if each]
        assert all(source.strip() for source in sources)


@every_one
def test_where_a_key_is_not_known_no_item_is_said_to_count_anywhere(other: Instrument) -> None:
    if other.unscored:
        assert not any(item.reverse for item in other.items)
        assert all(not scale.items and scale.limits for scale in other.scales)


@every_one
def test_answers_of_whole_steps_take_no_half_steps(other: Instrument) -> None:
    halves = [item for item in other.items if other.holds(item, other.ends.low + 0.5)]
    assert not halves or other.id == "seq"  # its seven steps have no words of their own
