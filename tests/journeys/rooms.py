"""A server as its user starts it, and somebody who walks through its rooms and looks at each page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"
    ),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKED_FOR = {"runOnly": RULES, "resultTypes": ["violations"]}
"""What axe looks for; it tells every violation, and does not list all that passed, which took it longer."""
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
DRAW = bool(os.environ.get("ATTUNEMENT_PICTURES"))
"""Whether the pictures of the documentation are made anew."""
DRAWN = ("desktop-light", "phone-dark", "phone-dark-es")


@contextmanager
def served(folder: Path, passphrase: str = "") -> Iterator[str]:
    """Run `attunement serve` in a process of its own; gives the address that it shows."""
    known = {"ATTUNEMENT_ACCOUNT": "T-1", "ATTUNEMENT_PASSPHRASE": passphrase} if passphrase else {}
    settings = {**os.environ, **known}
    command = [sys.executable, "-c", "import sys; from attunement.cli import main; sys.exit(main())", "serve"]
    places = ["--practice", str(folder), "--port", "0", "--no-open"]
    with subprocess.Popen([*command, *places], stdout=subprocess.PIPE, text=True, env=settings) as server:  # noqa: S603 - ours
        assert server.stdout
        line = server.stdout.readline()
        try:
            yield line.split(" at ")[1].split(" ")[0]
        finally:
            server.terminate()
            server.wait(timeout=30)


@dataclass
class Walk:
    """Somebody in a browser, who looks at every page for what axe finds and for what is cut off."""

    page: Page
    name: str
    scripts: bool = True
    looked: int = 0

    def look(self, what: str, *, draw: bool = True) -> None:
        """Look at the page as it is; every part that folds is opened for it."""
        self.page.wait_for_load_state()
        if draw and DRAW and self.name in DRAWN:
            self.page.screenshot(path=PICTURES / f"{what}-{self.name}.png", full_page=True)
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        if self.scripts:  # axe is one itself; without them the page is the same
            found = Axe().run(self.page, options=LOOKED_FOR)
            assert found.violations_count == 0, f"{what}: {found.generate_report()}"
        width = self.page.viewport_size
        assert width
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width["width"], what
        self.looked += 1


def context(
    browser: Browser,
    width: int,
    scheme: Literal["light", "dark"],
    *,
    scripts: bool = True,
    language: str = "en-US",
) -> BrowserContext:
    """Open a browser of a size, in a colour scheme, with scripts or without."""
    size: ViewportSize = {"width": width, "height": 860}
    return browser.new_context(
        viewport=size, color_scheme=scheme, java_script_enabled=scripts, locale=language
    )
