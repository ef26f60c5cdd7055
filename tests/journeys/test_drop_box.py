"""A client's minute at a drop box, in a real browser: with scripts and without, small and wide, in both languages."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from cast import BEGAN, loaded
from playwright.sync_api import sync_playwright
from rooms import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM, Walk, context
from street import free_port, served

from attunement.remote.drop_box import DropBoxLine
from attunement.sessions import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cast import Cast
    from playwright.sync_api import Browser

pytestmark = NEEDS_CHROMIUM
SIZES: tuple[tuple[str, int, Literal["light", "dark"], bool], ...] = (
    ("narrow-dark", 320, "dark", False),
    ("phone-light", 375, "light", True),
    ("desktop-light", 1280, "light", True),
)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def test_whoever_answers_at_a_box_finds_the_practices_own_page(cast: Cast, tmp_path: Path) -> None:
    port, practice = free_port(), cast.first
    url = f"http://127.0.0.1:{port}"
    owner = cast.admin.link_drop_box(url)
    cast.hands.pass_by(datetime.now(UTC) - BEGAN)  # the server's clock is the computer's
    practice.take_on("K-01", agreed=tuple(Purpose))
    practice.load_instruments(loaded())
    tokens = {}
    for number, (name, *_) in enumerate(SIZES, 1):
        practice.log_session("K-01", BEGAN + timedelta(days=number))
        tokens[name] = [
            practice.invite("K-01", number, instrument=which).token for which in ("connection", "phq9")
        ]
    line = DropBoxLine(url)
    with served(tmp_path / "box", port, owner, tmp_path / "log"), browser() as chromium:
        practice.open_slots(line)
        for name, width, scheme, scripts in SIZES:
            answered(chromium, url, tokens[name], Walk, (name, width, scheme, scripts))
        assert practice.fetch_drops(line).taken == 2 * len(SIZES)
    assert len(practice.concerns("K-01")) == len(SIZES)


def answered(
    chromium: Browser, url: str, tokens: list[str], walk: type[Walk],
    size: tuple[str, int, Literal["light", "dark"], bool],
) -> None:  # fmt: skip
    """Answer both; the second one asks for help."""
    name, width, scheme, scripts = size
    language = "es-MX" if scheme == "dark" else "en-US"
    opened = context(chromium, width, scheme, scripts=scripts, language=language)
    page = opened.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    guest = walk(page, name, scripts)
    page.goto(f"{url}/c/{tokens[0]}")
    guest.look("box-check-in", draw=False)
    page.locator("#a-safe-7").check()
    page.locator("button.send").click()
    page.wait_for_url("**/thanks*")
    guest.look("box-thanks", draw=False)
    page.goto(f"{url}/c/{tokens[1]}")
    guest.look("box-check-in-worded", draw=False)
    page.locator(".risk .asks").last.check()
    page.locator("button.send").click()
    page.locator("h1 ~ p.big").wait_for()
    guest.look("box-thanks-safety", draw=False)
    page.goto(f"{url}/c/{tokens[0]}")
    guest.look("box-gone", draw=False)
    assert opened.cookies() == []
    assert [each for each in said if "404" not in each and "Cleared data" not in each] == []
    opened.close()
