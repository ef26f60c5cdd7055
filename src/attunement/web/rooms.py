"""The rooms: everything that outlives a request, and how each request finds its way."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

from attunement.errors import AttunementError, InputError, Refused, VaultProblem, WrongKey
from attunement.practice import together
from attunement.web import factors
from attunement.web.apart import shared
from attunement.web.door import Door
from attunement.web.forms import TooLong, WrongKind, kept_fields, read_form, read_upload
from attunement.web.limits import Limit
from attunement.web.page import Ask, drawn
from attunement.web.pulling import Pulling
from attunement.web.reminding import Daily
from attunement.web.shield import API, Names, Shield, note_failure
from attunement.web.understanding import Understanding
from attunement.web.visits import Visits
from attunement.web.working import Working

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from attunement.instruments.description import Language
    from attunement.practice import Sender
    from attunement.vault.locks import Cost
    from attunement.web.visits import Visit
    from attunement.web.ways import Way

_EVERY: Final = 20.0  # seconds between two looks at who is idle
SECRETS: Final = ("passphrase", "old", "new", "again", "code", "passkey")
"""Fields that no page ever carries on."""
_UPLOAD: Final = 20_000_000  # bytes


class Rooms:
    """What the pages share.

    Parameters
    ----------
    folder
        Of the practice.
    port, url
        Where this listens, and what clients' links begin with.
    begin
        The one-time word of the first run, without which nobody founds a practice here.
    cost
        Of guessing a passphrase, for accounts made here.
    post
        Who carries reminders, once a day; nobody where left out.
    seconds
        A clock that only runs forward; a test gives its own.
    """

    def __init__(
        self, folder: Path, *, port: int, url: str = "", begin: str = "", cost: Cost | None = None,
        post: Sender | None = None, seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.door = Door(folder, cost)
        self.visits = Visits(seconds)
        self.guesses, self.tokens = Limit(seconds=seconds), Limit(seconds=seconds)
        self.names = Names(port, url)
        self.url, self.begin = url.rstrip("/"), begin
        apart = shared()
        self.working, self.understanding = Working(apart), Understanding(apart)
        self.in_language: dict[Language, Working] = {"en": self.working, "es": Working(apart, "es")}
        self.wrong_tokens = 0
        self.founding: dict[str, Any] = {}
        own = self.url or f"http://127.0.0.1:{port}"
        self.pulling = Pulling(lambda: self.door.signed_in)
        self.daily = Daily(post, own, lambda: self.door.signed_in) if post else None

    @property
    def cookie(self) -> str:
        """The name of the cookie; over TLS one that no other name could have set."""
        return "__Host-attunement" if self.names.secure else "attunement"

    def look_round(self) -> None:
        """Lock what nobody uses; where no reflections are open, nothing of them stays in any memory."""
        self.visits.lock_idle()
        if not self.door.unlocked:
            self.understanding.forget_reflections()

    def close(self) -> None:
        """Close the practice, and end all visits."""
        for account in self.door.accounts:
            self.visits.end_all(account)
        for each in self.in_language.values():
            each.forget()
        self.understanding.forget()
        self.door.close()


class _SessionNumber(Convertor[int]):
    """A session's number in a path: as many digits as one can have."""

    regex = "[0-9]{1,6}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("session", _SessionNumber())


def app(rooms: Rooms, ways: Sequence[Way]) -> ASGIApp:
    """Return the application: every way of the table, behind the shield."""

    @contextlib.asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[None]:
        idle = threading.Event()

        def look() -> None:
            while not idle.wait(_EVERY):
                rooms.look_round()

        threads = [threading.Thread(target=look, daemon=True)]
        threads.append(threading.Thread(target=rooms.pulling.keep_looking, args=(idle,), daemon=True))
        if rooms.daily:
            threads.append(threading.Thread(target=rooms.daily.keep_looking, args=(idle,), daemon=True))
        for thread in threads:
            thread.start()
        yield
        idle.set()
        for thread in threads:
            thread.join()
        rooms.close()

    from attunement.web.api import api  # noqa: PLC0415 - it knows the rooms

    routes: list[BaseRoute] = [Route(way.path, _endpoint(rooms, way), methods=[way.method]) for way in ways]
    routes.append(Mount(API, app=api(rooms)))
    failed = {status: _failing(rooms, status) for status in (404, 405)}
    inner = Starlette(routes=routes, lifespan=living, exception_handlers=failed)
    inner.router.redirect_slashes = False
    return Shield(inner, rooms.names, lambda status, path: _refusal(rooms, status, path))


def _refusal(rooms: Rooms, status: int, path: str, ask: Ask | None = None) -> Response:
    """What is said where no way leads: to a person a page, to a program a problem."""
    if path.startswith(f"{API}/"):
        from attunement.web.api.problems import problem  # noqa: PLC0415 - see above

        return problem(status)
    return refused(rooms, status, client=_is_clients(path), ask=ask)


def _endpoint(rooms: Rooms, way: Way) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        request.scope["attunement.way"] = way.path
        ask = Ask(rooms, request, visit=rooms.visits.of(request.cookies.get(rooms.cookie)))
        try:
            if way.upload and (ask.visit is None or not ask.visit.roles & (way.admits or frozenset())):
                pass  # whoever may not send a file is not listened to while they do
            elif way.upload:
                ask.form, name, content = await read_upload(request, _UPLOAD)
                ask.upload = (name, content)
            elif way.method == "POST":
                ask.form = await read_form(request)
        except TooLong as problem:
            return refused(rooms, 413, str(problem), client=way.clients)
        except WrongKind as problem:
            return refused(rooms, 415, str(problem), client=way.clients)
        except InputError as problem:
            return refused(rooms, 400, str(problem), client=way.clients)
        try:
            response = await run_in_threadpool(_answered, way, ask)
        except Exception as problem:  # noqa: BLE001 - one sentence, whatever it is
            note_failure(problem)
            response = refused(rooms, 500, client=way.clients, ask=ask)
        if ask.cookie is not None:
            response.set_cookie(
                rooms.cookie,
                ask.cookie,
                path="/",
                httponly=True,
                samesite="strict",
                secure=rooms.names.secure,
            )
        return response

    return answer


def _answered(way: Way, ask: Ask) -> Response:
    """Let in who may come in, and turn whatever goes wrong into one sentence."""
    try:
        with together():
            return _stopped(way, ask) or way.handler(ask)
    except Refused:
        return refused(ask.rooms, 404, client=way.clients, ask=ask)
    except WrongKey as problem:
        return refused(ask.rooms, 400, str(problem), client=way.clients, ask=ask)
    except VaultProblem as problem:
        return refused(ask.rooms, 503, str(problem), client=way.clients, ask=ask)
    except AttunementError as problem:
        return refused(ask.rooms, 400, str(problem), client=way.clients, ask=ask)


def _stopped(way: Way, ask: Ask) -> Response | None:
    """Whoever may not go on: to be signed in, unlocked, or told that there is nothing here."""
    visit = ask.visit
    if way.admits is None:
        return None
    if visit is None:
        return asked_to_sign_in(ask) if ask.rooms.door.founded else RedirectResponse("/", 303)
    if visit.half:
        return ask.plain("second_step.html", 401, **second_step(ask, visit))
    if visit.locked:
        return ask.plain("locked.html", 401, account=visit.account, said="", **kept(ask))
    if not visit.roles & way.admits:
        return refused(ask.rooms, 404, client=False, ask=ask)
    return None


def asked_to_sign_in(ask: Ask) -> Response:
    """The door; what was typed is carried through it."""
    return ask.plain("sign_in.html", 401, account="", said="", **kept(ask))


def kept(ask: Ask, path: str | None = None) -> dict[str, Any]:
    """Return where to go on, and what was typed, as the fields of the next page."""
    path = path or ask.request.url.path
    asks_for_secret = path.startswith(
        ("/account", "/practice/accounts", "/reflections", "/sign-in", "/begin")
    )
    carries = ask.request.method == "POST" and not asks_for_secret
    return {"then": path, "carried": kept_fields(ask.form, *SECRETS) if carries else []}


def from_where(ask: Ask) -> str:
    """The address that a request comes from."""
    return address_of(ask.request)


def address_of(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else ""


def inside(path: str) -> str:
    """A path of our own, and nothing that a browser would take for another server."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else "/"


def second_step(ask: Ask, visit: Visit, said: str = "") -> dict[str, Any]:
    """Return what the second step's page shows."""
    found = visit.practice.factors()
    keys = " ".join(factors.as_text(each.credential) for each in found if each.credential)
    shown = {"challenge": visit.kept.get("challenge", ""), "credentials": keys}
    return {"kinds": {each.kind for each in found}, "said": said, **shown, **kept(ask)}


_SAID: Final = {
    400: "That could not be taken.",
    403: "This was not sent by a page of this practice, so nothing was done. Please load the page again and repeat it.",
    404: "There is no such page, or it is not yours to see.",
    405: "This page does not take that.",
    413: "That is more than this page takes.",
    415: "This page takes what a form sends.",
    421: "This server does not go by that name. Please use the address that was shown when it started.",
    429: "That was wrong too often. Please wait an hour; nothing was done.",
    500: "Something went wrong inside, and nothing was half-done. Please try again; if it stays, restart the program.",
    503: "The practice cannot answer right now. Please try again a little later; nothing you typed was taken.",
}


def refused(rooms: Rooms, status: int, said: str = "", *, client: bool, ask: Ask | None = None) -> Response:
    """One sentence, with the way back; for clients with the help that every page of theirs has."""
    sentence = said or _SAID[status]
    if client:
        from attunement.web.pages.client_side import refusal  # noqa: PLC0415 - it knows the words of both languages

        return refusal(rooms, status, ask)
    visit = ask.visit if ask and ask.visit and ask.visit.roles else None
    return drawn("refused.html", status, rooms=rooms, ask=ask, visit=visit, said=sentence, kind=status)


def _failing(rooms: Rooms, status: int) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _: Exception) -> Response:
        return _refusal(rooms, status, request.url.path, Ask(rooms, request))

    return answer


def _is_clients(path: str) -> bool:
    return path.startswith(("/c/", "/thanks", "/leave"))
