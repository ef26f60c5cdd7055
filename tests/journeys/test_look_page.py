"""The page in the real browser: nothing fetched, nothing cut off, nothing that axe finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from rooms import LOOKED_FOR, NEEDS_CHROMIUM

from attunement.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("look") / "demo.html"
    assert main(["demo", "--no-open", "--out", str(file)]) == 0
    return file


def opened(browser: Browser, file: Path, width: int, scheme: str) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 1280])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: Browser, page_file: Path, width: int, scheme: str
) -> None:
    page = opened(browser, page_file, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page, options=LOOKED_FOR)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_the_page_fetches_nothing_and_runs_nothing(browser: Browser, page_file: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    assert asked == [page_file.as_uri()]
    assert page.locator("script").count() == 0
    page.close()


def test_the_keyboard_reaches_a_client_and_opens_a_table(browser: Browser, page_file: Path) -> None:
    page = opened(browser, page_file, 1280, "light")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demo.html#client-1")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details").first).to_have_attribute("open", "")
    page.close()


def test_without_scripts_it_is_the_same_page(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.get_by_role("heading", name="What wants a look first").is_visible()
    context.close()


def test_on_paper_it_is_light_and_a_chart_stays_with_its_client(browser: Browser, page_file: Path) -> None:
    page = opened(browser, page_file, 800, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).breakInside") == "avoid"
    page.close()


def test_every_chart_has_a_table_and_a_sentence_beside_it(browser: Browser, page_file: Path) -> None:
    page = opened(browser, page_file, 1280, "light")
    cards = page.locator("article.card")
    assert cards.count() >= 3
    for place in range(cards.count()):
        card = cards.nth(place)
        assert card.locator("svg[role=img][aria-label]").count() == 1
        assert card.locator("details table").count() == 1
        assert card.locator("p").count() >= 3
    page.close()
