"""A client goes to a colleague, for good or for a while: each sees their own, and nobody the other's reflections."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cast import ANSWERS, BEGAN, PHRASES, Cast, reflected, seen
from test_races import at_once

from attunement.errors import AttunementError, Gone, InputError, Refused
from attunement.practice import Practice, Role
from attunement.practice.policy import REFUSED
from attunement.sessions import Purpose, Reflection
from attunement.vault import tables
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Callable

WEEK = timedelta(days=7)
UNTIL = BEGAN + 3 * WEEK


@pytest.fixture
def practice(cast: Cast) -> Cast:
    """T-1 has K-01, who agreed to everything and answered twice; T-2 has K-02."""
    seen(cast.first, "K-01")
    seen(cast.second, "K-02")
    return cast


def third(cast: Cast) -> Practice:
    """One more therapist."""
    phrase = "marble window seventeen otter"
    cast.admin.add_account("T-3", phrase, RecoveryCode.fresh(), roles=frozenset({Role.THERAPIST}), cost=LEAST)
    return cast.first.sign_in("T-3", phrase)


def transferred(cast: Cast, client: str = "L-07", *, course: bool = False) -> str:
    offer = cast.first.offer("K-01", "T-2", kind="transfer", course=course)
    return cast.second.accept(offer.id, client).client.code


def covered(cast: Cast, client: str = "L-07") -> str:
    """T-2 covers for T-1; returns the handover's id."""
    offer = cast.first.offer("K-01", "T-2", kind="cover", until=UNTIL)
    cast.second.accept(offer.id, client)
    return offer.id


def codes(who: Practice) -> list[str]:
    return [each.client.code for each in who.clients()]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(AttunementError) as problem:
        call()
    return f"{type(problem.value).__name__}: {problem.value}"


def erased_all(cast: Cast) -> bool:
    """Whether no row of the record is about K-01's person any more."""
    with cast.first.house.record.reading(KEEPER) as rows:
        of = (tables.client, tables.dyad, tables.session, tables.handover, tables.consent)
        return [len(rows.all(table.select())) for table in of] == [1, 1, 2, 0, len(Purpose)]


# -- offering


def test_before_they_accept_the_other_learns_neither_the_code_nor_anything_else(practice: Cast) -> None:
    practice.first.identify("K-01", "PLANTED NAME", "PLANTED CONTACT")
    mine = practice.first.offer("K-01", "T-2", kind="transfer", course=True)
    (theirs,) = practice.second.handovers()
    assert (mine.client, theirs.client) == ("K-01", "")
    assert (theirs.sender, theirs.kind, theirs.course, theirs.state) == ("T-1", "transfer", True, "offered")
    assert "K-01" not in repr(theirs)
    assert "PLANTED" not in repr(theirs)
    assert codes(practice.second) == ["K-02"]
    assert refusal(lambda: practice.second.identity("K-01")) == f"Refused: {REFUSED}"


def test_nobody_but_the_two_sees_that_a_client_is_handed_over(practice: Cast) -> None:
    outsider = third(practice)
    offer = practice.first.offer("K-01", "T-2", kind="transfer")
    assert outsider.handovers() == ()
    for call in (
        lambda name: outsider.accept(name, "M-01"),
        outsider.decline,
        outsider.withdraw_handover,
        practice.second.withdraw_handover,
        practice.first.decline,
        lambda name: practice.first.accept(name, "K-09"),
    ):
        assert refusal(partial(call, offer.id)) == refusal(partial(call, "no handover"))
    assert practice.second.handovers()[0].id == offer.id


@pytest.mark.parametrize(
    ("to", "how", "said"),
    [
        ("T-2", {"kind": "gift"}, "a transfer or a cover"),
        ("T-2", {"kind": "cover"}, "has an end"),
        ("T-2", {"kind": "cover", "until": BEGAN + timedelta(days=181)}, "180 days"),
        ("T-2", {"kind": "cover", "until": BEGAN - WEEK}, "180 days"),
        ("T-2", {"kind": "transfer", "until": UNTIL}, "for good"),
        ("T-1", {"kind": "transfer"}, "somebody else"),
        ("S-1", {"kind": "transfer"}, "S-1 is no therapist"),
        ("T-9", {"kind": "transfer"}, "T-9 is no therapist"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_in_one_sentence(
    practice: Cast, to: str, how: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        practice.first.offer("K-01", to, **how)
    assert practice.first.handovers() == ()


def test_a_client_is_offered_to_one_colleague_once(practice: Cast) -> None:
    practice.first.offer("K-01", "T-2", kind="transfer")
    with pytest.raises(InputError, match="already"):
        practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL)


def test_somebody_elses_client_cannot_be_offered(practice: Cast) -> None:
    nobodys, theirs = (
        refusal(partial(practice.first.offer, code, "T-2", kind="transfer")) for code in ("K-77", "K-02")
    )
    assert nobodys == theirs == f"Refused: {REFUSED}"


def test_with_whom_one_has_ended_is_not_handed_over(practice: Cast) -> None:
    practice.first.end("K-01")
    with pytest.raises(InputError, match="resume first"):
        practice.first.offer("K-01", "T-2", kind="transfer")


def test_an_offer_of_a_client_with_whom_one_then_ended_is_gone(practice: Cast) -> None:
    offer = practice.first.offer("K-01", "T-2", kind="transfer")
    practice.first.end("K-01")
    assert practice.second.handovers() == ()
    with pytest.raises(Refused):
        practice.second.accept(offer.id, "L-07")


def test_an_offered_cover_whose_day_has_come_is_gone_and_can_be_offered_anew(practice: Cast) -> None:
    offer = practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL)
    practice.hands.pass_by(3 * WEEK)
    assert practice.second.handovers() == practice.first.handovers() == ()
    with pytest.raises(Refused):
        practice.second.accept(offer.id, "L-07")
    again = practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL + WEEK)
    assert [each.id for each in practice.first.handovers()] == [again.id]


def test_what_is_declined_or_withdrawn_is_gone_for_both(practice: Cast) -> None:
    for gone in (practice.second.decline, practice.first.withdraw_handover):
        offer = practice.first.offer("K-01", "T-2", kind="transfer")
        gone(offer.id)
        assert practice.first.handovers() == practice.second.handovers() == ()
        with pytest.raises(Refused):
            practice.second.accept(offer.id, "L-07")
    assert codes(practice.first) == ["K-01"]


# -- a transfer


def test_a_transfer_ends_the_senders_work_without_a_word_on_how(practice: Cast) -> None:
    assert transferred(practice) == "L-07"
    (mine,) = practice.first.clients()
    assert mine.ended is not None
    assert mine.ending is None
    taken = practice.second.clients()[-1]
    assert (taken.client.code, taken.ended, taken.until) == ("L-07", None, None)
    assert taken.client.id == mine.client.id


def test_what_was_before_stays_with_the_sender_and_consents_go_with_the_client(practice: Cast) -> None:
    transferred(practice)
    for kept in (practice.first.sessions, practice.first.check_ins):
        assert len(kept("K-01")) == 2
    for kept in (practice.second.sessions, practice.second.check_ins):
        assert kept("L-07") == ()
    assert {each.purpose for each in practice.second.consents("L-07")} == set(Purpose)
    practice.second.withdraw_consent("L-07", Purpose.CHECK_INS)
    with pytest.raises(Refused):
        practice.first.invite("K-01", 1)


def test_each_knows_the_client_by_their_own_code_everywhere(practice: Cast) -> None:
    transferred(practice)
    second = practice.second
    second.log_session("L-07", BEGAN)
    token = second.invite("L-07", 1).token
    practice.client.receive(token, {**ANSWERS, "safe": 3}, "sending-of-L-07")
    second.choose_step("L-07", "name it")
    second.log_contact("L-07", BEGAN, kind="call", begun_by="client")
    reflected(second, "L-07", 1)
    assert set(second.ratings()["client"]) == {"K-02", "L-07"}
    assert {each.client for each in second.steps()} == {"L-07"}
    assert {each.code for each in second.agenda().standings} == {"K-02", "L-07"}
    assert {each.client for each in second.due()} <= {"K-02", "L-07"}
    told = [str(second.clients()), str(second.entries()), str(second.rated()), str(second.agenda())]
    second.unlock(PHRASES["T-2"])
    told += [str(second.reflections("L-07")), *map(str, second.reflected(since=BEGAN - WEEK))]
    own = second.own_tables()
    told += [
        getattr(own, name).write_json()
        for name in ("ratings", "sessions", "reflections", "endings", "contacts")
    ]
    assert own.reflections["client"].to_list() == ["L-07"]
    assert not any("K-01" in each for each in told)
    for call in (second.sessions, second.consents, second.reflections, second.check_ins):
        assert refusal(partial(call, "K-01")) == refusal(partial(call, "K-77"))
    assert "L-07" not in str(practice.first.clients())


def test_a_step_and_a_concern_are_closed_under_ones_own_code(practice: Cast) -> None:
    transferred(practice)
    step = practice.second.choose_step("L-07", "name it")
    concern = practice.second.raise_concern("L-07", "quiet")
    assert practice.second.close_step(step.id, "it helped").client == "L-07"
    assert practice.second.close_concern(concern.id, "called", BEGAN).client == "L-07"


def test_a_code_that_one_uses_for_another_client_is_not_taken(practice: Cast) -> None:
    offer = practice.first.offer("K-01", "T-2", kind="transfer")
    with pytest.raises(InputError, match="K-02"):
        practice.second.accept(offer.id, "K-02")
    assert practice.second.handovers()[0].state == "offered"
    assert (
        practice.second.accept(offer.id, "K-01").client.code == "K-01"
    )  # the sender's code is no secret to guess
    with pytest.raises(InputError, match="K-01"):
        practice.second.take_on("K-01")


def test_of_many_acceptances_at_once_one_wins(practice: Cast) -> None:
    rivals = [third(practice), practice.second]
    offers = [practice.first.offer("K-01", who.who.code, kind="transfer") for who in rivals]
    calls = [
        partial(who.accept, offer.id, f"L-{number}")
        for number in range(6)
        for who, offer in zip(rivals, offers, strict=True)
    ]
    answers = at_once(calls)
    assert answers.pop("Refused") == len(calls) - 1
    assert list(answers.values()) == [1]
    with practice.first.house.record.reading(KEEPER) as rows:
        assert len(rows.all(tables.dyad.select())) == 3
    assert practice.first.verify()["record"].whole


def test_an_accepted_transfer_is_not_taken_back_but_handed_back(practice: Cast) -> None:
    code = transferred(practice)
    (given,) = practice.first.handovers()
    (taken,) = practice.second.handovers()
    assert (given.client, taken.client, given.state) == ("K-01", code, "accepted")
    with pytest.raises(InputError, match="hand them back"):
        practice.first.withdraw_handover(given.id)
    back = practice.second.offer(code, "T-1", kind="transfer")
    again = practice.first.accept(back.id, "K-31")
    assert (again.client.code, again.ended) == ("K-01", None)
    assert len(practice.first.sessions("K-01")) == 2
    assert {each.client for each in practice.first.handovers()} == {"K-01"}


def test_reflections_stay_with_whoever_wrote_them(practice: Cast) -> None:
    reflected(practice.first, "K-01", 2)
    transferred(practice)
    practice.first.unlock(PHRASES["T-1"])
    practice.second.unlock(PHRASES["T-2"])
    assert len(practice.first.reflections("K-01")) == 2
    assert practice.second.reflections("L-07") == ()


def test_a_client_can_be_taken_over_from_one_who_has_left_the_practice(practice: Cast) -> None:
    offer = practice.first.offer("K-01", "T-2", kind="transfer")
    practice.admin.end_account("T-1")
    practice.second.accept(offer.id, "L-07")
    assert codes(practice.second) == ["K-02", "L-07"]


# -- a cover


def test_a_cover_lets_two_see_the_client_each_their_own(practice: Cast) -> None:
    covered(practice)
    assert practice.second.clients()[-1].until == UNTIL
    assert practice.first.clients()[0].ended is None
    practice.second.log_session("L-07", BEGAN)
    practice.first.log_session("K-01", BEGAN)
    assert [each.number for each in practice.second.sessions("L-07")] == [1]
    assert [each.number for each in practice.first.sessions("K-01")] == [1, 2, 3]


def test_a_cover_that_is_over_is_not_there_for_whoever_covered(practice: Cast) -> None:
    covered(practice)
    second = practice.second
    second.log_session("L-07", BEGAN + timedelta(hours=1))
    invited = second.invite("L-07", 1)
    step, concern = second.choose_step("L-07", "name it"), second.raise_concern("L-07", "quiet")
    reflected(second, "L-07", 1)
    practice.hands.pass_by(3 * WEEK)
    assert codes(second) == ["K-02"]
    for call in (
        second.sessions,
        second.identity,
        second.export,
        second.agenda,
        second.rated_stamp,
        second.erase,
    ):
        assert refusal(partial(call, "L-07")) == refusal(partial(call, "K-77"))
    for by_id, mine, nobodys in (
        (second.withdraw_invitation, invited.invitation.id, "no invitation"),
        (second.drop_step, step.id, "no step"),
        (lambda name: second.close_concern(name, "called", BEGAN), concern.id, "no concern"),
    ):
        assert refusal(partial(by_id, mine)) == refusal(partial(by_id, nobodys))
    assert second.handovers() == ()
    told = [
        second.clients(),
        second.steps(),
        second.entries(),
        second.agenda(),
        second.due(),
        second.own_tables(),
    ]
    assert not any("L-07" in str(each) for each in told)
    assert codes(practice.first) == ["K-01"]


def test_what_one_wrote_during_a_cover_stays_ones_own(practice: Cast) -> None:
    covered(practice)
    practice.second.log_session("L-07", BEGAN)
    reflected(practice.second, "L-07", 1)
    practice.hands.pass_by(3 * WEEK)
    practice.second.unlock(PHRASES["T-2"])
    assert [each.session for each in practice.second.reflections("L-07")] == [1]
    practice.second.destroy_reflection("L-07", 1)
    assert practice.second.reflections("L-07") == ()


def test_the_code_of_a_cover_that_is_over_is_not_used_for_somebody_else(practice: Cast) -> None:
    covered(practice)
    practice.hands.pass_by(3 * WEEK)
    with pytest.raises(InputError, match="L-07"):
        practice.second.take_on("L-07")


def test_a_link_that_was_sent_during_a_cover_ends_with_it(practice: Cast) -> None:
    covered(practice)
    practice.second.log_session("L-07", UNTIL - timedelta(days=1))
    token = practice.second.invite("L-07", 1, open_for=timedelta(days=60)).token
    practice.client.invitation(token)
    practice.hands.pass_by(3 * WEEK)
    with pytest.raises(Gone):
        practice.client.invitation(token)
    with pytest.raises(Gone):
        practice.client.receive(token, ANSWERS, "sending-too-late")


def test_a_concern_that_is_open_when_a_cover_ends_is_for_whoever_was_covered_for(practice: Cast) -> None:
    covered(practice)
    practice.second.log_session("L-07", BEGAN)
    concern = practice.second.raise_concern("L-07", "quiet", session=1)
    assert practice.first.concerns("K-01") == ()
    practice.hands.pass_by(3 * WEEK)
    (theirs,) = practice.first.concerns("K-01")
    (shown,) = practice.first.agenda("K-01").standings[0].concerns
    assert theirs == shown
    assert (theirs.id, theirs.client, theirs.covered, theirs.session) == (concern.id, "K-01", True, None)
    closed = practice.first.close_concern(concern.id, "called them", BEGAN)
    assert (closed.client, closed.covered) == ("K-01", True)
    assert practice.first.agenda().standings[0].concerns == ()


def test_a_cover_is_ended_by_the_one_who_gave_it(practice: Cast) -> None:
    cover = covered(practice)
    practice.first.withdraw_handover(cover)
    assert codes(practice.second) == ["K-02"]
    assert practice.first.handovers() == practice.second.handovers() == ()


def test_whoever_covers_hands_nobody_over(practice: Cast) -> None:
    covered(practice)
    with pytest.raises(InputError, match="for somebody"):
        practice.second.offer("L-07", "T-1", kind="transfer")


def test_a_second_cover_by_the_same_goes_on_where_the_first_was(practice: Cast) -> None:
    covered(practice)
    practice.second.log_session("L-07", BEGAN)
    practice.hands.pass_by(4 * WEEK)
    again = practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL + 4 * WEEK)
    taken = practice.second.accept(again.id, "N-09")
    assert (taken.client.code, taken.until) == ("L-07", UNTIL + 4 * WEEK)
    assert len(practice.second.sessions("L-07")) == 1
    assert [each.id for each in practice.first.handovers()] == [again.id]


def test_whoever_covers_can_be_given_the_client_for_good(practice: Cast) -> None:
    covered(practice)
    offer = practice.first.offer("K-01", "T-2", kind="transfer")
    practice.second.accept(offer.id, "L-07")
    practice.hands.pass_by(4 * WEEK)
    assert practice.second.clients()[-1].until is None
    assert codes(practice.second) == ["K-02", "L-07"]
    assert [each.kind for each in practice.first.handovers()] == ["transfer"]


def test_a_transfer_ends_the_covers_by_others(practice: Cast) -> None:
    covered(practice)
    heir = third(practice)
    offer = practice.first.offer("K-01", "T-3", kind="transfer")
    heir.accept(offer.id, "M-01")
    assert codes(practice.second) == ["K-02"]
    assert codes(heir) == ["M-01"]


def test_a_cover_by_whom_the_client_had_before_leaves_them_what_was_theirs(practice: Cast) -> None:
    code = transferred(practice)
    reflected(practice.first, "K-01", 2)
    cover = practice.second.offer(code, "T-1", kind="cover", until=UNTIL)
    with pytest.raises(InputError, match="K-01"):
        practice.first.accept(cover.id, "K-01")
    practice.first.accept(cover.id, "K-31")
    practice.first.log_session("K-31", BEGAN)
    reflected(practice.first, "K-31", 1)
    practice.first.unlock(PHRASES["T-1"])
    assert [len(practice.first.reflections(each)) for each in ("K-01", "K-31")] == [2, 1]
    practice.first.lock()
    practice.hands.pass_by(3 * WEEK)
    assert codes(practice.first) == ["K-01"]
    assert len(practice.first.sessions("K-01")) == 2


def test_nobody_covers_for_their_own_client(practice: Cast) -> None:
    code = transferred(practice)
    with practice.first.house.record.reading(KEEPER) as rows:
        dyad = rows.one(tables.dyad.select().where(tables.dyad.c.ended.is_not(None)))
    assert dyad is not None
    practice.first.house.record.do(  # as it could once be resumed
        lambda rows: rows.note("T-1", rows.change(tables.dyad, dyad, ended=None)["id"], ""), KEEPER
    )
    offer = practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL)
    with pytest.raises(InputError, match="yours already"):
        practice.second.accept(offer.id, "L-31")
    assert practice.second.clients()[-1].client.code == code


# -- how the bond went before


def test_how_the_bond_went_is_shown_by_its_totals_where_the_sender_said_so(practice: Cast) -> None:
    code = transferred(practice, course=True)
    met = practice.second.met_before(code)
    assert met.columns == practice.first.ratings().columns
    assert met["score"].to_list() == practice.first.ratings()["score"].to_list()
    assert set(met["client"]) == {"L-07"}
    assert set(met["therapist"]) == {"before"}
    assert "T-1" not in met.write_json()
    assert "K-01" not in met.write_json()


def test_without_the_senders_word_nothing_of_the_course_is_shown(practice: Cast) -> None:
    assert practice.second.met_before(transferred(practice)).height == 0


def test_what_is_answered_after_the_handover_is_not_shown(practice: Cast) -> None:
    offer = practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL, course=True)
    practice.second.accept(offer.id, "L-07")
    practice.first.log_session("K-01", BEGAN + timedelta(days=1))
    token = practice.first.invite("K-01", 3).token
    practice.client.receive(token, ANSWERS, "sending-during-the-cover")
    assert practice.first.ratings().height == 3
    assert practice.second.met_before("L-07")["session"].to_list() == [1, 2]


def test_the_course_of_a_cover_that_is_over_is_not_there(practice: Cast) -> None:
    offer = practice.first.offer("K-01", "T-2", kind="cover", until=UNTIL, course=True)
    practice.second.accept(offer.id, "L-07")
    practice.hands.pass_by(3 * WEEK)
    nobodys = refusal(lambda: practice.second.met_before("K-77"))
    assert refusal(lambda: practice.second.met_before("L-07")) == nobodys


def test_only_whoever_took_the_client_on_sees_the_course(practice: Cast) -> None:
    transferred(practice, course=True)
    assert practice.first.met_before("K-01").height == 0
    assert practice.second.met_before("K-02").height == 0


# -- erasing, holding, exporting


def test_a_client_is_not_erased_while_a_colleague_is_at_work_with_them(practice: Cast) -> None:
    cover = covered(practice)
    with pytest.raises(InputError, match="Another therapist"):
        practice.first.erase("K-01")
    practice.first.withdraw_handover(cover)
    practice.first.erase("K-01")
    assert erased_all(practice)


def test_whoever_left_the_practice_hinders_no_erasing(practice: Cast) -> None:
    covered(practice)
    practice.admin.end_account("T-2")
    practice.first.erase("K-01")
    assert erased_all(practice)


def test_an_erased_clients_reflections_are_destroyed_with_every_therapist(practice: Cast) -> None:
    reflected(practice.first, "K-01", 2)
    transferred(practice)
    practice.second.log_session("L-07", BEGAN)
    reflected(practice.second, "L-07", 1)
    practice.second.erase("L-07")
    for who in (practice.first, practice.second):
        who.unlock(PHRASES[who.who.code])
        vault, _ = who.house.reflections[who.who.code].use()
        with vault.reading() as rows:
            assert rows.all(tables.reflection.select()) == []
    assert codes(practice.first) == []


def test_an_erasing_destroys_no_reflection_on_anybody_else(practice: Cast) -> None:
    reflected(practice.second, "K-02", 1)
    practice.first.erase("K-01")
    practice.second.unlock(PHRASES["T-2"])
    assert len(practice.second.reflections("K-02")) == 1


def test_an_offer_goes_with_the_client_who_is_erased(practice: Cast) -> None:
    practice.first.offer("K-01", "T-2", kind="transfer")
    practice.first.erase("K-01")
    assert practice.second.handovers() == ()
    assert practice.first.verify()["record"].whole


def test_a_hold_holds_whoever_set_it(practice: Cast) -> None:
    practice.first.hold("K-01", "a court")
    transferred(practice)
    with pytest.raises(InputError, match="hold"):
        practice.second.erase("L-07")


def test_the_record_that_a_client_is_given_holds_what_was_with_this_therapist_and_says_so(
    practice: Cast,
) -> None:
    transferred(practice)
    practice.second.log_session("L-07", BEGAN + timedelta(days=30))
    with zipfile.ZipFile(io.BytesIO(practice.second.export("L-07"))) as archive:
        record = json.loads(archive.read("record.json"))
        told = archive.read("README.txt").decode()
    assert [each["session"] for each in record["sessions"]] == [1]
    assert record["check_ins"] == []
    assert record["client"][0]["code"] == "L-07"
    assert "what was with the therapist who gave you this" in told


def test_a_report_of_a_handover_stands_in_the_journal_without_a_code(practice: Cast) -> None:
    transferred(practice)
    found = practice.admin.journal()
    assert [(row["who"], row["verb"]) for row in found[-2:]] == [
        ("T-1", "offer handover"),
        ("T-2", "accept handover"),
    ]
    assert "K-01" not in str(found)
    assert "L-07" not in str(found)


def test_what_is_written_about_a_client_is_never_about_the_other_therapists(practice: Cast) -> None:
    transferred(practice)
    practice.second.log_session("L-07", BEGAN)
    practice.second.unlock(PHRASES["T-2"])
    practice.second.reflect("L-07", 1, Reflection(words="PLANTED"))
    practice.first.unlock(PHRASES["T-1"])
    assert "PLANTED" not in str(practice.first.reflections("K-01"))
