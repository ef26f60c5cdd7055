"""Supervision in the rooms: chosen, looked at, shared; opened for as long as it is, and then as if it never was."""

from __future__ import annotations

import html
import io
import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from cast import PHRASES, seen
from guest import FORM, hidden
from pypdf import PdfReader
from test_supervision import with_other_keys

from attunement.practice.unlocked import IDLE
from attunement.sessions import Purpose, Reflection

if TYPE_CHECKING:
    import httpx2 as httpx
    from guest import Building, Guest

PAGE = "/clients/K-01/supervision"
ALL = ["course", "rupture", "answers", "feelings", "whose", "pull", "strain", "words", "steps"]
QUESTION = "PLANTED question: what is it that I cannot bear?"
OWN = Reflection(
    connection=3,
    feelings={"bored": 7},
    whose="theirs",
    pull=("rescue",),
    strain=("withdrew",),
    words="PLANTED words",
)


@pytest.fixture
def worked() -> None:
    """For those who ask that courses be worked out, which takes seconds; all others see them pending."""


@pytest.fixture
def both(house: Building, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Building:
    """T-1 has reflected on K-01, who agreed to supervision; T-1 and S-1 have compared keys."""
    if "worked" not in request.fixturenames:
        monkeypatch.setattr(house.rooms.working, "of", lambda practice, agenda: None)  # noqa: ARG005 - as it is
    cast = house.cast
    seen(cast.first, "K-01", sessions=4)
    seen(cast.second, "K-02")
    for account in ("T-1", "S-1"):
        cast.of(account).unlock(PHRASES[account])
    cast.first.reflect("K-01", 2, OWN)
    cast.first.choose_step("K-01", "PLANTED step")
    cast.first.pin("S-1", cast.supervisor.fingerprint("S-1"))
    cast.supervisor.pin("T-1", cast.first.fingerprint("T-1"))
    for account in ("T-1", "S-1"):
        cast.of(account).lock()
    return house


def sent(guest: Guest, path: str, ticks: list[str], **fields: str) -> httpx.Response:
    pairs = [("tick", each) for each in ticks]
    typed = {
        "session": "2",
        "question": QUESTION,
        "supervisor": "S-1",
        "days": "7",
        "language": "en",
        **fields,
    }
    return guest.send(path, urlencode(pairs + list(typed.items())).encode(), **{"content-type": FORM})


def shared(guest: Guest, ticks: list[str], **fields: str) -> str:
    """Look, share, and return where a supervisor finds it."""
    looked = sent(guest, PAGE, ticks, **fields)
    assert looked.status_code == 200, looked.text
    answer = sent(guest, f"{PAGE}/share", ticks, seen=hidden(looked.text, "seen"), **fields)
    assert answer.status_code == 303, answer.text
    return f"/shared/{guest_shares(guest)[-1]}"


def guest_shares(guest: Guest) -> list[str]:
    return re.findall(r"/shares/([0-9a-f]{32})/revoke", guest.get("/supervision").text)


@pytest.mark.usefixtures("worked")
def test_what_is_looked_at_is_what_is_shared_and_what_is_opened(both: Building) -> None:
    mine, theirs = both.guest("T-1", unlocked=True), both.guest("S-1", unlocked=True)
    looked = sent(mine, PAGE, ALL).text
    for said in (QUESTION, "PLANTED words", "PLANTED step", "bored 7", "theirs", "rescue", "withdrew"):
        assert html.escape(said) in looked, said
    where = shared(mine, ALL)
    opened = theirs.get(where)
    assert opened.status_code == 200
    assert opened.headers["cache-control"] == "no-store"

    begins, ends = '<div class="report"', "never a verdict, on the client or the therapist"
    one, other = (page[page.index(begins) : page.index(ends)] for page in (opened.text, looked))
    assert one == other
    assert "What is read cannot be un-known" in opened.text


@pytest.mark.usefixtures("worked")
@pytest.mark.parametrize("left", ["answers", "feelings", "words", "steps", "course"])
def test_what_is_not_ticked_is_not_shown(both: Building, left: str) -> None:
    mine, theirs = both.guest("T-1", unlocked=True), both.guest("S-1", unlocked=True)
    page = theirs.get(shared(mine, [each for each in ALL if each != left])).text
    gone = {
        "answers": "What the client answered", "feelings": "bored", "words": "PLANTED words",
        "steps": "PLANTED step", "course": "The course",
    }[left]  # fmt: skip
    assert gone not in page
    assert html.escape(QUESTION) in page


def test_the_form_shows_what_a_tick_would_show_and_ticks_nothing_itself(both: Building) -> None:
    page = both.guest("T-1", unlocked=True).get(f"{PAGE}?session=2").text
    assert "PLANTED words" in page
    assert "checked" not in page
    locked = both.guest("T-1").get(f"{PAGE}?session=2").text
    assert "PLANTED words" not in locked
    assert "Your reflections are locked" in locked


def test_without_a_question_nothing_is_looked_at(both: Building) -> None:
    refused = sent(both.guest("T-1", unlocked=True), PAGE, ["words"], question="  ")
    assert refused.status_code == 400
    assert "Please write your question" in refused.text
    assert re.search(r'value="words"[^>]* checked', refused.text)


def test_what_was_typed_is_not_lost_where_reflections_have_locked_themselves(both: Building) -> None:
    guest = both.guest("T-1", unlocked=True)
    seen_before = hidden(sent(guest, PAGE, ALL).text, "seen")
    both.cast.hands.pass_by(timedelta(seconds=IDLE + 1))
    for path in (f"{PAGE}/share", f"{PAGE}/pdf", PAGE):
        locked = sent(guest, path, ALL, seen=seen_before)
        assert locked.status_code == 401
        assert QUESTION in html.unescape(locked.text)
        assert "PLANTED words" not in locked.text
    wrong = sent(guest, PAGE, ALL, passphrase="not this one", again="yes")
    assert (wrong.status_code, QUESTION in html.unescape(wrong.text)) == (401, True)
    right = sent(guest, PAGE, ALL, passphrase=PHRASES["T-1"], again="yes")
    assert right.status_code == 200
    assert "PLANTED words" in right.text


def test_another_browsers_unlock_is_not_this_ones(both: Building) -> None:
    open_here, closed_here = both.guest("T-1", unlocked=True), both.guest("T-1")
    seen_before = hidden(sent(open_here, PAGE, ALL).text, "seen")
    assert "PLANTED words" not in closed_here.get(f"{PAGE}?session=2").text
    assert sent(closed_here, f"{PAGE}/share", ALL, seen=seen_before).status_code == 401
    both.guest("S-1", unlocked=True)
    where = shared(open_here, ALL)
    assert QUESTION not in html.unescape(both.guest("S-1").get(where).text)


def test_what_has_changed_since_is_looked_at_once_more(both: Building) -> None:
    guest = both.guest("T-1", unlocked=True)
    looked = sent(guest, PAGE, ALL)
    both.cast.first.choose_step("K-01", "another step")
    answer = sent(guest, f"{PAGE}/share", ALL, seen=hidden(looked.text, "seen"))
    assert answer.status_code == 200
    assert "Something has changed since you looked" in answer.text
    assert guest_shares(guest) == []


def test_a_therapist_takes_a_pdf_out_and_the_journal_knows(both: Building) -> None:
    guest = both.guest("T-1", unlocked=True)
    looked = sent(guest, PAGE, ALL, paper="a4")
    answer = sent(guest, f"{PAGE}/pdf", ALL, seen=hidden(looked.text, "seen"), paper="a4")
    assert answer.headers["content-type"] == "application/pdf"
    assert "K-01" not in answer.headers["content-disposition"]
    told = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "PLANTED words" in told
    last = both.cast.admin.journal()[-1]
    assert (last["who"], last["verb"], last["outcome"]) == ("T-1", "take out report", "done")


def test_a_supervisor_takes_the_same_pdf(both: Building) -> None:
    mine, theirs = both.guest("T-1", unlocked=True), both.guest("S-1", unlocked=True)
    where = shared(mine, ALL)
    answers = [theirs.get(f"{where}/report.pdf?paper={paper}") for paper in ("a4", "a4", "us-letter", "'\"<")]
    assert {each.status_code for each in answers} == {200}
    assert answers[0].content == answers[1].content != answers[2].content == answers[3].content
    assert answers[0].headers["cache-control"] == "no-store"


def no_more(both: Building, end: str, share: str, mine: Guest) -> None:
    """Let a share end, in one of the ways in which it can."""
    first = both.cast.first
    if end == "its day":
        both.cast.hands.pass_by(timedelta(days=8))
    elif end == "taken back":
        assert mine.post(f"/shares/{share}/revoke").status_code == 303
    elif end == "no consent":
        assert mine.post("/clients/K-01/consents", purpose="supervision", given="no").status_code == 303
    elif end == "erased":
        first.erase("K-01")
    elif end == "destroyed":
        first.destroy_reflection("K-01", 2)
    else:
        both.cast.admin.end_account("T-1")


ENDS = ["its day", "taken back", "no consent", "erased", "destroyed", "has left"]


@pytest.mark.parametrize("end", ENDS)
def test_what_is_over_reads_like_what_never_was(both: Building, end: str) -> None:
    mine = both.guest("T-1", unlocked=True)
    where = shared(mine, ALL)
    no_more(both, end, where.removeprefix("/shared/"), mine)
    theirs = both.guest("S-1", unlocked=True)
    for tail in ("", "/report.pdf"):
        gone, never = theirs.get(where + tail), theirs.get(f"/shared/{'0' * 32}{tail}")
        assert (gone.status_code, gone.content) == (404, never.content)
        assert {name: value for name, value in gone.headers.items() if name != "date"} == {
            name: value for name, value in never.headers.items() if name != "date"
        }
    assert "Nothing is shared with you now" in theirs.get("/shared").text


@pytest.mark.parametrize("account", ["T-2", "A-1", "T-1"])
def test_what_is_addressed_to_somebody_else_reads_like_what_never_was(both: Building, account: str) -> None:
    where = shared(both.guest("T-1", unlocked=True), ALL)
    guest = both.guest(account, unlocked=account != "A-1")
    for tail in ("", "/report.pdf"):
        assert guest.get(where + tail).content == guest.get(f"/shared/{'0' * 32}{tail}").content
    assert QUESTION not in html.unescape(guest.get("/shared").text)


def test_another_therapist_takes_nothing_back(both: Building) -> None:
    share = shared(both.guest("T-1", unlocked=True), ALL).removeprefix("/shared/")
    other = both.guest("T-2", unlocked=True)
    theirs, nobodys = (other.post(f"/shares/{each}/revoke") for each in (share, "0" * 32))
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert guest_shares(other) == []


def test_a_reflection_that_is_shared_opens_too(both: Building) -> None:
    guest = both.guest("S-1", unlocked=True)
    both.guest("T-1", unlocked=True)
    until = both.cast.hands.wall() + timedelta(days=3)
    share = both.cast.first.share("K-01", 2, "S-1", until=until).id
    page = guest.get(f"/shared/{share}").text
    assert "PLANTED words" in page
    assert "bored 7" in page
    assert guest.get(f"/shared/{share}/report.pdf").status_code == 404


def test_a_key_that_was_not_compared_or_has_changed_opens_nothing(both: Building) -> None:
    mine = both.guest("T-1", unlocked=True)
    where = shared(mine, ALL)
    with_other_keys(both.cast.first, "T-1")
    theirs = both.guest("S-1", unlocked=True)
    changed = theirs.get(where)
    assert changed.status_code == 400
    assert "WARNING" in changed.text
    assert QUESTION not in html.unescape(changed.text)
    with_other_keys(both.cast.first, "S-1")
    looked = sent(mine, PAGE, ALL)
    assert "is not the one that you compared" in looked.text
    refused = sent(mine, f"{PAGE}/share", ALL, seen=hidden(looked.text, "seen"))
    assert (refused.status_code, "WARNING" in refused.text) == (400, True)


def test_keys_are_compared_by_typing_what_the_other_reads(house: Building) -> None:
    seen(house.cast.first, "K-01")
    guest, other = house.guest("T-1", unlocked=True), house.guest("S-1", unlocked=True)
    own = house.cast.supervisor.fingerprint("S-1")
    page = guest.get("/supervision/pins").text
    assert own not in page
    assert house.cast.first.fingerprint("T-1") in page
    assert own in other.get("/supervision/pins").text
    wrong = guest.post("/supervision/pins", account="S-1", fingerprint=own[::-1])
    assert (wrong.status_code, "not the fingerprint" in wrong.text) == (400, True)
    typed = own.replace(" ", "") if len(own) % 2 else own.replace(" ", " - ")
    assert guest.post("/supervision/pins", account="S-1", fingerprint=typed).status_code == 303
    assert 'badge">compared' in guest.get("/supervision/pins").text
    assert guest.post("/supervision/pins", account="nobody", fingerprint=own).status_code == 404


def test_without_consent_it_is_looked_at_and_not_shared(both: Building) -> None:
    both.cast.first.withdraw_consent("K-01", Purpose.SUPERVISION)
    guest = both.guest("T-1", unlocked=True)
    looked = sent(guest, PAGE, ALL)
    assert "has not agreed to supervision" in looked.text
    for way in ("share", "pdf"):
        assert sent(guest, f"{PAGE}/{way}", ALL, seen=hidden(looked.text, "seen")).status_code == 404
    assert guest_shares(guest) == []


def test_an_admin_learns_nothing_of_it(both: Building, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mine, theirs = both.guest("T-1", unlocked=True), both.guest("S-1", unlocked=True)
    theirs.get(shared(mine, ALL))
    admin = both.guest("A-1")
    seen_by_admin = "".join(
        admin.get(path).text for path in ("/practice", "/account", "/supervision", "/shared")
    )
    for told in (seen_by_admin, caplog.text, str(both.cast.admin.journal())):
        assert "PLANTED" not in told
        assert "cannot bear" not in told


def test_supervision_suggests_without_ranking(both: Building) -> None:
    guest = both.guest("T-1")
    page = guest.get("/supervision").text
    assert "/clients/K-01/supervision" in page
    assert "K-02" not in page
    assert f'href="{PAGE}"' in guest.get("/clients/K-01").text


@pytest.mark.parametrize(
    "fields",
    [
        {"session": "0"}, {"session": "x"}, {"days": "365"}, {"language": "fr"}, {"paper": "a0"},
        {"tick": "everything"}, {"question": "x" * 5_000}, {"odd": "1"}, {"question": "a\x00b"},
    ],
    ids=str,
)  # fmt: skip
def test_bad_input_is_one_sentence(both: Building, fields: dict[str, str]) -> None:
    answer = sent(both.guest("T-1", unlocked=True), PAGE, ["words"], **fields)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("session", ["", "0", "77", "x", "9" * 40, "²"])
def test_a_session_that_is_not_there_shows_a_form_all_the_same(both: Building, session: str) -> None:
    assert both.guest("T-1", unlocked=True).get(f"{PAGE}?session={session}").status_code == 200
