"""What a file is, is seen from it; and what malformed files begin from is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sound import BUNDLE, DICTIONARY, QUESTIONNAIRE, RECORDS, TOTALS, WORDS, tables

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.incoming import counted, entries_of, instruments_of, kind_of, told
from attunement.exchange.recipes import recipes
from attunement.instruments import catalogue, of_others

if TYPE_CHECKING:
    from attunement.exchange.entries import Entry
    from attunement.exchange.formats import Kind

SHELF = {each.id: each for each in (*of_others(), *catalogue())}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", BUNDLE, "fhir"),
        ("a.ndjson", b'\xef\xbb\xbf {"resourceType":"Patient"}', "fhir"),
        ("a.zip", tables(), "tables"),
        ("totals.csv", b"client,session,at,instrument,scale,value\n", "tables"),
        ("totals.csv", TOTALS, None),
        ("records.csv", RECORDS, "redcap"),
        ("ratings.csv", b"client,session,score\n", None),
        ("a.parquet", b"PAR1", None),
    ],
)
def test_what_a_file_is_is_told_by_what_it_holds(name: str, content: bytes, kind: Kind | None) -> None:
    assert kind_of(content, name) == kind


@pytest.mark.parametrize(
    ("kind", "content", "settings", "said"),
    [
        ("fhir", BUNDLE, {}, "1 client, 1 session, 1 total"),
        ("tables", tables(), {}, "1 client, 1 session, 1 total"),
        ("redcap", RECORDS, {}, "1 client, 2 sessions"),
        ("recipe", TOTALS, {"of": "ors_srs"}, "1 client, 2 sessions, 4 totals"),
    ],
)
def test_each_kind_is_read_apart(kind: Kind, content: bytes, settings: dict[str, Any], said: str) -> None:
    found: list[Entry] = list(
        entries_of(content, kind, f"a.{'zip' if kind == 'tables' else 'csv'}", SHELF, **settings)
    )
    assert counted(found) == said
    assert all(told(each) for each in found)


def test_what_was_passed_over_reaches_whoever_takes_a_file_in() -> None:
    response = b'{"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "http://x.org/q"}\n'
    notes: list[str] = []
    assert list(entries_of(response * 9, "fhir", "a.ndjson", SHELF, note=notes.append)) == []
    assert notes == ["Passed over: 9 × QuestionnaireResponse to a Questionnaire that is not on the shelf."]
    assert list(entries_of(response, "fhir", "a.ndjson", SHELF)) == []


@pytest.mark.parametrize(
    ("content", "file", "settings", "said"),
    [
        (DICTIONARY, "d.csv", {"higher": "worse"}, "A data dictionary does not say which items count where"),
        (DICTIONARY, "d.csv", {"language": "fr"}, "in one of en, es"),
        (DICTIONARY, "d.csv", {"odd": "x"}, "What was said of the file cannot be used: .*'odd'"),
        (QUESTIONNAIRE, "q.json", {"higher": "up"}, "is one of closer, better, worse"),
        (QUESTIONNAIRE, "q.json", {"language": "en"}, "says itself in which language"),
        (QUESTIONNAIRE, "q.json", {"odd": "x"}, "cannot be used"),
    ],
)
def test_what_is_said_of_a_file_and_has_no_use_is_not_blamed_on_the_file(
    content: bytes, file: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        instruments_of(content, file, SHELF, "made up", **settings)


@pytest.mark.parametrize("kind", ["fhir", "tables", "redcap", "recipe"])
def test_a_setting_that_no_reader_has_is_said_before_the_file_is_read(kind: Kind) -> None:
    settings: dict[str, Any] = {"of": "ors_srs"} if kind == "recipe" else {}
    with pytest.raises(InputError, match="What was said of the file cannot be used"):
        list(entries_of(b"{}", kind, "a", SHELF, odd=1, **settings))


def test_a_time_zone_that_there_is_not_is_said_so() -> None:
    with pytest.raises(InputError, match="There is no such time zone"):
        list(entries_of(RECORDS, "redcap", "records.csv", SHELF, zone="Mars/Base"))


def test_a_recipe_is_named_or_all_are() -> None:
    with pytest.raises(InputError, match=recipes()[0].id):
        entries_of(TOTALS, "recipe", "a.csv", SHELF)


def test_instruments_come_from_three_kinds_of_files() -> None:
    (asked,) = instruments_of(QUESTIONNAIRE, "q.json", SHELF, "made up", higher="better", name="made_up")
    assert (asked.id, asked.words, asked.right, len(asked.items)) == ("made_up", "loaded", "made up", 4)
    (form,) = instruments_of(DICTIONARY, "d.csv", SHELF, "made up")
    assert [item.id for item in form.items] == ["q1", "q2"]
    (named,) = instruments_of(DICTIONARY, "d.csv", SHELF, "made up", name="another", language="es")
    assert (named.id, named.languages) == ("another", ("es",))
    (other,) = instruments_of(QUESTIONNAIRE, "q.json", SHELF, "made up", higher="better", name="another")
    assert other.id == "another"
    with pytest.raises(InstrumentProblem, match="made_up"):
        instruments_of(WORDS, "w.toml", SHELF, "")
