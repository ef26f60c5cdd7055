"""Words that a practice loads, laid over what is shipped without any. All words here are made up."""

import json

import pytest

from attunement.errors import InstrumentProblem
from attunement.instruments import Instrument, from_table, instrument, of_others, score, to_table, worded

SHELF = {each.id: each for each in of_others()}
NUMBERS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ORDINALS = (
    "primera",
    "segunda",
    "tercera",
    "cuarta",
    "quinta",
    "sexta",
    "séptima",
    "octava",
    "novena",
    "décima",
)
RIGHT = "Made up by us for the tests"


def words(language: str, *, items: int = 10, choices: int = 4, own: int = 4) -> str:
    """Made-up words of one language for an instrument like PHQ-9."""
    made = (
        [f"{each} made-up line" for each in NUMBERS]
        if language == "en"
        else [f"{each} línea inventada" for each in ORDINALS]
    )
    answers = ["made-up answer"] if language == "en" else ["respuesta inventada"]
    lines = [
        f"[{language}]",
        f'intro = "{"A made-up heading" if language == "en" else "Un encabezado inventado"}"',
        f"items = {json.dumps(made[:items], ensure_ascii=False)}",
        f"choices = {json.dumps([f'{answers[0]} {number}' for number in range(choices)], ensure_ascii=False)}",
    ]
    if own:
        lines += [f"[{language}.own]"]
        lines += [f"difficulty = {json.dumps([f'own {answers[0]} {number}' for number in range(own)])}"]
    return "\n".join(lines)


def phq9(*languages: str, right: str = f'right = "{RIGHT}"') -> str:
    return "\n".join(['instrument = "phq9"', right, *languages])


def refused(toml: str) -> str:
    with pytest.raises(InstrumentProblem) as refusal:
        worded(toml, SHELF)
    return str(refusal.value)


@pytest.fixture
def loaded() -> Instrument:
    return worded(phq9(words("en"), words("es")), SHELF)


def test_words_in_two_languages_make_it_askable_in_both(loaded: Instrument) -> None:
    assert (loaded.askable, loaded.words, loaded.right) == (True, "loaded", RIGHT)
    assert loaded.languages == ("en", "es")
    assert [item.wording.en for item in loaded.items][:2] == ["first made-up line", "second made-up line"]
    assert loaded.items[8].wording.es == "novena línea inventada"
    assert loaded.intro.say("es") == "Un encabezado inventado"


def test_words_in_one_language_stand_for_both_and_it_says_which_it_has() -> None:
    loaded = worded(phq9(words("es")), SHELF)
    assert loaded.languages == ("es",)
    assert loaded.items[0].wording.say("en") == loaded.items[0].wording.say("es") == "primera línea inventada"


def test_words_change_nothing_of_what_is_counted(loaded: Instrument) -> None:
    bare = instrument("phq9")
    assert loaded.scales == bare.scales
    assert [(item.id, item.loinc, item.risk_from, item.apart) for item in loaded.items] == [
        (item.id, item.loinc, item.risk_from, item.apart) for item in bare.items
    ]
    answers = {item.id: 1 for item in bare.items}
    assert score(loaded, answers) == score(bare, answers)


def test_the_answers_have_their_words_and_keep_their_values_and_codes(loaded: Instrument) -> None:
    said = [(each.value, each.loinc, each.wording and each.wording.en) for each in loaded.choices]
    assert said[0] == (0, "LA6568-5", "made-up answer 0")
    assert said[3] == (3, "LA6571-9", "made-up answer 3")
    assert (loaded.ends.at_low.en, loaded.ends.at_high.en) == ("made-up answer 0", "made-up answer 3")


def test_the_answers_of_the_item_that_has_others_are_its_own(loaded: Instrument) -> None:
    own = loaded.item("difficulty").choices
    assert [each.wording and each.wording.es for each in own] == [
        f"own respuesta inventada {n}" for n in range(4)
    ]
    assert [each.loinc for each in own] == ["LA6572-7", "LA6573-5", "LA6575-0", "LA6574-3"]


def test_what_was_loaded_is_kept_as_a_table_and_comes_back_as_it_was(loaded: Instrument) -> None:
    assert from_table(json.loads(json.dumps(to_table(loaded)))) == loaded
    one = worded(phq9(words("es")), SHELF)
    assert from_table(json.loads(json.dumps(to_table(one)))) == one


def test_what_is_shipped_stays_without_words(loaded: Instrument) -> None:
    assert loaded.askable
    assert not instrument("phq9").askable
    assert instrument("phq9").items[0].wording.en == "Item 1"


@pytest.mark.parametrize(("items", "said"), [(9, "9 texts; it takes 10"), (0, "items is []")])
def test_too_few_lines_are_refused_with_how_many_it_takes(items: int, said: str) -> None:
    assert said in refused(phq9(words("en", items=items)))


def test_an_empty_line_is_refused() -> None:
    assert "none of them empty" in refused(phq9(words("en").replace("first made-up line", "  ")))


def test_too_few_answers_are_refused_with_how_many_it_takes() -> None:
    assert refused(phq9(words("en", choices=3))) == (
        "the words, en: choices has 3 texts; it takes 4, none of them empty."
    )


def test_the_item_with_answers_of_its_own_must_have_them_all() -> None:
    assert "difficulty has 3 texts; it takes 4" in refused(phq9(words("en", own=3)))
    assert "difficulty is missing" in refused(phq9(words("en", own=0)))


def test_words_without_a_right_are_refused() -> None:
    assert refused(phq9(words("en"), right="")) == (
        "the words: right is missing; it takes by what right these words are shown."
    )
    assert "right is '  '" in refused(phq9(words("en"), right='right = "  "'))


def test_words_in_no_language_are_refused() -> None:
    assert refused(phq9()) == (
        "the words: neither [en] nor [es] is there; words are in one of them, or in both."
    )


def test_words_of_a_third_language_are_refused() -> None:
    assert refused(phq9(words("en"), words("en").replace("[en", "[fr"))).startswith(
        "the words: fr is no field"
    )


@pytest.mark.parametrize("which", ["srs", "ors", "oq45"])
def test_an_instrument_of_totals_takes_no_words(which: str) -> None:
    said = refused(phq9(words("en")).replace("phq9", which))
    assert said.startswith(f"There is no instrument '{which}' that takes words; there is arm5, ")
    assert f" {which}," not in said.partition("there is arm5")[2]


def test_an_instrument_that_is_not_there_takes_no_words() -> None:
    assert refused(phq9(words("en")).replace("phq9", "wai")).startswith("There is no instrument 'wai' that")


def test_an_instrument_whose_answers_have_no_words_of_their_own_takes_the_words_of_its_ends() -> None:
    lines = json.dumps([f"made-up pair {number}" for number in range(21)])
    loaded = worded(
        f'instrument = "seq"\nright = "{RIGHT}"\n[en]\nintro = "A made-up heading"\n'
        f'items = {lines}\nat_low = "one made-up end"\nat_high = "the other"',
        SHELF,
    )
    assert (loaded.ends.at_low.en, loaded.ends.at_high.en) == ("one made-up end", "the other")
    assert loaded.askable


def test_words_do_not_make_a_score_where_the_key_is_not_known() -> None:
    lines = json.dumps([f"made-up word {number}" for number in range(12)])
    choices = json.dumps([f"made-up answer {number}" for number in range(5)])
    loaded = worded(
        f'instrument = "fwc_bv"\nright = "{RIGHT}"\n[en]\nintro = "A made-up heading"\n'
        f"items = {lines}\nchoices = {choices}",
        SHELF,
    )
    with pytest.raises(InstrumentProblem, match="fwc_bv: no score is made here"):
        score(loaded, {item.id: 1 for item in loaded.items})
