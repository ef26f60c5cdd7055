"""What findings say: both languages, the same values, plain words, each sentence reached from somewhere."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from attunement.concerns import Protocol
from attunement.connecting import HYPOTHESES
from attunement.countertransference.feelings import FACTORS, NEGATIVE, POSITIVE
from attunement.countertransference.mirror import HOURS, PARTS
from attunement.instruments import catalogue, instrument
from attunement.reports.meaning import FURTHER
from attunement.reports.supervision import WORDS as ON_PAPER
from attunement.sessions import ABOUT, PULLS, STRAINS, WHOSE
from attunement.supervising.report import OWN
from attunement.web import words
from attunement.web.attention import ERROR_RATE
from attunement.web.pages.telling import LABELS as ON_PAGE
from attunement.wording import FILES, in_hundred, number, say, sentences

HARDEST, HARDEST_FOR_CLIENTS = 9.0, 6.0  # automated readability index: about ninth and sixth grade
SOURCE = Path(__file__).parents[1] / "src" / "attunement"


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def filled(text: str) -> str:
    """A sentence as it is read: a short number where a value goes."""
    return re.sub(r"\{[a-z_]+\}", "5", text)


def readability(text: str) -> float:
    """Automated readability index (Smith & Senter 1967): letters a word, words a sentence."""
    letters = sum(sign.isalnum() for sign in text)
    words, ends = len(text.split()), max(len(re.findall(r"[.?!:;](\s|$)", text)), 1)
    return 4.71 * letters / words + 0.5 * words / ends - 21.43


def test_every_file_is_listed_and_every_name_begins_with_its_file() -> None:
    there = sorted(
        each.name.removesuffix(".toml")
        for each in files("attunement.wording").iterdir()
        if each.name.endswith(".toml")
    )
    assert there == sorted(FILES)


@pytest.mark.parametrize("name", sorted(sentences()))
def test_both_languages_are_there_and_hold_the_same_values(name: str) -> None:
    both = sentences()[name]
    assert set(both) == {"en", "es"}
    source = {"source"}  # some are told in one language's own words
    assert values(both["en"]) - source == values(both["es"]) - source
    assert both["en"] != both["es"]


@pytest.mark.parametrize(
    "name", sorted(name for name, both in sentences().items() if both["en"].endswith("."))
)
def test_a_therapist_reads_it_between_two_sessions(name: str) -> None:
    assert readability(filled(sentences()[name]["en"])) <= HARDEST


def read_by_a_client() -> list[str]:
    """All English sentences of a client's pages; labels, which have no end, are left out."""
    asked = catalogue()
    lines = [both["en"] for both in words.sentences().values()]
    lines += [text for each in asked for text in (each.intro.en, *(item.wording.en for item in each.items))]
    return [text for text in (*lines, Protocol().help_en) if text.endswith((".", "?", ":"))]


@pytest.mark.parametrize("sentence", read_by_a_client())
def test_a_client_reads_it_on_a_phone_perhaps_upset(sentence: str) -> None:
    assert readability(filled(sentence)) <= HARDEST_FOR_CLIENTS


def test_a_clients_page_holds_the_same_values_in_both_languages() -> None:
    for both in words.sentences().values():
        assert set(both) == {"en", "es"}
        assert values(both["en"]) == values(both["es"])
        assert both["en"].endswith((".", "?", ":")) == both["es"].endswith((".", "?", ":"))


def test_the_rooms_hold_the_same_values_in_both_languages_and_say_nothing_that_no_page_says() -> None:
    pages = "\n".join(each.read_text(encoding="utf-8") for each in SOURCE.rglob("*.html"))
    built = ("nav_", "mirror_", "impact_", "norms_said_", "course", "board", "card", "handover_")
    for name, both in words.sentences("rooms").items():
        assert set(both) == {"en", "es"}
        assert values(both["en"]) == values(both["es"])
        assert f'"{name}"' in pages or f"'{name}'" in pages or name.startswith(built), name
        if both["en"].endswith("."):
            assert readability(filled(both["en"])) <= HARDEST, name


def test_every_sentence_is_said_somewhere() -> None:
    code = "\n".join(each.read_text(encoding="utf-8") for each in SOURCE.rglob("*.py"))
    board = {f"{each}_{part}" for each in HYPOTHESES for part in ("name", "for", "against", "missing", "ask")}
    sides = ("more", "less", "alike", "unclear")
    feelings = {f"feelings_share_{each}" for each in PARTS} | {f"feelings_hour_{each}" for each in HOURS}
    feelings |= {f"{of}_{side}" for of in ("feelings", "feelings_habit", "feelings_day") for side in sides}
    words = {f"feeling_{each.replace(' ', '_')}" for each in (*POSITIVE, *NEGATIVE, *FACTORS)}
    lines = {f"conversation_ask_{each}" for each in instrument("connection").scale("total").items}
    tried = {f"conversation{ask}_step_{each}" for ask in ("", "_ask") for each in ("open", "yes", "no")}
    rooms = {each for each in sentences() if each.startswith(("rooms_about_", "rooms_no_", "rooms_from_"))}
    built_of_two = {f"trajectory_pairing_{each}" for each in ("apart", "alike", "unclear")}
    steps = {f"steps_{each}_{part}" for each in ABOUT for part in ("name", "opening", "1", "2", "3")}
    built = board | feelings | words | lines | tried | rooms | steps | built_of_two
    built |= {f"further_{each}" for each in FURTHER}
    whose = {f"whose_{each.replace(' ', '_').replace(chr(39), '')}" for each in WHOSE}
    own = {f"supervision_own_{each}" for each in (*PULLS, *STRAINS, *whose)}
    built |= own | {f"supervision_{each}" for each in (*ON_PAPER, *ON_PAGE, *OWN)}
    assert [
        name for name in sentences() if not re.search(f"[\"']{name}[\"']", code) and name not in built
    ] == []


def test_a_report_states_the_error_rate_that_the_rooms_state() -> None:
    assert say("supervision_falling_rate", "en") == ERROR_RATE


def test_a_sentence_with_a_value_left_out_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("rupture_seen", "en")


def test_numbers_are_written_as_the_language_does() -> None:
    assert (number(1.25, 1, "es"), number(-0.001, 1), in_hundred(0.0)) == ("1,2", "0.0", "1")
