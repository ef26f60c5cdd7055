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
    cast.first.load_instruments(loaded())
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
            cast.first.load_instruments(bare)


def test_what_a_therapist_answers_is_not_asked_of_clients(cast: Cast) -> None:
    with pytest.raises(InputError, match="answered by a therapist; here clients are asked"):
        cast.first.load_instruments(replace(loaded(), asked_of="therapist"))


def test_ours_are_not_replaced(cast: Cast) -> None:
    ours = replace(instrument("connection"), words="loaded", right="none")
    with pytest.raises(InputError, match="is the id of an instrument of ours"):
        cast.first.load_instruments(ours)


def test_an_answer_that_asks_for_a_look_raises_a_concern_though_all_else_was_skipped(
    cast_with_words: Cast,
) -> None:
    skipped: dict[str, float | None] = dict.fromkeys(MILD, None)
    received = cast_with_words.client.receive(asked(cast_with_words), skipped | {"item9": 1}, "some-sending")
    assert received.at_risk
    (concern,) = cast_with_words.first.concerns("K-01")
    assert (concern.item, concern.answer) == ("phq9.item9", 1)


def test_words_are_corrected_while_nobody_has_answered_them_and_are_another_edition_afterwards(
    cast_with_words: Cast,
) -> None:
    corrected = replace(loaded(), right="another right")
    cast_with_words.first.load_instruments(corrected)
    assert [each.instrument for each in cast_with_words.first.instruments()] == [corrected]
    cast_with_words.client.receive(asked(cast_with_words), MILD, "some-sending")
    cast_with_words.first.load_instruments(loaded())
    assert [(each.instrument.version, each.asked, each.by) for each in cast_with_words.first.instruments()] == [
        ("2001", False, "T-1"), ("2001, edition 2", True, "T-1"),
    ]  # fmt: skip
    (check_in,) = cast_with_words.first.check_ins("K-01")
    assert check_in.asked == corrected
    assert cast_with_words.client.invitation(asked(cast_with_words)).instrument.version == "2001, edition 2"
    given = cast_with_words.first.entries()
    assert cast_with_words.first.take_in_entries(given).there == len(given)


def test_a_link_takes_the_words_that_it_was_made_with(cast_with_words: Cast) -> None:
    cast_with_words.client.receive(asked(cast_with_words), MILD, "some-sending")
    token = asked(cast_with_words)
    cast_with_words.first.load_instruments(replace(loaded(), right="another right"))
    cast_with_words.client.receive(token, MILD, "another-sending")
    assert {each.version for each in cast_with_words.first.check_ins("K-01")} == {"2001"}


def test_what_is_retired_is_shown_no_longer_and_what_is_sent_by_a_link_of_before_is_not_lost(
    cast_with_words: Cast,
) -> None:
    token = asked(cast_with_words)
    cast_with_words.first.retire_instrument("phq9")
    with pytest.raises(Gone):
        cast_with_words.client.invitation(token)
    with pytest.raises(InputError, match="are not here"):
        asked(cast_with_words)
    received = cast_with_words.client.receive(token, MILD | {"item9": 1}, "some-sending")
    assert received.at_risk
    assert cast_with_words.client.receive(token, MILD | {"item9": 1}, "some-sending") == received


def test_what_is_known_is_loaded_as_it_counts_and_never_where_its_owners_bar_it(cast: Cast) -> None:
    without = tuple(replace(item, risk_from=None) for item in loaded().items)
    for wrong, said in (
        (replace(loaded(), items=without), "phq9 is known, and this counts otherwise"),
        (replace(loaded(), credit=None), "its owners want their line under the words"),
        (replace(instrument("state"), id="ors", words="loaded", right="none"), "ors is never asked here"),
    ):
        with pytest.raises(InputError, match=said):
            cast.first.load_instruments(wrong)
        with pytest.raises(InputError, match=said):
            cast.first.load_instruments(
                replace(instrument("state"), id="mood", words="loaded", right="ours"), wrong
            )
    assert cast.first.instruments() == ()


def test_what_somebody_has_loaded_is_theirs_to_change_and_an_admins(cast_with_words: Cast) -> None:
    theirs = pytest.raises(InputError, match="was loaded by T-1; that account or an admin")
    with theirs:
        cast_with_words.second.retire_instrument("phq9")
    with theirs:
        cast_with_words.second.load_instruments(loaded())
    cast_with_words.admin.retire_instrument("phq9")
    assert not cast_with_words.first.instruments()[0].asked


def test_a_retired_one_stands_in_the_way_of_nothing(cast_with_words: Cast) -> None:
    cast_with_words.first.retire_instrument("phq9")
    assert cast_with_words.first.shelf()["phq9"] == instrument("phq9")
    assert cast_with_words.first.shelf()["phq9|2001"] == loaded()


def test_scores_of_versions_that_count_otherwise_are_two_series(cast: Cast) -> None:
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    for number, version in enumerate(("1", "2"), 1):
        bond = replace(instrument("connection"), id="bond", version=version, words="loaded", right="ours")
        scales = bond.scales if version == "1" else (replace(bond.scales[0], method="sum"), *bond.scales[1:])
        cast.first.load_instruments(replace(bond, scales=scales))
        cast.first.log_session("K-01", BEGAN)
        token = cast.first.invite("K-01", number, instrument="bond").token
        cast.client.receive(token, ANSWERS, f"sending-{number}")
    assert [(each.id, each.measure.high) for each in cast.first.rated()] == [
        ("bond", 70.0),
        ("bond, version 1", 10.0),
    ]
    assert set(cast.first.own_tables().outcomes["instrument"]) == {"bond", "bond, version 1"}


def test_a_questionnaire_on_the_bond_that_was_loaded_is_a_measure_of_its_own(cast: Cast) -> None:
    bond = replace(instrument("connection"), id="bond", words="loaded", right="ours, under another name")
    cast.first.load_instruments(bond)
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
