"""A dyad brought to supervision in a real browser: chosen, looked at, shared, opened by the supervisor, taken back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader
from rooms import NEEDS_CHROMIUM, Walk, context, served

from attunement.simulate import simulate
from attunement.web.demonstration import (
    ACCOUNT,
    PHRASE,
    PLANTED,
    SEED,
    SUPERVISOR,
    SUPERVISORS_PHRASE,
    demonstration,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = NEEDS_CHROMIUM
WALKS = [
    ("desktop", 1280, "light", True),
    ("phone", 375, "dark", True),
    ("phone", 320, "light", False),
    ("desktop", 1280, "dark", True),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The rooms of a simulated practice, with a supervisor."""
    folder = tmp_path_factory.mktemp("demo") / "practice"
    demonstration(folder)
    with served(folder, PHRASE) as address:
        yield address.rstrip("/")


@pytest.fixture(scope="module")
def client() -> str:
    """Who is falling in the demonstration."""
    found = simulate(1, 16, seed=SEED, plant=PLANTED).clients
    return str(found.filter(found["course"] == "falling")["client"][0])


def signed_in(opened: BrowserContext, address: str, account: str, phrase: str) -> Page:
    page = opened.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#account", account)
    page.fill("#passphrase", phrase)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


def pressed(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


@pytest.mark.parametrize(("name", "width", "scheme", "scripts"), WALKS, ids=str)
def test_a_dyad_is_brought_to_supervision(
    browser: Browser,
    demo: str,
    client: str,
    name: str,
    width: int,
    scheme: Literal["light", "dark"],
    scripts: bool,
) -> None:
    mine, theirs = (context(browser, width, scheme, scripts=scripts) for _ in range(2))
    page, walk = signed_in(mine, demo, ACCOUNT, PHRASE), f"{name}-{scheme}"
    therapist = Walk(page, walk, scripts)
    page.goto(f"{demo}/supervision")
    while page.get_by_text("being worked out").count():
        page.goto(f"{demo}/supervision")
    therapist.look("supervision")
    page.goto(f"{demo}/supervision/pins")
    therapist.look("supervision-locked")
    page.fill("input[name=passphrase]", PHRASE)
    pressed(page, "Unlock my reflections")
    therapist.look("supervision-pins")
    page.goto(f"{demo}/supervision")
    page.get_by_role("article", name=client).get_by_role("link").click()
    therapist.look("supervision-choose")
    page.fill("#question", "When they fall silent I fill the hour. What is it that I cannot bear?")
    for box in page.locator("input[name=tick]").all():
        box.check()
    pressed(page, "Look at it as they will see it")
    expect(page.get_by_role("heading", level=1)).to_have_text("As it will be seen")
    therapist.look("supervision-preview")
    pressed(page, f"Share it with {SUPERVISOR}")
    expect(page.get_by_role("status")).to_contain_text("Shared with S-1 until")
    therapist.look("supervision-shared")

    room = signed_in(theirs, demo, SUPERVISOR, SUPERVISORS_PHRASE)
    supervisor = Walk(room, walk, scripts)
    supervisor.look("shared-report-listed")
    room.get_by_role("link", name="Open it").last.click()
    if room.locator("input[name=passphrase]").count():
        room.fill("input[name=passphrase]", SUPERVISORS_PHRASE)
        pressed(room, "Unlock my reflections")
    expect(room.get_by_text("What is it that I cannot bear?")).to_be_visible()
    supervisor.look("shared-report")
    opened = room.url
    answer = theirs.request.get(f"{opened}/report.pdf?paper=a4")
    assert answer.headers["content-type"] == "application/pdf"
    assert "no-store" in answer.headers["cache-control"]
    told = "".join(each.extract_text() for each in PdfReader(io.BytesIO(answer.body())).pages)
    assert "What is it that I cannot bear?" in told

    page.get_by_role("button", name="Take back").first.click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert room.goto(opened).status == 404  # type: ignore[union-attr]
    gone = room.content()
    room.goto(f"{demo}/shared/{'0' * 32}")
    assert room.content() == gone
    assert room.goto(f"{opened}/report.pdf").status == 404  # type: ignore[union-attr]
    mine.close()
    theirs.close()
