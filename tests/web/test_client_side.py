"""A client's minute: what is asked, what is taken, what is said back, and what nobody can do with a link."""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from cast import BEGAN, seen
from guest import hidden
from hypothesis import given as drawn_from
from hypothesis import strategies as st

from attunement.concerns import Protocol
from attunement.instruments import instrument
from attunement.sessions import Purpose
from attunement.vault import tables
from attunement.vault.whom import KEEPER
from attunement.web.curve import FOOT, HEAD, LEFT, RIGHT, curve
from attunement.web.words import LANGUAGES, sentences

if TYPE_CHECKING:
    from guest import Building, Guest

ALL = {f"a__{item.id}": "7" for item in instrument("connection").items}
RIVALS = 60


def invited(house: Building, which: str = "connection") -> str:
    seen(house.cast.first, "K-01", 1)
    house.cast.first.log_session("K-01", BEGAN + timedelta(days=14))
    return house.cast.first.invite("K-01", 2, instrument=which).token


def sent(guest: Guest, token: str, key: str = "some-sending", **answers: str) -> int:
    return guest.post(f"/c/{token}", instrument="connection", key=key, **(answers or ALL)).status_code


def answered(house: Building) -> int:
    return sum(each.session == 2 for each in house.cast.first.check_ins("K-01"))


def test_looking_uses_nothing_up_however_often(house: Building) -> None:
    token = invited(house)
    for _ in range(30):
        assert house.guest(agent="a mail scanner").get(f"/c/{token}").status_code == 200
        assert house.guest().client.head(f"/c/{token}").status_code == 200
    assert sent(house.guest(), token) == 303


def test_the_first_line_says_who_sees_it_and_why(house: Building) -> None:
    page = house.guest().get(f"/c/{invited(house)}").text
    main = re.sub(r"<[^>]+>", "", page[page.index("<main") :]).strip()
    assert main.startswith("Only your therapist sees your answers")


def test_a_page_for_a_client_names_nobody_and_nothing(house: Building) -> None:
    page = house.guest().get(f"/c/{invited(house)}").text
    for word in ("K-01", "T-1", "Attunement", "session 2"):
        assert word not in page


def test_every_line_can_be_tapped_left_out_or_skipped(house: Building) -> None:
    token = invited(house)
    assert sent(house.guest(), token, a__safe="3", a__contact="skip") == 303
    last = house.cast.first.agenda().standings[0].last
    assert last is not None
    assert dict(last.answers) == {**dict.fromkeys(last.answers), "safe": 3}


def test_a_used_link_an_ended_one_and_one_that_never_was_read_alike(house: Building) -> None:
    token = invited(house)
    ended = house.cast.first.invite("K-01", 2, open_for=timedelta(minutes=1)).token
    assert sent(house.guest(), token) == 303
    house.cast.hands.pass_by(timedelta(minutes=2))
    pages = [house.guest().get(f"/c/{each}") for each in (token, ended, "never-was", "a" * 43, "%00", "é")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert "988" in pages[0].text


def test_an_answer_is_never_shown_back(house: Building) -> None:
    token = invited(house)
    guest = house.guest()
    sent(guest, token)
    again = house.guest().post(f"/c/{token}", instrument="connection", key="some-sending", **ALL)
    assert again.headers["location"].startswith("/thanks")
    thanks = guest.get("/thanks?lang=en")
    assert "7" not in re.sub(r"<[^>]+>|988|911|\?v=\w+", "", thanks.text)
    assert thanks.text == house.guest().get("/thanks?lang=en").text


def test_a_double_tap_counts_once_and_another_sending_not_at_all(house: Building) -> None:
    token = invited(house)
    assert [sent(house.guest(), token) for _ in range(3)] == [303] * 3
    assert sent(house.guest(), token, key="another-sending") == 404
    assert sent(house.guest(), token, a__safe="1") == 404  # the same key, other answers
    assert answered(house) == 1


def test_of_sixty_at_once_one_wins(house: Building) -> None:
    token = invited(house)
    found: list[int] = []
    start = threading.Barrier(RIVALS)

    def rival(number: int) -> None:
        guest = house.guest()
        start.wait()
        found.append(sent(guest, token, key=f"rival-{number:04d}"))

    threads = [threading.Thread(target=rival, args=(number,)) for number in range(RIVALS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = Counter(found)
    assert counted[303] == 1
    assert set(counted) <= {303, 404, 429}
    assert answered(house) == 1


def test_who_guesses_is_not_heard_after_twenty_tries_and_a_right_link_works_elsewhere(
    house: Building,
) -> None:
    guest = house.guest()
    statuses = [guest.get(f"/c/guess-{number}").status_code for number in range(25)]
    assert statuses == [404] * 20 + [429] * 5
    assert house.rooms.wrong_tokens == 25
    house.cast.hands.pass_by(timedelta(hours=1, minutes=1))
    assert guest.get("/c/guess").status_code == 404


def test_a_withdrawn_consent_stops_a_link_that_is_on_its_way(house: Building) -> None:
    token = invited(house)
    house.cast.first.withdraw_consent("K-01", Purpose.CHECK_INS)
    assert sent(house.guest(), token) == 404
    assert answered(house) == 0


def test_an_answer_on_safety_gives_help_at_once_and_stands_first_on_today(house: Building) -> None:
    token = invited(house, "state")
    page = house.guest().get(f"/c/{token}").text
    assert 'class="asks"' in page
    help_ = house.guest().post(f"/c/{token}", instrument="state", key="some-sending", a__safety="2")
    assert help_.status_code == 200
    assert "You do not have to be alone" in help_.text
    assert 'href="tel:988"' in help_.text
    today = house.guest("T-1").get("/today").text
    assert today.index("First: safety") < today.index("Who is next")
    assert "<strong>2 of 10</strong>" in today
    assert "You do not have to be alone" not in house.guest().get("/thanks").text


def test_a_concern_is_closed_on_today_by_what_was_done(house: Building) -> None:
    token = invited(house, "state")
    house.guest().post(f"/c/{token}", instrument="state", key="some-sending", a__safety="2")
    guest = house.guest("T-1")
    concern = house.cast.first.concerns("K-01")[0].id
    path = f"/clients/K-01/concerns/{concern}"
    when = f"{BEGAN.astimezone():%Y-%m-%dT%H:%M}"
    assert guest.post(path, done=" ", done_at=when, then="today").status_code == 400
    assert (
        guest.post(path, done="called, plan made", done_at=when, then="today").headers["location"] == "/today"
    )
    assert "First: safety" not in guest.get("/today").text
    assert "called, plan made (T-1)" in guest.get("/clients/K-01").text


def test_the_practices_own_help_stands_on_every_page_for_clients(house: Building) -> None:
    token = invited(house)
    admin = house.guest("A-1")
    admin.post(
        "/practice/protocol", help_en="Call us: 555", help_es="Llame: 555", number="555 1", steps="call"
    )
    assert house.cast.first.protocol() == Protocol("Call us: 555", "Llame: 555", "555 1", "call")
    for path in (f"/c/{token}", "/c/no", "/thanks", "/leave", f"/c/{token}?lang=en"):
        assert "Call us: 555" in house.guest().get(path).text, path
    assert "Llame: 555" in house.guest().get(f"/c/{token}?lang=es").text


def test_a_client_is_spoken_to_in_their_language(house: Building) -> None:
    token = invited(house)
    spanish = house.guest().get(f"/c/{token}", **{"accept-language": "es-MX,es;q=0.9"}).text
    assert 'lang="es"' in spanish
    assert "Solo su terapeuta ve sus respuestas" in spanish
    assert "Only your therapist" in house.guest().get(f"/c/{token}?lang=en", **{"accept-language": "es"}).text
    thanks = house.guest().post(f"/c/{token}", instrument="connection", key="some-sending", lang="es", **ALL)
    assert "Gracias" in house.guest().get(thanks.headers["location"]).text


def test_where_a_step_is_open_two_more_questions_are_asked_and_neither_says_which(house: Building) -> None:
    token = invited(house)
    assert "did you two talk" not in house.guest().get(f"/c/{token}").text
    house.cast.first.choose_step("K-01", "PLANTED step about the silence")
    page = house.guest().get(f"/c/{token}").text
    assert "did you two talk" in page
    assert "PLANTED" not in page
    assert sent(house.guest(), token, **ALL, talked="yes", helped="8") == 303


def given(house: Building) -> list[tuple[str, float | None]]:
    with house.cast.first.house.record.reading(KEEPER) as rows:
        return [(row["talked"], row["helped"]) for row in rows.all(sa.select(tables.step_answer))]


@pytest.mark.parametrize(
    ("sent_with", "kept"),
    [
        ({"talked": "yes", "helped": "8"}, [("yes", 8.0)]),
        ({"talked": "yes", "helped": "skip"}, [("yes", None)]),
        ({"talked": "no", "helped": "8"}, [("no", None)]),  # without a talk, nothing helped
        ({"talked": "skip", "helped": "4"}, [("skipped", 4.0)]),
        ({"talked": "skip", "helped": "skip"}, []),
        ({}, []),
    ],
    ids=str,
)
def test_what_a_client_says_of_a_step_is_kept_as_they_said_it_and_each_part_can_be_skipped(
    house: Building, sent_with: dict[str, str], kept: list[tuple[str, float | None]]
) -> None:
    token = invited(house)
    house.cast.first.choose_step("K-01", "ask about the silence")
    assert sent(house.guest(), token, **ALL, **sent_with) == 303
    assert given(house) == kept


def test_once_a_step_is_closed_it_is_asked_about_no_more(house: Building) -> None:
    token = invited(house)
    step = house.cast.first.choose_step("K-01", "ask about the silence")
    page = house.guest().get(f"/c/{token}", **{"accept-language": "es"}).text
    assert "¿hablaron los dos de cómo va su trabajo juntos?" in page
    assert "Si hablaron de eso: ¿ayudó?" in page
    house.cast.first.close_step(step.id, "it helped")
    page = house.guest().get(f"/c/{token}").text
    assert "did you two talk" not in page
    assert 'name="helped"' not in page


def test_a_step_with_somebody_else_asks_nothing_here(house: Building) -> None:
    token = invited(house)
    seen(house.cast.second, "K-02", 1)
    house.cast.second.choose_step("K-02", "ask about the silence")
    assert "did you two talk" not in house.guest().get(f"/c/{token}").text


def own(house: Building, answers: dict[int, str | None], language: str = "en", **more: str) -> str:
    """The own curve of a client who answered so in these sessions; one page of text."""
    first, last = house.cast.first, max(answers)
    seen(first, "K-01", 0)
    for number in range(1, last + 1):
        first.log_session("K-01", BEGAN + timedelta(days=7 * number))
    first.show_curve("K-01", shown=True)
    page = ""
    for number, answer in answers.items():
        token = first.invite("K-01", number).token
        lines = dict.fromkeys(ALL, answer or "skip")
        done = house.guest().post(f"/c/{token}", instrument="connection", key="some-sending", **lines, **more)
        if number == last:
            curve = house.guest().post(
                f"/c/{token}/curve", key=hidden(done.text, "key"), lang=language, **more
            )
            assert curve.status_code == 200
            assert curve.headers["clear-site-data"] == '"cache", "storage"'
            assert curve.headers["cache-control"] == "no-store"
            page = unescape(curve.text)
    return page


def test_the_own_curve_says_first_last_lowest_and_highest_and_what_it_cannot_tell(house: Building) -> None:
    page = own(house, {1: "5", 2: "8", 3: "3", 4: "6"})
    said = "Your first answer was 5 of 10, your last is 6. The lowest was 3, the highest 8."
    assert f">{said}<" in page
    assert f'aria-label="{said}"' in page
    assert "It goes up and down for everyone." in page
    assert "It cannot tell why it went up or down, or what comes next. It is not a grade." in page
    assert page.count("<circle") == 4
    assert page.count("<polyline") == 1
    assert re.findall(r'<th scope="row">(\d+)</th><td>([^<]+)</td>', page) == [
        ("1", "5"), ("2", "8"), ("3", "3"), ("4", "6"),
    ]  # fmt: skip
    for word in ("K-01", "T-1", "Attunement", "established", "expected"):
        assert word not in page


def test_the_own_curve_is_not_joined_across_sessions_without_an_answer(house: Building) -> None:
    page = own(house, {1: "5", 2: "8", 3: None, 4: "6", 5: "6"}, "es")
    assert page.count("<circle") == 4
    assert page.count("<polyline") == 2
    assert "Donde los puntos no están unidos, falta alguna respuesta." in page
    assert "Su primera respuesta fue 5 de 10; la última es 6. La más baja fue 5; la más alta, 8." in page


def test_one_answer_is_said_and_none_is_no_fault(house: Building) -> None:
    page = own(house, {1: "5"})
    assert "So far there is one: 5 of 10." in page
    assert "<svg" not in page
    assert "<table" not in page


def test_where_every_line_was_skipped_there_is_nothing_to_show_and_that_is_fine(house: Building) -> None:
    page = own(house, {1: None})
    assert "There is nothing to show yet. That is fine." in page
    assert "lowest" not in page


def test_on_the_therapists_tablet_the_own_curve_ends_with_handing_it_back(house: Building) -> None:
    assert "hand the tablet back" in own(house, {1: "5", 2: "6"}, kiosk="yes")


def test_after_an_answer_on_safety_help_stands_alone(house: Building) -> None:
    token = invited(house, "state")
    house.cast.first.show_curve("K-01", shown=True)
    help_ = house.guest().post(f"/c/{token}", instrument="state", key="some-sending", a__safety="2")
    assert "You do not have to be alone" in help_.text
    assert "/curve" not in help_.text


def test_what_is_asked_monthly_is_joined_and_what_is_asked_each_session_has_gaps() -> None:
    monthly = [(4, 5.0), (8, 6.0), (13, 7.0)]
    assert curve(monthly, each_session=False).lines == ("30.0,70.0 154.4,58.0 310.0,46.0",)
    assert curve(monthly).lines == ()
    assert curve(monthly).gaps


@drawn_from(
    st.dictionaries(st.integers(1, 400), st.floats(0, 10), max_size=40).map(lambda each: sorted(each.items()))
)
def test_every_answer_is_a_dot_inside_the_picture_and_in_order(rated: list[tuple[int, float]]) -> None:
    drawn = curve(rated)
    assert len(drawn.dots) == len(rated)
    assert all(LEFT <= x <= RIGHT and HEAD <= y <= FOOT for x, y in drawn.dots)
    assert [x for x, _ in drawn.dots] == sorted(x for x, _ in drawn.dots)
    for (_, y), (_, value) in zip(drawn.dots, rated, strict=True):
        assert abs((FOOT - y) / (FOOT - HEAD) * 10 - value) < 0.01


def test_own_answers_are_shown_where_the_therapist_lets_them_and_only_to_who_sent_them(
    house: Building,
) -> None:
    token = invited(house)
    house.cast.first.show_curve("K-01", shown=True)
    thanks = house.guest().post(f"/c/{token}", instrument="connection", key="some-sending", **ALL)
    assert thanks.status_code == 200
    key = hidden(thanks.text, "key")
    curve = house.guest().post(f"/c/{token}/curve", key=key, lang="en")
    assert "Your first answer was" in curve.text
    assert "your last is 7" in curve.text
    assert house.guest().post(f"/c/{token}/curve", key="another-key", lang="en").status_code == 404
    house.cast.hands.pass_by(timedelta(minutes=20))
    assert house.guest().post(f"/c/{token}/curve", key=key, lang="en").status_code == 404


def test_handing_the_tablet_over_locks_everything_else(house: Building) -> None:
    seen(house.cast.first, "K-01", 1)
    guest = house.guest("T-1", unlocked=True)
    over = guest.post("/clients/K-01/invite", session="1", instrument="connection", hours="24", how="here")
    assert over.headers["location"].endswith("?kiosk=yes")
    assert "kiosk" in guest.get(over.headers["location"]).text
    for path in ("/today", "/clients/K-01", "/account", "/caseload"):
        locked = guest.get(path)
        assert (locked.status_code, "Locked" in locked.text) == (401, True)
    token = over.headers["location"].removeprefix("/c/").removesuffix("?kiosk=yes")
    done = guest.post(f"/c/{token}", instrument="connection", key="some-sending", kiosk="yes", **ALL)
    assert "hand the tablet back" in guest.get(done.headers["location"]).text


def test_after_a_check_in_the_browser_is_told_to_keep_nothing(house: Building) -> None:
    token = invited(house)
    done = house.guest().post(f"/c/{token}", instrument="connection", key="some-sending", **ALL)
    assert done.headers["clear-site-data"] == '"cache", "storage"'
    assert "set-cookie" not in done.headers
    assert house.guest().get("/leave").headers["clear-site-data"] == '"cache", "storage"'


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_for_clients_is_there_and_is_plain(language: str) -> None:
    for name, both in sentences().items():
        assert both[language].strip(), name
    text = " ".join(both["en"] for both in sentences().values() if len(both["en"].split()) > 4)
    assert grade(text) <= 6


def grade(text: str) -> float:
    """The Automated Readability Index (Smith and Senter 1967)."""
    words = re.findall(r"[A-Za-z0-9']+", text)
    ends = len(re.findall(r"[.?!:]", text))
    return 4.71 * sum(map(len, words)) / len(words) + 0.5 * len(words) / ends - 21.43
