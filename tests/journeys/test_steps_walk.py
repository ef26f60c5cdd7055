"""From an alert to a step, the client's answer and the repair, in the real browser; and every page looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect
from rooms import NEEDS_CHROMIUM, Walk, context, served

from attunement.practice import Practice
from attunement.web.demonstration import ACCOUNT, PHRASE, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_CHROMIUM
WALKS = [
    ("desktop", 1280, "light", True),
    ("phone", 375, "dark", True),
    ("phone", 375, "light", False),
    ("narrow", 320, "light", True),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The rooms of a simulated practice."""
    folder = tmp_path_factory.mktemp("steps") / "practice"
    demonstration(folder, clients=12, seed=4)
    ended(folder)
    with served(folder, PHRASE) as address:
        yield address.rstrip("/")


def ended(folder: Path) -> None:
    """End with one client, so that the page of one who no longer comes is there to look at."""
    with Practice.open(folder, ACCOUNT, PHRASE) as practice:
        practice.end(practice.clients()[-1].client.code, "left")


def pressed(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).first.click()


@pytest.mark.parametrize(("name", "width", "scheme", "scripts"), WALKS, ids=str)
def test_from_an_alert_to_a_step_the_clients_answer_and_the_repair(
    browser: Browser, demo: str, name: str, width: int, scheme: Literal["light", "dark"], scripts: bool
) -> None:
    opened = context(browser, width, scheme, scripts=scripts)
    page = opened.new_page()
    walk = Walk(page, f"{name}-{scheme}", scripts)
    page.goto(f"{demo}/sign-in")
    page.fill("#account", ACCOUNT)
    page.fill("#passphrase", PHRASE)
    pressed(page, "Sign in")
    while page.get_by_text("being worked out").count():
        page.goto(f"{demo}/today")
    walk.look("today-alert")
    link = page.get_by_role("link", name="Choose a step").first
    path = str(link.get_attribute("href"))
    client = path.removeprefix("/clients/").partition("?")[0]
    page.goto(f"{demo}{path}")
    walk.look("client-choose-step")
    page.get_by_role("radio").first.check()
    pressed(page, "Choose it")
    expect(page.get_by_role("status").first).to_contain_text("Chosen.")
    walk.look("client-step-open")
    page.goto(f"{demo}/steps")
    walk.look("steps")
    card = page.get_by_role("article", name=f"A step with {client}").last
    card.get_by_label("What came of it").fill("They said that I had sounded cold.")
    card.get_by_label("Is it repaired?").select_option("yes")
    with page.expect_navigation():
        card.get_by_role("button").click()
    expect(page.get_by_role("heading", name="With whom")).to_be_visible()
    walk.look("steps-closed")
    page.goto(f"{demo}/clients/{client}")
    walk.look("client-repaired")
    page.goto(f"{demo}/account")
    walk.look("account-reminders")
    page.goto(f"{demo}/practice")
    walk.look("practice-due")
    opened.close()
    assert walk.looked == 8
