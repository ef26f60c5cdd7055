"""What our own instruments promise to the people who answer them."""

import re

import pytest

from attunement.instruments import Instrument, Language, Wording, catalogue, instrument

WORDS_A_MINUTE = 180
SECONDS_AN_ANSWER = 3
LANGUAGES: tuple[Language, ...] = ("en", "es")

every_instrument = pytest.mark.parametrize("asked", catalogue(), ids=lambda asked: asked.id)
every_language = pytest.mark.parametrize("language", LANGUAGES)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text)


def all_that_is_read(asked: Instrument) -> list[Wording]:
    return [asked.intro, asked.ends.at_low, asked.ends.at_high, *(item.wording for item in asked.items)]


def words_to_read(asked: Instrument, language: Language) -> int:
    return sum(len(words(wording.say(language))) for wording in all_that_is_read(asked))


def grade(text: str) -> float:
    """Flesch-Kincaid grade level (Kincaid et al. 1975), syllables counted as groups of vowels."""
    read = words(text)
    sentences = len(re.findall(r"[.?!]", text)) or 1
    syllables = sum(_syllables(word.lower()) for word in read)
    return 0.39 * len(read) / sentences + 11.8 * syllables / len(read) - 15.59


def _syllables(word: str) -> int:
    silent = re.sub(r"(?<=[^aeiouyl])e$|(?<=[^dt])ed$|(?<=[^aeiousxz])es$", "", word)
    return max(1, len(re.findall(r"[aeiouy]+", silent)))


@every_language
@every_instrument
def test_it_takes_a_client_a_minute_at_most(asked: Instrument, language: Language) -> None:
    reading = words_to_read(asked, language) / WORDS_A_MINUTE * 60
    assert reading + SECONDS_AN_ANSWER * len(asked.items) <= 60


@pytest.mark.parametrize(("name", "most"), [("connection", 95), ("state", 70), ("growth", 40)])
@every_language
def test_a_client_reads_few_words(name: str, most: int, language: Language) -> None:
    assert words_to_read(instrument(name), language) <= most


@every_language
@every_instrument
def test_no_line_is_longer_than_fourteen_words(asked: Instrument, language: Language) -> None:
    assert all(1 <= len(words(item.wording.say(language))) <= 14 for item in asked.items)


@every_instrument
def test_each_line_is_said_in_english_and_in_spanish(asked: Instrument) -> None:
    assert all(wording.en.strip() and wording.es.strip() for wording in all_that_is_read(asked))
    assert all(item.wording.en != item.wording.es for item in asked.items)


@every_instrument
def test_the_english_reads_at_sixth_grade_or_below(asked: Instrument) -> None:
    assert (
        grade(" ".join(wording.en for wording in [asked.intro, *(item.wording for item in asked.items)])) <= 6
    )


@every_language
@every_instrument
def test_no_line_asks_for_a_double_negative(asked: Instrument, language: Language) -> None:
    negations = {"not", "no", "never", "nobody", "nothing", "without", "nunca", "nadie", "nada", "sin", "ni"}
    for item in asked.items:
        assert not negations & {word.lower() for word in words(item.wording.say(language))}
        assert "n't" not in item.wording.say(language)


@every_instrument
def test_ours_are_free_for_all_and_say_that_they_are_not_validated(asked: Instrument) -> None:
    assert (asked.licence, asked.source) == ("CC0-1.0", "Attunement's own, written 2026")
    assert not asked.validated
    assert asked.note is not None
    assert asked.note.en == "Not a validated scale; compare only with this client's own earlier answers."


@every_instrument
def test_ours_are_answered_by_the_client_from_0_to_10(asked: Instrument) -> None:
    assert (asked.asked_of, asked.ends.low, asked.ends.high) == ("client", 0, 10)


def test_the_state_is_asked_before_a_session_and_the_connection_after_it() -> None:
    assert instrument("state").how_often == "before each session"
    assert instrument("connection").how_often == "after each session"
    assert instrument("growth").how_often == "each month"


def test_the_connection_counts_seven_lines_and_leaves_out_what_got_in_the_way() -> None:
    connection = instrument("connection")
    total = connection.scale("total")
    assert set(total.items) == {item.id for item in connection.items} - {"hindering"}
    assert (len(total.items), total.at_least, total.method, total.higher) == (7, 5, "mean", "closer")


def test_established_is_a_convention_and_is_called_one() -> None:
    established = instrument("connection").scale("total").established
    assert established is not None
    assert established.value == 7.0
    assert established.note.en == "A convention of this project: no alliance measure has a validated cutoff."


def test_in_the_state_only_distress_is_worse_when_higher() -> None:
    state = instrument("state")
    assert [item.id for item in state.items if item.reverse] == ["distress"]
    assert state.scale("total").higher == "better"
