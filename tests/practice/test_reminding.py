"""What is due, and reminders of it: a link and nothing else, to whom it concerns, and noted once it was taken."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from cast import ANSWERS, BEGAN, PHRASES, Box, reflected

from attunement.errors import Gone, InputError, NotSent, Refused
from attunement.practice import Due, Role
from attunement.sessions import Purpose, Reflection
from attunement.vault import tables
from attunement.vault.backup import new_identity
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from cast import Cast

    from attunement.practice import Practice

URL = "https://practice.example"
ME, THEM = "somebody@practice.example", "client@home.example"
SECRETS = ("K-01", "PLANTED", "Somebody Real", THEM, ME)


@pytest.fixture
def due(cast: Cast) -> Cast:
    """T-1 held a session with K-01 yesterday, who agreed to check-ins and can be reached."""
    cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    cast.first.identify("K-01", "Somebody Real", THEM)
    cast.first.log_session("K-01", BEGAN)
    cast.hands.pass_by(timedelta(days=1))
    return cast


def kinds(practice: Practice) -> list[str]:
    return [each.kind for each in practice.due()]


def noted(cast: Cast) -> list[tuple[str, str, str | None]]:
    with cast.first.house.record.reading(KEEPER) as rows:
        found = rows.all(sa.select(tables.reminded).order_by(tables.reminded.c.at))
    return [(row["account"], row["kind"], row["session"]) for row in found]


def invitations(cast: Cast) -> int:
    with cast.first.house.record.reading(KEEPER) as rows:
        return len(rows.all(sa.select(tables.invitation)))


def test_a_check_in_is_due_until_it_is_answered(due: Cast) -> None:
    assert Due("check-in", "K-01", 1, BEGAN, "client") in due.first.due()
    token = due.first.invite("K-01", 1).token
    due.client.receive(token, ANSWERS, "some-sending")
    assert "check-in" not in kinds(due.first)


@pytest.mark.parametrize("days", [0, 30])
def test_none_is_due_at_once_or_for_ever(cast: Cast, days: int) -> None:
    cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    cast.first.log_session("K-01", BEGAN)
    cast.hands.pass_by(timedelta(days=days, minutes=5))
    assert "check-in" not in kinds(cast.first)


def test_none_is_due_of_who_did_not_agree_did_not_come_or_has_ended(due: Cast) -> None:
    due.first.take_on("K-02")
    due.first.log_session("K-02", BEGAN)
    due.first.log_session("K-01", BEGAN, attendance="missed")
    assert [each.session for each in due.first.due() if each.kind == "check-in"] == [1]
    due.first.end("K-01")
    assert "check-in" not in kinds(due.first)


def test_a_backup_is_due_to_the_admin_until_one_was_made(due: Cast) -> None:
    assert due.admin.due() == (Due("backup", None, None, None, "admin"),)
    assert "backup" not in kinds(due.first)
    with pytest.raises(InputError):
        due.admin.back_up(due.first.house.folder.parent / "a.age", "no key")
    assert kinds(due.admin) == ["backup"]
    due.admin.back_up(due.first.house.folder.parent / "a.age", new_identity()[1])
    assert due.admin.due() == ()
    due.hands.pass_by(timedelta(days=8))
    assert kinds(due.admin) == ["backup"]


def test_whether_a_reflection_was_written_shows_nowhere(due: Cast) -> None:
    """Neither in what is due, nor in what is sent, nor in what is noted; locked or not."""
    before = due.first.due()
    reflected(due.first, "K-01", 1)
    assert due.first.due() == before
    due.first.unlock(PHRASES["T-1"])
    assert due.first.due() == before
    due.first.set_email(ME)
    box = Box()
    due.first.remind(box)
    assert len(box.mails) == 1
    assert ("T-1", "reflection") in [each[:2] for each in noted(due)]


def test_a_client_gets_a_fresh_link_and_nothing_else(due: Cast) -> None:
    earlier = due.first.invite("K-01", 1).token
    box = Box()
    sent = due.first.remind(box, URL)
    assert (sent.mails, sent.failed) == (1, "")
    ((to, subject, link),) = box.mails
    assert (to, subject) == (THEM, "A link for you / Un enlace para usted")
    address, _, token = link.rpartition("/")
    assert address == f"{URL}/c"
    assert due.client.invitation(token).instrument.id == "connection"
    with pytest.raises(Gone):
        due.client.invitation(earlier)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8437"])
def test_nothing_goes_to_a_client_without_a_safe_address_of_ours(due: Cast, url: str) -> None:
    due.first.set_email(ME)
    box = Box()
    due.first.remind(box, url)
    assert [to for to, _, _ in box.mails] == [ME]
    assert invitations(due) == 0


@pytest.mark.parametrize(
    "contact", ["", "call 555 0100", f"{THEM}, mother@home.example", f"{THEM}\r\nBcc: x@y.example"]
)
def test_who_cannot_be_reached_by_mail_is_told_of_to_the_therapist(due: Cast, contact: str) -> None:
    due.first.identify("K-01", "Somebody Real", contact)
    due.first.set_email(ME)
    box = Box()
    due.first.remind(box, URL)
    assert box.mails == [(ME, "A reminder from Attunement", f"{URL}/")]
    assert {kind for _, kind, _ in noted(due)} == {"check-in", "reflection"}


def test_who_no_longer_agrees_gets_nothing(due: Cast) -> None:
    due.first.withdraw_consent("K-01", Purpose.CHECK_INS)
    box = Box()
    due.first.remind(box, URL)
    assert box.mails == []


def test_a_client_is_not_reminded_again_within_three_days_and_twice_at_most(due: Cast) -> None:
    sent = []
    for _ in range(14):
        box = Box()
        due.first.remind(box, URL)
        sent.append(len(box.mails))
        due.hands.pass_by(timedelta(days=1))
    assert sent == [1, 0, 0, 1, *[0] * 10]


def test_oneself_is_not_reminded_of_the_same_within_three_days(due: Cast) -> None:
    due.admin.set_email(ME)
    sent = []
    for _ in range(7):
        box = Box()
        due.admin.remind(box, URL)
        sent.append(len(box.mails))
        due.hands.pass_by(timedelta(days=1))
    assert sent == [1, 0, 0, 1, 0, 0, 1]


def test_a_mail_that_was_not_taken_leaves_everything_as_it_was(due: Cast) -> None:
    earlier = due.first.invite("K-01", 1).token
    due.first.set_email(ME)
    sent = due.first.remind(Box(THEM, ME), URL)
    assert sent.mails == 0
    assert sent.failed.endswith("nothing was sent.")
    assert noted(due) == []
    assert invitations(due) == 1
    assert due.client.invitation(earlier)
    assert due.first.remind(Box(), URL).mails == 2  # the next time


def test_one_client_who_cannot_be_reached_does_not_keep_the_others_from_theirs(due: Cast) -> None:
    for number in range(2, 7):
        client = f"K-0{number}"
        due.first.take_on(client, agreed=[Purpose.CHECK_INS])
        due.first.identify(client, "Somebody", f"c{number}@home.example")
        due.first.log_session(client, BEGAN)
    box = Box(THEM)
    assert due.first.remind(box, URL).mails == 5
    down = Box(*(f"c{number}@home.example" for number in range(2, 7)), THEM)
    due.hands.pass_by(timedelta(days=4))
    assert due.first.remind(down, URL).mails == 0


def test_a_mail_that_breaks_off_takes_its_link_back(due: Cast) -> None:
    class Broken(Box):
        def send(self, *_: str) -> None:
            raise MemoryError

    with pytest.raises(MemoryError):
        due.first.remind(Broken(), URL)
    assert invitations(due) == 0
    assert due.admin.verify()["record"].whole


def test_neither_mail_nor_journal_names_anybody(due: Cast) -> None:
    due.first.choose_step("K-01", "PLANTED step")
    due.first.set_email(ME)
    box = Box()
    due.first.remind(box, URL)
    for _, subject, link in box.mails:
        assert not any(secret in subject + link for secret in SECRETS)
        assert not any(sign.isdigit() for sign in subject)
    entries = " ".join(map(str, due.admin.journal()))
    assert not any(secret in entries for secret in SECRETS)
    assert due.admin.verify()["record"].whole


def test_who_is_erased_leaves_no_reminder_behind(due: Cast) -> None:
    due.first.remind(Box(), URL)
    assert noted(due)
    due.first.erase("K-01")
    assert noted(due) == []


def test_a_client_learns_from_the_export_when_a_link_was_sent(due: Cast) -> None:
    due.first.set_email(ME)
    due.first.remind(Box(), URL)
    with zipfile.ZipFile(io.BytesIO(due.first.export("K-01"))) as archive:
        record = json.loads(archive.read("record.json"))
        assert "reminders.csv" in archive.read("README.txt").decode()
    assert [row["session"] for row in record["reminders"]] == [1]  # and none of the therapist's own


def test_one_therapist_is_not_reminded_of_anothers_clients(due: Cast) -> None:
    due.second.set_email("other@practice.example")
    box = Box()
    assert due.second.remind(box, URL).mails == 0
    assert due.second.due() == ()


def test_an_address_is_ones_own_and_no_other_text_is_one(due: Cast) -> None:
    due.first.set_email(f" {ME} ")
    assert (due.first.email(), due.second.email(), due.admin.email()) == (ME, "", "")
    for odd in ("PLANTED", f"{ME}, {THEM}", f"{ME}\nBcc: x@y.example", "a@b@c.example"):
        with pytest.raises(InputError) as refused:
            due.first.set_email(odd)
        assert odd not in str(refused.value)
    due.first.set_email("")
    assert due.first.email() == ""
    with pytest.raises(Refused):
        due.client.remind(Box())


def test_a_supervisor_has_nothing_due(due: Cast) -> None:
    assert due.supervisor.who.roles == {Role.SUPERVISOR}
    assert due.supervisor.due() == ()


def test_a_reflection_is_reminded_of_once_a_session(due: Cast) -> None:
    due.first.withdraw_consent("K-01", Purpose.CHECK_INS)
    due.first.set_email(ME)
    sent = []
    for _ in range(7):
        box = Box()
        due.first.remind(box, URL)
        sent.append(len(box.mails))
        due.hands.pass_by(timedelta(days=1))
    assert sent == [1, 0, 0, 0, 0, 0, 0]
    with pytest.raises(NotSent):
        Box(ME).send(ME, "", "")
    assert Reflection().finished
