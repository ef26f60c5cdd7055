"""After a client went to a colleague: what is the client's is with whoever has them, and what was one's own stays."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from cast import ANSWERS, BEGAN, PHRASES, Cast, reflected, seen

from attunement.errors import InputError, Refused
from attunement.sessions import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.practice import Practice
    from attunement.practice.handing_over import Handover

WEEK = timedelta(days=7)


@pytest.fixture
def practice(cast: Cast) -> Cast:
    """T-1 has K-01, who agreed to everything, is written down, and answered twice."""
    seen(cast.first, "K-01")
    cast.first.identify("K-01", "Somebody", "first@home.example")
    return cast


def transferred(cast: Cast, *, course: bool = False) -> str:
    offer = cast.first.offer("K-01", "T-2", kind="transfer", course=course)
    return cast.second.accept(offer.id, "L-07").client.code


def covered(cast: Cast) -> Handover:
    offer = cast.first.offer("K-01", "T-2", kind="cover", until=BEGAN + 3 * WEEK)
    cast.second.accept(offer.id, "L-07")
    return offer


def of_the_client(who: Practice, code: str) -> dict[str, Callable[[], object]]:
    """What is done to what is the client's, and not one therapist's."""
    return {
        "identity": partial(who.identity, code),
        "identify": partial(who.identify, code, "Overwritten"),
        "give_consent": partial(who.give_consent, code, Purpose.CHECK_INS),
        "withdraw_consent": partial(who.withdraw_consent, code, Purpose.CHECK_INS),
        "hold": partial(who.hold, code, "overwritten"),
        "release": partial(who.release, code),
        "resume": partial(who.resume, code),
        "erase": partial(who.erase, code),
        "offer": partial(who.offer, code, "T-2", kind="transfer"),
    }


# -- after a transfer


def test_whoever_handed_a_client_over_for_good_reaches_nothing_that_is_the_clients(practice: Cast) -> None:
    first, second = practice.first, practice.second
    transferred(practice)
    second.identify("L-07", "Somebody", "second@home.example")
    second.hold("L-07", "a court")
    for call in of_the_client(first, "K-01").values():
        with pytest.raises(
            InputError, match="You handed K-01 over for good; ask whoever has this client now"
        ):
            call()
    first.end("K-01", "agreed")  # how it ended can still be said, and opens nothing
    with pytest.raises(InputError, match="for good"):
        first.identity("K-01")
    assert second.identity("L-07") == ("Somebody", "second@home.example")
    assert second.clients()[-1].client.held == "a court"
    assert all(each.withdrawn is None for each in second.consents("L-07"))


def test_once_the_other_has_ended_too_whoever_handed_over_still_erases_nothing(practice: Cast) -> None:
    transferred(practice)
    practice.second.log_session("L-07", BEGAN)
    practice.second.end("L-07")
    with pytest.raises(InputError, match="for good"):
        practice.first.erase("K-01")
    assert len(practice.second.sessions("L-07")) == 1
    practice.second.erase("L-07")
    assert practice.first.clients() == ()


def test_what_was_ones_own_before_a_transfer_stays_readable(practice: Cast) -> None:
    first = practice.first
    reflected(first, "K-01", 2)
    transferred(practice)
    assert [len(each) for each in (first.sessions("K-01"), first.check_ins("K-01"))] == [2, 2]
    assert first.export("K-01")
    (mine,) = first.clients()
    assert mine.handed
    first.unlock(PHRASES["T-1"])
    assert len(first.reflections("K-01")) == 2


def test_a_client_who_is_handed_back_is_wholly_ones_own_again(practice: Cast) -> None:
    first = practice.first
    transferred(practice)
    back = practice.second.offer("L-07", "T-1", kind="transfer")
    first.accept(back.id, "K-01")
    with pytest.raises(InputError, match="for good"):
        practice.second.identity("L-07")
    first.identify("K-01", "Somebody Else")
    practice.hands.pass_by(WEEK)
    first.end("K-01")
    assert not first.clients()[0].handed
    assert first.resume("K-01").ended is None
    first.erase("K-01")
    assert practice.second.clients() == ()


# -- during a cover


def test_whoever_covers_reaches_the_client_and_hears_what_they_agree_to(practice: Cast) -> None:
    covered(practice)
    second = practice.second
    assert second.identity("L-07") == ("Somebody", "first@home.example")
    second.withdraw_consent("L-07", Purpose.RESEARCH)
    second.give_consent("L-07", Purpose.RESEARCH)
    second.hold("L-07", "a court")
    assert practice.first.clients()[0].client.held == "a court"


def test_whoever_covers_writes_no_name_and_neither_changes_a_hold_nor_erases(practice: Cast) -> None:
    covered(practice)
    practice.first.hold("K-01", "a court")
    tried = of_the_client(practice.second, "L-07")
    for verb in ("identify", "hold", "release", "erase"):
        with pytest.raises(InputError, match="You cover L-07 for somebody, who alone can"):
            tried[verb]()
    assert practice.first.identity("K-01")[0] == "Somebody"
    assert practice.first.clients()[0].client.held == "a court"


# -- the course before


def test_a_course_is_shown_once_however_often_the_client_went_to_and_fro(practice: Cast) -> None:
    first, second = practice.first, practice.second
    transferred(practice, course=True)
    practice.hands.pass_by(WEEK)
    back = second.offer("L-07", "T-1", kind="transfer", course=True)
    first.accept(back.id, "K-01")
    first.log_session("K-01", BEGAN + WEEK, number=3)
    practice.client.receive(first.invite("K-01", 3).token, ANSWERS, "sending-of-K-01-3")
    practice.hands.pass_by(WEEK)
    transferred(practice, course=True)
    met = second.met_before("L-07")
    assert set(met["therapist"]) == {"before"}
    assert met["session"].to_list() == [1, 2, 3]


def test_a_course_that_was_shown_once_is_shown_up_to_then(practice: Cast) -> None:
    first, second = practice.first, practice.second
    transferred(practice, course=True)
    practice.hands.pass_by(WEEK)
    first.accept(second.offer("L-07", "T-1", kind="transfer").id, "K-01")
    first.log_session("K-01", BEGAN + WEEK, number=3)
    practice.client.receive(first.invite("K-01", 3).token, ANSWERS, "sending-of-K-01-3")
    practice.hands.pass_by(WEEK)
    transferred(practice, course=False)
    assert second.met_before("L-07")["session"].to_list() == [1, 2]


# -- when a therapist has left


def left(cast: Cast) -> None:
    """T-1 has K-01, K-03 and K-04, has ended with K-04, and leaves while a concern about K-01 is open."""
    cast.first.take_on("K-03")
    cast.first.take_on("K-04")
    cast.first.end("K-04")
    cast.first.raise_concern("K-01", "quiet", session=2)
    closed = cast.first.raise_concern("K-01", "PLANTED and done with", session=1)
    cast.first.close_concern(closed.id, "called", BEGAN)
    cast.admin.end_account("T-1")


def test_the_clients_of_one_who_has_left_go_on_with_another(practice: Cast) -> None:
    left(practice)
    second = practice.second
    assert practice.admin.hand_on("T-1", "T-2") == 2
    offers = {each.was: each for each in second.handovers()}
    assert set(offers) == {"K-01", "K-03"}
    assert {(each.kind, each.course, each.state, each.client) for each in offers.values()} == {
        ("transfer", False, "offered", "")
    }
    assert second.accept(offers["K-01"].id, "L-07").client.code == "L-07"
    second.decline(offers["K-03"].id)
    assert second.identity("L-07")[0] == "Somebody"
    assert second.sessions("L-07") == ()
    assert practice.admin.hand_on("T-1", "T-2") == 1


def test_open_concerns_of_one_who_has_left_come_to_whoever_takes_the_client_on(practice: Cast) -> None:
    left(practice)
    practice.admin.hand_on("T-1", "T-2")
    offers = {each.was: each for each in practice.second.handovers()}
    practice.second.accept(offers["K-01"].id, "L-07")
    (concern,) = practice.second.concerns("L-07")
    assert (concern.client, concern.why, concern.session) == ("L-07", "quiet", None)
    practice.second.close_concern(concern.id, "called them", BEGAN)
    assert practice.admin.verify()["record"].whole


def test_open_concerns_of_one_who_is_still_there_stay_with_them(practice: Cast) -> None:
    practice.first.raise_concern("K-01", "quiet", session=2)
    transferred(practice)
    assert practice.second.concerns("L-07") == ()
    assert len(practice.first.concerns("K-01")) == 1


def test_a_client_of_one_who_has_left_can_be_erased_by_whoever_took_them_on(practice: Cast) -> None:
    left(practice)
    practice.admin.hand_on("T-1", "T-2")
    for each in practice.second.handovers():
        practice.second.accept(each.id, f"for {each.was}")
    practice.second.erase("for K-01")
    assert [each.client.code for each in practice.second.clients()] == ["for K-03"]


def test_whoever_covered_for_one_who_has_left_goes_on_for_good(practice: Cast) -> None:
    covered(practice)
    practice.second.log_session("L-07", BEGAN)
    practice.admin.end_account("T-1")
    practice.admin.hand_on("T-1", "T-2")
    (offer,) = [each for each in practice.second.handovers() if each.state == "offered"]
    taken = practice.second.accept(offer.id, "L-07")
    assert taken.until is None
    assert len(practice.second.sessions("L-07")) == 1


def test_clients_are_handed_on_twice_to_nobody(practice: Cast) -> None:
    left(practice)
    assert [practice.admin.hand_on("T-1", "T-2") for _ in range(2)] == [2, 0]
    assert len(practice.second.handovers()) == 2


def test_clients_are_handed_on_from_one_who_has_left_to_one_who_is_a_therapist_here(practice: Cast) -> None:
    with pytest.raises(InputError, match="can still sign in"):
        practice.admin.hand_on("T-1", "T-2")
    left(practice)
    for nobody in ("S-1", "T-1", "T-9"):
        with pytest.raises(InputError, match="is no therapist here"):
            practice.admin.hand_on("T-1", nobody)
    with pytest.raises(Refused):
        practice.admin.hand_on("T-9", "T-2")
    with pytest.raises(Refused):
        practice.second.hand_on("T-1", "T-2")
    assert practice.second.handovers() == ()


def test_an_admin_who_hands_on_learns_nothing_of_the_clients(practice: Cast) -> None:
    left(practice)
    practice.admin.hand_on("T-1", "T-2")
    with pytest.raises(Refused):
        practice.admin.handovers()
    entry = practice.admin.journal()[-2]
    assert (entry["who"], entry["verb"], entry["about"]) == ("A-1", "hand on clients", "T-1")
    assert "K-0" not in str(practice.admin.journal())


def test_by_which_code_a_colleague_knows_a_client_is_not_said_while_they_are_there(practice: Cast) -> None:
    practice.first.offer("K-01", "T-2", kind="transfer")
    (offer,) = practice.second.handovers()
    assert (offer.client, offer.was) == ("", "")
