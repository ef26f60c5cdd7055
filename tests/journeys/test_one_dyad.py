"""The whole story of one dyad in the real browser: a fall, its alert, the board, a step, the client's word on it, the
repair, supervision, and the day on which what was shared ends."""

from __future__ import annotations

import io
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import uvicorn
from playwright.sync_api import expect
from pypdf import PdfReader
from rooms import NEEDS_CHROMIUM, Walk, context

from attunement.practice import Practice
from attunement.vault.clock import Clock
from attunement.vault.locks import LEAST
from attunement.web import WAYS, Rooms, app
from attunement.web.demonstration import ACCOUNT, PHRASE, SUPERVISOR, SUPERVISORS_PHRASE, demonstration
from attunement.web.serving import Place, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_CHROMIUM
QUESTION = "What is it that I do not want to hear from them?"
Scheme = Literal["light", "dark"]
DESK: tuple[str, int, Scheme] = ("desktop-light", 1280, "light")
PHONE: tuple[str, int, Scheme] = ("phone-dark", 375, "dark")


@dataclass
class Both(Walk):
    """Looks at each page at a desk by day and on a phone at night: what is worked out for it is worked out once.

    Axe is asked in turn of the one and of the other; `test_rooms` asks it of each page at every size.
    """

    def look(self, what: str, *, draw: bool = True) -> None:
        held, asked = DESK if self.name == DESK[0] else PHONE, self.looked // 2 % 2
        for turn, each in enumerate((PHONE, DESK)):
            self.hold(each)
            self.scripts = turn == asked
            super().look(what, draw=draw)
        self.scripts = True
        self.hold(held)

    def hold(self, way: tuple[str, int, Scheme]) -> None:
        self.name, width, scheme = way
        self.page.set_viewport_size({"width": width, "height": 860})
        self.page.emulate_media(
            color_scheme=scheme, reduced_motion="reduce"
        )  # or axe sees colours on their way


@dataclass
class Later:
    """A clock that runs as this computer's does, and can be moved on."""

    by: timedelta = timedelta(0)

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.by

    def elapsed(self) -> float:
        return time.monotonic() + self.by.total_seconds()


@contextmanager
def served_here(folder: Path, later: Later) -> Iterator[str]:
    """Serve a practice whose clock a test can move on; a server in a process of its own has the computer's."""
    taken = listening(Place(port=0))
    port = taken.getsockname()[1]
    rooms = Rooms(folder, port=port, cost=LEAST)
    rooms.door.take_over(Practice.open(folder, ACCOUNT, PHRASE, clock=Clock(later.wall, later.elapsed)))
    server = uvicorn.Server(uvicorn.Config(app(rooms, WAYS), log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def settled(page: Page, address: str) -> None:
    """Look at a page until nothing on it is still being worked out, or in."""
    page.goto(address)
    while page.get_by_text("being worked").count():
        page.wait_for_timeout(300)
        page.goto(address)


def pressed(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).first.click()


def signed_in(page: Page, address: str, account: str, phrase: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#account", account)
    page.fill("#passphrase", phrase)
    pressed(page, "Sign in")


def unlocked(page: Page, phrase: str) -> None:
    """Open the reflections where they have locked themselves."""
    if page.locator("main input[type=password]").count():
        page.locator("main input[type=password]").first.fill(phrase)
        pressed(page, "Unlock my reflections")


def on_the_board(folder: Path) -> str:
    """Whose bond falls most surely."""
    with Practice.open(folder, ACCOUNT, PHRASE) as practice:
        states = {each.client: each.states or {} for each in practice.trajectories()}
    return max(states, key=lambda client: states[client].get("falling", 0) + states[client].get("stalled", 0))


def test_from_a_fall_through_its_repair_to_the_end_of_a_share(browser: Browser, tmp_path: Path) -> None:
    """The way to the repair is walked at a desk, the rest on a phone; every page is looked at as both."""
    folder, later = tmp_path / "practice", Later()
    demonstration(folder)
    client = on_the_board(folder)
    with served_here(folder, later) as address:
        mine, theirs, phone = (context(browser, width, scheme) for _, width, scheme in (DESK, PHONE, PHONE))
        page = mine.new_page()
        walk = Both(page, DESK[0])
        signed_in(page, address, ACCOUNT, PHRASE)

        an_alert_opens_the_board(walk, address, client)
        asked_and_answered(walk, phone.new_page(), address, client)
        repaired(walk, address, client)
        walk.hold(PHONE)
        understood(walk, address, client)
        brought_to_supervision(walk, address, client)

        room = theirs.new_page()
        signed_in(room, address, SUPERVISOR, SUPERVISORS_PHRASE)
        opened_until_it_ends(Both(room, PHONE[0]), later)
        for each in (mine, theirs, phone):
            each.close()


def an_alert_opens_the_board(walk: Walk, address: str, client: str) -> None:
    page = walk.page
    settled(page, f"{address}/clients/{client}")
    expect(
        page.get_by_text("In simulated practices of 12 clients this was said of 2 in 410").first
    ).to_be_visible()
    settled(page, f"{address}/clients/{client}/board")
    walk.look("board")
    expect(page.locator(".hypotheses > li")).to_have_count(8)
    first = page.locator(".hypotheses > li").first
    if not first.get_by_role("button").is_visible():
        first.locator("summary").last.click()
    first.get_by_role("radio").first.check()
    with page.expect_navigation():
        first.get_by_role("button").click()
    expect(page.get_by_role("status").first).to_contain_text("Chosen.")


def asked_and_answered(walk: Walk, phone: Page, address: str, client: str) -> None:
    """The next session takes place, and the client says whether the two of them talked."""
    page = walk.page
    page.goto(f"{address}/clients/{client}")
    page.get_by_label("When").first.fill(f"{datetime.now().astimezone():%Y-%m-%dT%H:%M}")
    with page.expect_navigation():
        page.get_by_role("button", name="Write it down").first.click()
    pressed(page, "Make a link")
    phone.goto(page.get_by_label("The link").input_value())
    Both(phone, PHONE[0]).look("check-in-step", draw=False)
    for line in ("safe", "understood", "supported", "not_judged", "could_say", "contact", "matters"):
        phone.locator(f"#a-{line}-8").check()
    phone.locator("#talked-yes").check()
    phone.locator("#helped-8").check()
    phone.get_by_role("button", name="Send").click()
    expect(phone.get_by_role("heading", name="Thank you.")).to_be_visible()


def repaired(walk: Walk, address: str, client: str) -> None:
    page = walk.page
    page.goto(f"{address}/steps")
    card = page.get_by_role("article", name=f"A step with {client}")
    expect(card.get_by_text("it helped 8 of 10")).to_be_visible()
    card.get_by_label("What came of it").fill("They told me how last time had been for them.")
    card.get_by_label("Is it repaired?").select_option("yes")
    with page.expect_navigation():
        card.get_by_role("button").click()
    expect(page.get_by_text("repaired: yes").first).to_be_visible()


def understood(walk: Walk, address: str, client: str) -> None:
    """The rooms that say what it means, locked and open, in both languages."""
    page = walk.page
    settled(page, f"{address}/mirror")
    walk.look("mirror-locked", draw=False)
    unlocked(page, PHRASE)
    for path, what in (
        ("mirror", "mirror"), ("impact", "impact"), (f"clients/{client}/mirror", "mirror-with"),
        (f"clients/{client}/board", "board-after"), (f"clients/{client}/card", "card"),
        (f"clients/{client}/impact", "impact-of"), ("mirror?language=es", "mirror-es"),
        (f"clients/{client}/card?language=en", "card-en"),
    ):  # fmt: skip
        settled(page, f"{address}/{path}")
        while page.get_by_text("se está calculando").count():
            page.wait_for_timeout(300)
            page.goto(f"{address}/{path}")
        walk.look(what, draw=not what.endswith(("-es", "-en", "-after")))


def brought_to_supervision(walk: Walk, address: str, client: str) -> None:
    page = walk.page
    settled(page, f"{address}/clients/{client}")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    agree = page.get_by_role("button", name="They agree to supervision")
    if agree.count():
        with page.expect_navigation():
            agree.click()
    settled(page, f"{address}/clients/{client}/supervision")
    page.fill("#question", QUESTION)
    for box in page.locator("input[name=tick]").all():
        box.check()
    page.locator("#days").select_option("7")
    pressed(page, "Look at it as they will see it")
    unlocked(page, PHRASE)
    walk.look("report-preview", draw=False)
    pressed(page, f"Share it with {SUPERVISOR}")
    expect(page.get_by_role("status").first).to_contain_text(f"Shared with {SUPERVISOR} until")


def opened_until_it_ends(walk: Walk, later: Later) -> None:
    """The supervisor reads it, as a page and on paper, for a week; then it reads like what never was."""
    room = walk.page
    expect(room.get_by_role("heading", level=1)).to_be_visible()
    room.get_by_role("link", name="Open it").last.click()
    unlocked(room, SUPERVISORS_PHRASE)
    expect(room.get_by_text(QUESTION)).to_be_visible()
    walk.look("report-opened", draw=False)
    opened = room.url
    paper = room.context.request.get(f"{opened}/report.pdf").body()
    assert QUESTION in " ".join(
        "".join(each.extract_text() for each in PdfReader(io.BytesIO(paper)).pages).split()
    )

    later.by += timedelta(days=7, minutes=1)
    room.goto(opened)
    unlocked(room, SUPERVISORS_PHRASE)
    answer = room.goto(opened)
    assert answer
    assert answer.status == 404
    assert QUESTION not in room.content()
    assert room.context.request.get(f"{opened}/report.pdf").status == 404
    room.goto(f"{opened.rpartition('/shared')[0]}/shared")
    expect(room.get_by_role("link", name="Open it")).to_have_count(0)
