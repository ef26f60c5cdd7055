"""The room of norms in the real browser: loaded, looked at locked and open, given and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from cast import elsewhere
from rooms import NEEDS_CHROMIUM, Walk, context, served

from attunement.norms import dump
from attunement.web.demonstration import ACCOUNT, PHRASE, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The rooms of a simulated practice."""
    folder = tmp_path_factory.mktemp("norms") / "practice"
    demonstration(folder, clients=8, seed=4)
    with served(folder, PHRASE) as address:
        yield address.rstrip("/")


@pytest.mark.parametrize(("width", "scheme", "scripts"), [(320, "dark", True), (1280, "light", False)])
def test_norms_are_loaded_given_and_taken_back_in_a_browser(
    demo: str,
    browser: Browser,
    tmp_path: Path,
    width: int,
    scheme: Literal["light", "dark"],
    *,
    scripts: bool,
) -> None:
    (tmp_path / "norms.json").write_text(dump(elsewhere(f"Ash House {width}")), "utf-8")
    opened = context(browser, width, scheme, scripts=scripts)
    page = opened.new_page()
    walk = Walk(page, "norms", scripts)
    page.goto(f"{demo}/sign-in")
    page.fill("#account", ACCOUNT)
    page.fill("#passphrase", PHRASE)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    page.goto(f"{demo}/norms")
    walk.look("norms-locked", draw=False)
    page.get_by_text("Load norms").click() if not page.locator("#file").is_visible() else None
    page.set_input_files("#file", tmp_path / "norms.json")
    with page.expect_navigation():
        page.get_by_role("button", name="Load it").click()
    assert page.get_by_text(f"Ash House {width}").count() == 1
    page.fill("#unlock", PHRASE)
    with page.expect_navigation():
        page.locator("form.unlock button").click()
    walk.look("norms-open", draw=False)
    with page.expect_navigation():
        page.get_by_role("button", name="Give what is ticked").click()
    walk.look("norms-given", draw=False)
    while page.get_by_role("button", name="take back").count():
        with page.expect_navigation():
            page.get_by_role("button", name="take back").first.click()
    assert page.get_by_role("button", name="Give what is ticked").count() == 1
    opened.close()
