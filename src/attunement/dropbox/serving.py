"""The ways of a box, what it refuses, and starting it.

A client may look, send, be thanked and leave; a box gives nothing back. Its owner asks by a challenge. Its log holds a
way and a status, never a token.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from attunement.dropbox import pages
from attunement.dropbox.box import Box, Sending
from attunement.dropbox.owner import Challenges
from attunement.errors import AttunementError, InputError, NotStored, Refused, VaultProblem
from attunement.vault.process import harden
from attunement.web.asking import answers_of, said_of_step
from attunement.web.forms import TooLong, WrongKind, read_form
from attunement.web.limits import Limit
from attunement.web.place import Place, listening
from attunement.web.shield import API, Names, Shield, note_failure
from attunement.web.statics import static

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from attunement.web.forms import Form

OWNERS: Final = f"{API}/box"
"""Where the owner asks: no page of a browser can."""
_FORM: Final = 64 * 1024  # bytes
_TOLD: Final = 20_000_000  # bytes of what the owner tells
_NOBODY: Final = "This was not signed by the owner of this box."


class Counter:
    """What outlives a request: the box, who was wrong how often, and what the owner was asked to sign.

    Parameters
    ----------
    box
        The opened box.
    names
        By which names it may be asked.
    origin
        Its address, as its owner has it.
    seconds
        A clock that only runs forward.
    """

    def __init__(
        self, box: Box, names: Names, origin: str, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.box, self.names = box, names
        self.tokens, self.signatures = Limit(seconds=seconds), Limit(seconds=seconds)
        self.challenges = Challenges(origin, seconds)

    # -- a client's side

    def look(self, request: Request, _: Form | None) -> Response:
        """Show what is asked."""
        asked, step = self.box.look(_token(request))
        return pages.check_in(asked, pages.language_in(request), self.box.help, step=step)

    def send(self, request: Request, form: Form | None) -> Response:
        """Seal what was sent; the same again gives the same page."""
        if form is None:
            raise AssertionError
        token = _token(request)
        answers = answers_of(form, self.box.asked(token))
        sending = Sending(form.text("key", least=8, most=100), answers, *said_of_step(form))
        at_risk = self.box.put(token, sending)
        language = pages.language_in(request, form)
        if at_risk:
            return pages.thanks(language, self.box.help, at_risk=True)
        return RedirectResponse(f"/thanks?lang={language}", 303, headers=pages.CLEAR)

    def thanks(self, request: Request, _: Form | None) -> Response:
        """Say thank you, the same to everybody."""
        return pages.thanks(pages.language_in(request), self.box.help, at_risk=False)

    def leave(self, request: Request, _: Form | None) -> Response:
        """Show a page that says nothing."""
        return pages.left(pages.language_in(request), self.box.help)

    def hear(self, handler: Callable[[Request, Form | None], Response]) -> Any:  # noqa: ANN401 - an endpoint
        """Hear nobody who has tried too many links that never were; one that is known is always heard."""

        def heard(request: Request, form: Form | None) -> Response:
            tried = ("token", "", _from_where(request))
            if not self.box.knows(_token(request)) and not self.tokens.may_try(tried):
                return self.refuse(429, request, form)
            return handler(request, form)

        return heard

    def refuse(self, status: int, request: Request | None = None, form: Form | None = None) -> Response:
        """One sentence, and the crisis line."""
        language = pages.language_in(request, form) if request else "en"
        return pages.refusal(status, language, self.box.help)

    # -- the owner's side

    def challenge(self, _: Request) -> Response:
        """Draw a challenge, for whoever asks."""
        return JSONResponse({"challenge": self.challenges.draw().hex()})

    def ask(self, request: Request, content: bytes) -> Response:
        """Do what the owner asks, and for nobody else anything."""
        what, tried = request.path_params["what"], ("signature", "", _from_where(request))
        can = {
            "open": self.box.open,
            "drops": self.box.drops,
            "taken": self.box.forget,
            "owner": self.box.hand_over,
        }
        if not self.signatures.may_try(tried):
            return _problem(429, _NOBODY)
        if what not in can or not self._is_owners(request, what, content):
            return _problem(401, _NOBODY)
        self.signatures.right(tried)
        return JSONResponse(can[what](_told(content)))

    def _is_owners(self, request: Request, what: str, content: bytes) -> bool:
        try:
            challenge, signature = (
                bytes.fromhex(request.headers.get(f"attunement-{name}", ""))
                for name in ("challenge", "signature")
            )
        except ValueError:
            return False
        return self.challenges.answered(self.box, what, challenge, signature, content)


def app(counter: Counter) -> ASGIApp:
    """Return the application, behind the shield."""

    def way(path: str, method: str, handler: Callable[[Request, Form | None], Response]) -> Route:
        return Route(path, _endpoint(counter, path, handler), methods=[method])

    routes = [
        way("/c/{token}", "GET", counter.hear(counter.look)),
        way("/c/{token}", "POST", counter.hear(counter.send)),
        way("/thanks", "GET", counter.thanks),
        way("/leave", "GET", counter.leave),
        way("/static/{name}", "GET", _static),
        way("/health", "GET", lambda *_: PlainTextResponse("well\n")),
        Route(f"{OWNERS}/challenge", _owners(counter, None), methods=["POST"]),
        Route(f"{OWNERS}/{{what}}", _owners(counter, counter.ask), methods=["POST"]),
    ]
    failed = {status: _failing(counter, status) for status in (404, 405)}
    inner = Starlette(routes=routes, exception_handlers=failed)
    inner.router.redirect_slashes = False
    return Shield(inner, counter.names, lambda status, _: counter.refuse(status))


def serve(folder: Path, place: Place, owner: bytes, *, ready: Callable[[str], None]) -> None:
    """Serve a box until the program is stopped.

    Parameters
    ----------
    folder
        The box's.
    place
        Where.
    owner
        The practice's public key; empty once the box knows it.
    ready
        Called with the box's address, once it listens.
    """
    import uvicorn  # noqa: PLC0415 - for servers alone

    harden()
    box = Box(folder, owner)
    taken = listening(place)
    port = taken.getsockname()[1]
    scheme = "https" if place.certificate else "http"
    origin = place.url.rstrip("/") or f"{scheme}://{place.host}:{port}"
    names = Names(port, origin if origin.startswith("https") else "")
    config = uvicorn.Config(
        app(Counter(box, names, origin)), access_log=False, server_header=False, date_header=False, log_config=None,
        lifespan="off", ssl_certfile=place.certificate, ssl_keyfile=place.key, timeout_keep_alive=30,
        proxy_headers=False, limit_concurrency=512, timeout_graceful_shutdown=5,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    ready(origin)
    try:
        uvicorn.Server(config).run(sockets=[taken])
    except OSError as problem:
        raise NotStored(f"The server could not go on: {problem.strerror}.") from None
    finally:
        box.close()


def _endpoint(
    counter: Counter, path: str, handler: Callable[[Request, Form | None], Response]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        request.scope["attunement.way"] = path
        form = None
        try:
            if request.method == "POST":
                form = await read_form(request, _FORM)
            return await run_in_threadpool(handler, request, form)
        except Exception as problem:  # noqa: BLE001 - one sentence, whatever it is
            return counter.refuse(_status(problem), request, form)

    return answer


def _owners(
    counter: Counter, handler: Callable[[Request, bytes], Response] | None
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        request.scope["attunement.way"] = f"{OWNERS}/{{what}}"
        try:
            if handler is None:
                return counter.challenge(request)
            return await run_in_threadpool(handler, request, await _content(request))
        except Exception as problem:  # noqa: BLE001 - as above
            said = str(problem) if isinstance(problem, AttunementError) else "Something went wrong inside."
            return _problem(_status(problem), said)

    return answer


def _status(problem: Exception) -> int:
    """Turn what went wrong into a status; what nobody foresaw is noted, without what was sent."""
    kinds = ((TooLong, 413), (WrongKind, 415), (Refused, 404), (VaultProblem, 503), (AttunementError, 400))
    for kind, status in kinds:
        if isinstance(problem, kind):
            return status
    note_failure(problem)
    return 500


def _failing(counter: Counter, status: int) -> Callable[[Request, Exception], Response]:
    return lambda request, _: counter.refuse(status, request)


def _static(request: Request, _: Form | None) -> Response:
    name = request.path_params["name"]
    if name not in {"rooms.css", "check-in.js", "mark.svg"}:
        raise Refused("There is no such file.")
    content, kind = static(name)
    return Response(
        content, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"}
    )


async def _content(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _TOLD:
        raise TooLong("That is more than a box takes.")
    return await request.body()


def _told(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise InputError("A box is told something in JSON.")
    return told


def _problem(status: int, said: str) -> Response:
    return JSONResponse({"detail": said}, status, media_type="application/problem+json")


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _from_where(request: Request) -> str:
    return request.client.host if request.client else ""
