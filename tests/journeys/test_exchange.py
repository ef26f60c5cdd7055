"""Questionnaires of others, and what other systems give, in the real browser: from the empty form to an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pytest
from cast import WORDS
from playwright.sync_api import expect
from rooms import NEEDS_CHROMIUM, Walk, context, served

from attunement.web.demonstration import ACCOUNT, PHRASE, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = NEEDS_CHROMIUM
TOTALS = b"client,session,date,ors,srs\n" + b"".join(
    b"K-%d,%d,2026-03-%02d,%d,%d\n" % (30 + client, session, 2 + 7 * (session - 1), 15 + session, 30 + client)
    for client in range(1, 5)
    for session in range(1, 4)
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The rooms of a simulated practice of few."""
    folder = tmp_path_factory.mktemp("demo") / "practice"
    demonstration(folder, clients=3, seed=4)
    with served(folder, PHRASE) as address:
        yield address.rstrip("/")


@pytest.mark.parametrize(
    ("name", "width", "scheme", "scripts"),
    [("phone", 375, "dark", True), ("desktop", 1280, "light", True), ("phone", 320, "light", False)],
    ids=str,
)
def test_words_are_loaded_and_a_client_answers_in_them(
    browser: Browser, demo: str, name: str, width: int, scheme: Literal["light", "dark"], scripts: bool
) -> None:
    opened = context(browser, width, scheme, scripts=scripts)
    page = opened.new_page()
    walk = Walk(page, f"{name}-{scheme}", scripts)
    page.goto(f"{demo}/sign-in")
    page.fill("#account", ACCOUNT)
    page.fill("#passphrase", PHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{demo}/instruments")
    page.get_by_label("The file").set_input_files(
        {"name": "phq9.toml", "mimeType": "application/toml", "buffer": WORDS.encode()}
    )
    page.get_by_role("button", name="Show how it is understood").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("PHQ-9")
    walk.look("instruments-preview")
    page.get_by_role("button", name="Keep it, so that clients can be asked").click()
    expect(page.get_by_role("status").first).to_contain_text("Loaded: PHQ-9")
    walk.look("instruments-loaded")

    page.goto(f"{demo}/import")
    page.get_by_label("The file").set_input_files(
        {"name": "totals.csv", "mimeType": "text/csv", "buffer": TOTALS}
    )
    page.get_by_label("What it is").select_option("ors_srs")
    page.get_by_role("button", name="Show how it is understood").click()
    expect(page.get_by_text(re.compile("24 totals"))).to_be_visible()
    walk.look("import-entries")
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_role("status").first).to_contain_text("totals")

    page.goto(f"{demo}/caseload")
    here = page.locator(".tile a", has_text=re.compile(r"\d")).first.get_attribute("href")
    page.goto(f"{demo}{here}")
    page.get_by_label("What is asked").select_option("phq9")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link").input_value()
    phone = context(browser, width, scheme, scripts=scripts)
    client = phone.new_page()
    shown = Walk(client, f"{name}-{scheme}", scripts)
    client.goto(link)
    client.get_by_role("group", name="made-up line one").get_by_label("often").check()
    client.get_by_role("group", name="made-up line nine").get_by_label("now and then").check()
    expect(client.locator(".now").first).to_be_visible()
    shown.look("check-in-worded")
    client.get_by_role("button", name="Send").click()
    expect(client.get_by_role("heading", name="You do not have to be alone with this.")).to_be_visible()
    phone.close()
    page.goto(f"{demo}{here}")
    expect(page.get_by_text("phq9, item9").first).to_be_visible()
    walk.look("client-of-others")
    opened.close()
