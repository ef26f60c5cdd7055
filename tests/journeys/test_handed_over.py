"""A client handed over in a real browser: offered as a cover, taken on by another code, ended; in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from cast import PHRASES, gathered, seen
from playwright.sync_api import expect
from rooms import NEEDS_CHROMIUM, Walk, context, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = NEEDS_CHROMIUM
WALKS = [
    ("desktop", 1280, "light", True),
    ("phone", 375, "dark", True),
    ("phone", 320, "light", False),
]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The rooms of two therapists; T-1 has a client for each walk."""
    folder = tmp_path_factory.mktemp("clinic") / "practice"
    everybody = gathered(folder)
    for number in range(len(WALKS)):
        seen(everybody.first, f"K-{number}")
    everybody.close()
    with served(folder, PHRASES["T-1"]) as address:
        yield address.rstrip("/")


def signed_in(opened: BrowserContext, address: str, account: str) -> Page:
    page = opened.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#account", account)
    page.fill("#passphrase", PHRASES[account])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


def pressed(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


@pytest.mark.parametrize(("name", "width", "scheme", "scripts"), WALKS, ids=str)
def test_a_client_is_covered_by_a_colleague(
    browser: Browser, clinic: str, name: str, width: int, scheme: Literal["light", "dark"], scripts: bool
) -> None:
    number = WALKS.index((name, width, scheme, scripts))
    mine, theirs = (context(browser, width, scheme, scripts=scripts) for _ in range(2))
    page, room = signed_in(mine, clinic, "T-1"), signed_in(theirs, clinic, "T-2")
    sender, recipient = (Walk(each, f"{name}-{scheme}", scripts) for each in (page, room))
    page.goto(f"{clinic}/clients/K-{number}")
    page.get_by_role("link", name="Hand over").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hand over K-{number}")
    sender.look("hand-over")
    page.check("#cover-course")
    pressed(page, "Offer the cover")
    expect(page.get_by_role("status")).to_contain_text("Offered to T-2")
    sender.look("handovers-given")

    room.goto(f"{clinic}/handovers")
    expect(room.get_by_text("A client of T-1")).to_be_visible()
    expect(room.get_by_text(f"K-{number}")).to_have_count(0)
    recipient.look("handovers")
    room.get_by_label("Your code for this client").fill(f"L-{number}")
    pressed(room, "Take them on")
    expect(room.get_by_role("heading", level=1)).to_have_text(f"L-{number}")
    recipient.look("client-covered", draw=False)
    room.goto(f"{clinic}/handovers?language=es")
    expect(room.get_by_role("heading", level=1)).to_have_text("Traspasos")
    recipient.look("handovers-taken", draw=False)

    page.goto(f"{clinic}/handovers")
    pressed(page, "End the cover now")
    sender.look("handovers-ended", draw=False)
    answer = room.goto(f"{clinic}/clients/L-{number}")
    assert answer is not None
    assert answer.status == 404
    assert sender.looked + recipient.looked == 6
    for each in (mine, theirs):
        each.close()
