"""A questionnaire of others with the words that a practice has the right to: loaded, asked, scored, retired."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cast import ANSWERS, BEGAN, Cast, loaded

from attunement.errors import Gone, InputError
from attunement.instruments import instrument, of_others
from attunement.sessions import Purpose

MILD: dict[str, float | None] = {f"item{number}": 1 for number in range(1, 10)} | {
    "item9": 0,
    "difficulty": None,
}


def asked(cast: Cast, session: int = 1) -> str:
    return cast.first.invite("K-01", session, instrument="phq9").token


@pytest.fixture
def cast_with_words(cast: Cast) -> Cast:
    cast.first.load_instrument(loaded())
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    cast.first.log_session("K-01", BEGAN)
    return cast


def test_what_was_loaded_is_asked_in_its_own_words_and_scored_by_its_own_key(cast_with_words: Cast) -> None:
    token = asked(cast_with_words)
    assert cast_with_words.client.invitation(token).instrument == loaded()
    cast_with_words.client.receive(token, MILD, "some-sending")
    (check_in,) = cast_with_words.first.check_ins("K-01")
    assert check_in.score is not None
    assert (check_in.instrument, check_in.version, check_in.score["total"]) == ("phq9", "2001", 8)
    assert cast_with_words.first.own_tables().outcomes.to_dicts()[0]["outcome"] == 8


def test_without_words_nobody_can_be_asked(cast: Cast) -> None:
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    cast.first.log_session("K-01", BEGAN)
    with pytest.raises(InputError, match="The words of phq9 are not here, so nobody can be asked; load them"):
        asked(cast)
    for bare in of_others():
        with pytest.raises(InputError, match=r"comes without words|is answered by a"):
            cast.first.load_instrument(bare)


def test_what_a_therapist_answers_is_not_asked_of_clients(cast: Cast) -> None:
    with pytest.raises(InputError, match="answered by a therapist; here clients are asked"):
        cast.first.load_instrument(replace(loaded(), asked_of="therapist"))


def test_ours_are_not_replaced(cast: Cast) -> None:
    ours = replace(instrument("connection"), words="loaded", right="none")
    with pytest.raises(InputError, match="is the id of an instrument of ours"):
        cast.first.load_instrument(ours)


def test_an_answer_that_asks_for_a_look_raises_a_concern_though_all_else_was_skipped(
    cast_with_words: Cast,
) -> None:
    skipped: dict[str, float | None] = dict.fromkeys(MILD, None)
    received = cast_with_words.client.receive(asked(cast_with_words), skipped | {"item9": 1}, "some-sending")
    assert received.at_risk
    (concern,) = cast_with_words.first.concerns("K-01")
    assert (concern.item, concern.answer) == ("phq9.item9", 1)


def test_the_same_version_with_other_words_is_refused_and_another_version_takes_its_place(
    cast_with_words: Cast,
) -> None:
    other = replace(loaded(), right="another right")
    with pytest.raises(InputError, match="is there in version 2001 with other words"):
        cast_with_words.first.load_instrument(other)
    cast_with_words.client.receive(asked(cast_with_words), MILD, "some-sending")
    cast_with_words.first.load_instrument(replace(other, version="2001 b"))
    assert [(each.instrument.version, each.asked) for each in cast_with_words.first.instruments()] == [
        ("2001", False), ("2001 b", True),
    ]  # fmt: skip
    (check_in,) = cast_with_words.first.check_ins("K-01")
    assert check_in.asked == loaded()
    assert cast_with_words.client.invitation(asked(cast_with_words)).instrument.version == "2001 b"


def test_what_is_retired_is_asked_no_longer_and_its_links_end(cast_with_words: Cast) -> None:
    token = asked(cast_with_words)
    cast_with_words.first.retire_instrument("phq9")
    with pytest.raises(Gone):
        cast_with_words.client.invitation(token)
    with pytest.raises(Gone):
        cast_with_words.client.receive(token, MILD, "some-sending")
    with pytest.raises(InputError, match="are not here"):
        asked(cast_with_words)
    cast_with_words.first.load_instrument(loaded())
    assert cast_with_words.client.receive(token, MILD, "some-sending").receipt


def test_a_questionnaire_on_the_bond_that_was_loaded_is_a_measure_of_its_own(cast: Cast) -> None:
    bond = replace(instrument("connection"), id="bond", words="loaded", right="ours, under another name")
    cast.first.load_instrument(bond)
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    for number in (1, 2):
        cast.first.log_session("K-01", BEGAN)
        for which in ("bond", "connection"):
            token = cast.first.invite("K-01", number, instrument=which).token
            cast.client.receive(token, ANSWERS, f"sending-{which}-{number}")
    assert [(each.id, each.ratings.height) for each in cast.first.rated()] == [
        ("connection", 2),
        ("bond", 2),
    ]
    assert cast.first.ratings().height == 2


def test_de_identified_rows_are_scored_by_what_was_asked(cast_with_words: Cast) -> None:
    cast_with_words.client.receive(asked(cast_with_words), MILD, "some-sending")
    for number in range(2, 6):
        client = f"K-0{number}"
        cast_with_words.first.take_on(client, agreed=tuple(Purpose))
        cast_with_words.first.log_session(client, BEGAN)
    rows = cast_with_words.first.deidentify()
    assert [row["score"] for row in rows if row["instrument"] == "phq9"] == [8]
