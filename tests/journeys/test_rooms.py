"""The rooms in the real browser: from the first run to a client's course, and every page in every state."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect
from rooms import NEEDS_CHROMIUM, Walk, context, served

from attunement.web.demonstration import ACCOUNT, PHRASE, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

PASSPHRASE = "marble window seventeen otter"

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The rooms of a simulated practice."""
    folder = tmp_path_factory.mktemp("demo") / "practice"
    demonstration(folder, clients=12, seed=4)
    with served(folder, PHRASE) as address:
        yield address.rstrip("/")


def signed_in(opened: BrowserContext, address: str) -> Page:
    page = opened.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#account", ACCOUNT)
    page.fill("#passphrase", PHRASE)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
    while page.get_by_text("being worked out").count():
        page.goto(f"{address}/today")
    return page


def pressed(page: Page, name: str) -> None:
    """Press a button, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def table() -> bytes:
    """A table such as somebody already has: 18 clients, their sessions, and totals up to 40."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["client_id", "session_no", "date", "total"])
    began = datetime(2026, 1, 5, tzinfo=UTC)
    for client in range(18):
        for session in range(1, 8):
            total = 20 + (client * 7 % 11) + session + (client + session) % 3
            writer.writerow(
                [f"P-{client:02}", session, f"{began + timedelta(days=7 * session):%Y-%m-%d}", min(total, 40)]
            )
    return text.getvalue().encode()


WALKS = [
    ("desktop", 1280, "light", True),
    ("phone", 375, "dark", False),
    ("phone", 375, "light", True),
    ("desktop", 1280, "dark", False),
]


@pytest.mark.parametrize(("name", "width", "scheme", "scripts"), WALKS, ids=str)
def test_from_the_first_run_to_a_clients_course(  # noqa: PLR0915 - one journey, step by step
    browser: Browser, tmp_path: Path, name: str, width: int, scheme: Literal["light", "dark"], scripts: bool
) -> None:
    with served(tmp_path / "practice") as address:
        opened = context(browser, width, scheme, scripts=scripts)
        page = opened.new_page()
        walk = Walk(page, f"{name}-{scheme}", scripts)

        page.goto(address)
        walk.look("begin")
        page.get_by_label("Name").fill("Dr. Somebody")
        page.get_by_label("Credential").select_option("psychologist (doctoral)")
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_label("The same again").fill(PASSPHRASE)
        page.get_by_role("button", name="Go on").click()
        code = page.locator(".code").inner_text()
        page.get_by_label("Type it back").fill(code.lower())
        page.get_by_role("button", name="I have it on paper").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your first clients")
        walk.look("first-clients")
        page.get_by_label("Codes").fill("K-07\nM-21")
        page.get_by_label("They have agreed").check()
        page.get_by_role("button", name="Take them on").click()
        expect(page.get_by_role("status").first).to_contain_text("2 clients taken on")
        for room in ("mirror", "impact", "steps", "supervision", "clients/K-07/board", "clients/K-07/card"):
            page.goto(f"{address.split('/begin')[0]}/{room}")
            walk.look(f"{room}, where there is nothing yet", draw=False)
        page.goto(f"{address.split('/begin')[0]}/caseload")

        page.get_by_role("link", name="Bring data").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Bring data")
        walk.look("import")
        page.get_by_label("The file").set_input_files(
            {"name": "totals.csv", "mimeType": "text/csv", "buffer": table()}
        )
        page.get_by_role("button", name="Show how it is understood").click()
        expect(page.get_by_text("126 rated sessions of 18 clients")).to_be_visible()
        walk.look("import-preview")
        page.get_by_label("The highest score").fill("40")
        page.get_by_label("The lowest score").fill("0")
        page.get_by_role("button", name="Take in 126 sessions").click()
        expect(page.get_by_role("status").first).to_contain_text("126 rated sessions, 18 new clients")
        while page.get_by_text("being worked out").count():
            page.reload()
        expect(page.locator(".tile")).to_have_count(20)
        walk.look("caseload-imported")

        page.locator(".tile").get_by_role("link", name="K-07").click()
        page.get_by_label("When").first.fill(
            f"{datetime.now(UTC).astimezone() - timedelta(hours=1):%Y-%m-%dT%H:%M}"
        )
        with page.expect_navigation():
            page.get_by_role("button", name="Write it down").first.click()
        pressed(page, "Make a link")
        expect(page.get_by_role("heading", level=1)).to_have_text("A check-in for session 1")
        walk.look("invited")
        link = page.get_by_label("The link").input_value()

        checked_in(browser, link, scripts=scripts)

        page.goto(f"{address.split('/begin')[0]}/today")
        expect(page.get_by_text("Your passphrase")).to_be_visible()
        page.goto(f"{address.split('/begin')[0]}/clients/K-07/sessions/1/reflection")
        walk.look("reflection-locked")
        page.get_by_label("Your passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Unlock my reflections").click()
        reflected(page)
        expect(page.get_by_role("status").first).to_contain_text("sealed to you")
        walk.look("client-first-session")
        page.get_by_role("link", name="Today").click()
        expect(page.get_by_text("No reflections still to write")).to_be_visible()
        pressed(page, "lock them")
        expect(page.get_by_text("Reflections locked")).to_be_visible()
        page.get_by_role("button", name="Lock screen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Locked")
        walk.look("locked")
        assert walk.looked >= 9
        opened.close()


def checked_in(browser: Browser, link: str, *, scripts: bool) -> None:
    """A client on a phone of 320 points, in Spanish, by the keyboard; then nothing is left there."""
    phone = context(browser, 320, "dark", scripts=scripts, language="es-MX")
    page = phone.new_page()
    walk = Walk(page, "phone-dark-es", scripts)
    page.goto(link)
    expect(page.get_by_text("Solo su terapeuta ve sus respuestas")).to_be_visible()
    walk.look("check-in")
    page.locator("#a-safe-0").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#a-safe-8")).to_be_checked()
    page.locator("#a-understood-skip").check()
    for item in ("supported", "not_judged", "could_say", "contact", "matters"):
        page.locator(f"#a-{item}-7").check()
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("heading", name="Gracias.")).to_be_visible()
    walk.look("thanks")
    page.go_back()
    expect(page.get_by_text("Este enlace no funciona")).to_be_visible()
    assert page.locator("input:checked").count() == 0
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert phone.cookies() == []
    phone.close()


def reflected(page: Page) -> None:
    """A reflection by the keyboard alone: numbers, Tab, Space, Enter."""
    page.locator("#connection").focus()
    for number in ("6", "7", *"77665554", "5", "", "4", "", "", "", "", "3", "", "", "", ""):
        page.keyboard.type(number)
        page.keyboard.press("Tab")
    page.keyboard.press("Space")  # rescue
    expect(page.locator("input[name=pull]").first).to_be_checked()
    expect(page.locator("#g-safe")).to_have_value("7")
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")  # mine
    expect(page.locator("input[name=whose]").first).to_be_checked()
    page.get_by_role("button", name="Seal it", exact=True).focus()
    page.keyboard.press("Enter")


PAGES = {
    "today-locked": "/today", "caseload": "/caseload", "nobody-found": "/caseload?find=zzz", "account": "/account",
    "practice": "/practice", "shared": "/shared", "not-here": "/nothing", "import": "/import",
    "instruments": "/instruments", "instrument": "/instruments/dass21",
    "library": "/library", "library-found": "/library?words=repair", "library-none": "/library?words=zzz",
    "library-es": "/library?topic=culture&language=es",
}  # fmt: skip
SIZES = [(375, "light"), (375, "dark"), (1280, "light"), (1280, "dark"), (320, "light")]


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_axe_finds_nothing_on_any_page_and_nothing_is_cut_off(
    browser: Browser, demo: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    opened = context(browser, width, scheme)
    page = signed_in(opened, demo)
    walk = Walk(page, f"{'phone' if width < 1000 else 'desktop'}-{scheme}{'' if width != 320 else '-320'}")
    for what, path in PAGES.items():
        page.goto(f"{demo}{path}")
        walk.look(what)
    page.goto(f"{demo}/caseload")
    code = page.locator(".tile a").first.inner_text()
    page.goto(f"{demo}/clients/{code}")
    walk.look("client-locked")
    page.get_by_label("Your passphrase shows it here").fill(PHRASE)
    pressed(page, "Unlock my reflections")
    walk.look("client")
    page.locator(".buttons a.button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reflection")
    walk.look("reflection")
    page.goto(f"{demo}/today")
    walk.look("today")
    page.goto(f"{demo}/clients/{code}")
    page.get_by_label("What is asked").select_option("state")
    page.get_by_role("button", name="Make a link").click()
    at_risk(opened, page.get_by_label("The link").input_value(), walk.name)
    page.goto(f"{demo}/today")
    expect(page.get_by_role("heading", name="First: safety")).to_be_visible()
    walk.look("today-safety")
    page.get_by_label("What was done, and by whom").first.fill("Called them; we made a safety plan.")
    page.get_by_role("button", name="Write it down and close").first.click()
    expect(page.get_by_role("heading", name="First: safety")).to_have_count(0)
    page.goto(f"{demo}/account")
    page.get_by_label("Your passphrase", exact=True).first.fill(PHRASE)
    page.get_by_role("button", name="Add codes of an app").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Codes of an app")
    walk.look("second-step")
    assert walk.looked >= 14
    opened.close()


def at_risk(opened: BrowserContext, link: str, name: str) -> None:
    """Help stands there as soon as such an answer is tapped, and again after it was sent."""
    page = opened.new_page()
    walk = Walk(page, name)
    page.goto(link)
    help_now = page.locator(".now")
    expect(help_now).to_be_hidden()
    page.locator("#a-safety-3").check()
    expect(help_now).to_be_visible()
    walk.look("check-in-safety")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="You do not have to be alone with this.")).to_be_visible()
    walk.look("thanks-safety")
    page.close()


@pytest.mark.parametrize(("width", "scheme", "scripts"), [(375, "dark", True), (320, "light", False)])
def test_a_client_says_whether_they_talked_and_looks_at_their_own_answers(
    browser: Browser, demo: str, width: int, scheme: Literal["light", "dark"], scripts: bool
) -> None:
    opened = context(browser, width, scheme, scripts=scripts)
    page = signed_in(opened, demo)
    page.goto(f"{demo}/caseload")
    here = page.locator(".tile a", has_text=re.compile(r"\d")).last.get_attribute("href")
    page.goto(f"{demo}{here}")
    page.get_by_label("A step to try").fill("ask about the silence")
    pressed(page, "Choose it")
    page.get_by_label("When").first.fill(f"{datetime.now(UTC).astimezone():%Y-%m-%dT%H:%M}")
    with page.expect_navigation():
        page.get_by_role("button", name="Write it down").first.click()
    page.get_by_text("What they agree to").click()
    let = page.get_by_role("button", name="Let them")
    if let.count():
        let.click()
    page.goto(f"{demo}{here}")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link").input_value()
    opened.close()

    phone = context(browser, width, scheme, scripts=scripts)
    page = phone.new_page()
    walk = Walk(page, f"phone-{scheme}", scripts)
    page.goto(link)
    for item in ("safe", "understood", "supported", "not_judged", "could_say", "contact", "matters"):
        page.locator(f"#a-{item}-6").check()
    helped = page.get_by_role("group", name="If you did: did it help?")
    expect(helped).to_be_visible()
    page.locator("#talked-no").check()
    expect(helped).to_be_hidden()
    page.locator("#talked-yes").check()
    page.locator("#helped-7").check()
    walk.look("check-in-step")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Look at my own answers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your own answers")
    expect(page.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(r"Your first answer was .* your last is 6")
    )
    walk.look("own-curve")
    page.get_by_role("link", name="Leave this page").click()
    if scripts:
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert phone.cookies() == []
    phone.close()


def test_four_times_as_large_nothing_is_lost(browser: Browser, demo: str) -> None:
    """A window of 1280 at 400 % is 320 wide: every answer can be reached and seen."""
    opened = context(browser, 320, "light")
    page = signed_in(opened, demo)
    page.goto(f"{demo}/caseload")
    page.locator(".tile a").first.click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link").input_value()
    page.goto(link)
    for point in (*map(str, range(11)), "skip"):
        box = page.locator(f"label[for=a-safe-{point}]").bounding_box()
        assert box
        assert box["height"] >= 44
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 320
    opened.close()


def test_nothing_is_fetched_from_elsewhere_and_the_policy_is_never_broken(
    browser: Browser, demo: str
) -> None:
    opened = context(browser, 1280, "light")
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    page = signed_in(opened, demo)
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{demo}/caseload")
    page.locator(".tile a").first.click()
    page.goto(f"{demo}/account")
    assert all(url.startswith(demo) for url in asked)
    assert not [line for line in said if "Content Security Policy" in line or "Trusted" in line]
    opened.close()


def test_what_was_typed_is_sealed_and_there_again_after_a_lock(browser: Browser, demo: str) -> None:
    opened = context(browser, 1280, "light")
    page = signed_in(opened, demo)
    page.goto(f"{demo}/caseload")
    page.locator(".tile a").first.click()
    page.get_by_label("Your passphrase shows it here").fill(PHRASE)
    pressed(page, "Unlock my reflections")
    page.locator(".buttons a.button").first.click()
    words = page.get_by_label("Private words")
    words.fill("half a thought")
    here = page.url
    expect(page.locator("#kept")).to_have_text("Sealed as you type.", timeout=20_000)
    pressed(page, "lock them")
    page.goto(here)
    expect(page.get_by_role("heading", name="Your reflections are locked")).to_be_visible()
    page.get_by_label("Your passphrase").fill(PHRASE)
    pressed(page, "Unlock my reflections")
    expect(page.get_by_label("Private words")).to_have_value("half a thought")
    opened.close()


PAYLOADS = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "'--><iframe srcdoc='<script>parent.hit=1</script>'>",
    "{{7*7}}<b onmouseover=window.hit=1>",
    "</textarea><script>window.hit=1</script>",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_somebody_types_is_never_run(browser: Browser, demo: str, payload: str) -> None:
    opened = context(browser, 1280, "light")
    page = signed_in(opened, demo)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.goto(f"{demo}/caseload")
    code = page.locator(".tile a").first.inner_text()
    client = f"{demo}/clients/{code}"
    page.goto(client)
    page.get_by_label("A step to try").fill(payload)
    pressed(page, "Choose it")
    page.get_by_text("A concern about their safety").click()
    page.get_by_label("What gives rise to it").fill(payload)
    pressed(page, "Write it into the record")
    page.goto(f"{demo}/practice")
    page.get_by_label("What the therapist is to do").fill(payload)
    pressed(page, "Set it")
    page.goto(client)
    page.get_by_label("Your passphrase shows it here").fill(PHRASE)
    pressed(page, "Unlock my reflections")
    page.locator(".buttons a.button").first.click()
    page.get_by_label("Private words").fill(payload)
    page.get_by_label(re.compile("^trigger")).fill(payload[:100])
    pressed(page, "Seal it")
    for path in (
        "/today",
        f"/clients/{code}",
        "/practice",
        f"/caseload?find={payload}",
        f"/sign-in?then={payload}",
    ):
        page.goto(f"{demo}{path}")
        assert page.evaluate("window.hit") is None, path
        assert page.locator("main script, main iframe, main img, main b").count() == 0, path
    assert dialogs == []
    opened.close()


def test_a_passkey_is_made_and_asked_for(browser: Browser, tmp_path: Path) -> None:
    demonstration(tmp_path / "practice", clients=3)
    with served(tmp_path / "practice", PHRASE) as address:
        here = address.rstrip("/").replace(
            "127.0.0.1", "localhost"
        )  # a passkey belongs to a name, not to a number
        opened = context(browser, 1280, "light")
        page = opened.new_page()
        keys = opened.new_cdp_session(page)
        keys.send("WebAuthn.enable")
        keys.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                         "hasUserVerification": True, "isUserVerified": True}},
        )  # fmt: skip
        page.goto(f"{here}/sign-in")
        page.fill("#account", ACCOUNT)
        page.fill("#passphrase", PHRASE)
        pressed(page, "Sign in")
        page.goto(f"{here}/account")
        page.locator("#passphrase-2").fill(PHRASE)
        pressed(page, "Add a passkey")
        page.get_by_role("button", name="Make a passkey").click()
        expect(page.get_by_role("status").first).to_contain_text("this passkey is asked for too")
        pressed(page, "Sign out")
        page.fill("#account", ACCOUNT)
        page.fill("#passphrase", PHRASE)
        pressed(page, "Sign in")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
        opened.close()
