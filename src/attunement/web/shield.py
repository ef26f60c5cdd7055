"""What stands before every page: names, origins, lengths, headers, and one sentence where something goes wrong.

Any web page that is open on the therapist's own machine can send requests to a server on it. So only requests that name
this server are answered (a rebound name is refused), and what changes something must come from its own pages.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("attunement.web")

SAFE: Final = frozenset({"GET", "HEAD"})
API: Final = "/api/v1"
"""Where programs ask, by a token in a header that no form and no link of a browser can send."""
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), "
    "publickey-credentials-create=(self)",
    "x-robots-tag": "noindex, nofollow",
}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
HSTS: Final = "max-age=31536000"


class Names:
    """By which names this server may be asked.

    Parameters
    ----------
    port
        Where it listens.
    url
        What clients' links begin with, such as ``https://practice.example``; its name is one more.
    """

    def __init__(self, port: int, url: str = "") -> None:
        parts = urlsplit(url)
        self.secure = parts.scheme == "https"
        self.hosts = {f"{name}:{port}" for name in _LOOPBACK}
        if port in {80, 443}:
            self.hosts |= set(_LOOPBACK)
        if parts.netloc:
            self.hosts.add(parts.netloc.lower())

    def knows(self, host: str) -> bool:
        """Whether a request that names this host is meant for us."""
        return host.lower() in self.hosts

    def sends(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is one of ours, as this host."""
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower() and self.knows(host)


class Shield:
    """The outermost layer.

    Parameters
    ----------
    app
        What it stands before.
    names
        By which names this server may be asked.
    refuse
        Makes the page of a refusal: status, and the way that was asked for.
    """

    def __init__(self, app: ASGIApp, names: Names, refuse: Callable[[int, str], Response]) -> None:
        self._app, self._names, self._refuse = app, names, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        started = False

        async def guarded(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                self._dress(MutableHeaders(scope=message))
            await send(message)

        try:
            refusal = self._refusal(scope)
            answer: Callable[[Scope, Receive, Send], Awaitable[None]] = self._app
            if refusal:
                answer = self._refuse(refusal, scope["path"])
            await answer(scope, receive, guarded)
        except Exception as problem:  # noqa: BLE001 - the last that can say a sentence
            note_failure(problem)
            status = 500
            if not started:
                await self._refuse(500, scope["path"])(scope, receive, guarded)
        finally:
            taken = 1000 * (time.perf_counter() - began)
            log.info("%s %s %d %.0f ms", _method(scope), scope.get("attunement.way", "-"), status, taken)

    def _refusal(self, scope: Scope) -> int:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._names.knows(hosts[0]):
            return 421
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if scope["method"] in SAFE:
            # a link may come from anywhere; a picture or a script of another page may not
            return 403 if site == "cross-site" and headers.get("sec-fetch-mode") != "navigate" else 0
        if origin is not None and not self._names.sends(origin, hosts[0]):
            return 403
        if site is not None and site not in {"same-origin", "none"}:
            return 403
        if _is_programs(scope["path"]) and origin is None and site is None:
            return 0  # no browser sent it, or one so old that it can show no token either
        return 0 if origin is not None or site == "same-origin" else 403

    def _dress(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
        if self._names.secure:
            headers.setdefault("strict-transport-security", HSTS)
        if "server" in headers:
            del headers["server"]


def note_failure(problem: BaseException) -> None:
    """Write down that something failed, and where in the code; no message and no value, which may be somebody's."""
    log.error("failed: %s %s", type(problem).__name__, _where(problem))


def _is_programs(path: str) -> bool:
    return path.startswith(f"{API}/")


def _method(scope: Scope) -> str:
    method = scope["method"]
    return method if method in {"GET", "HEAD", "POST", "PATCH"} else "other"


def _where(problem: BaseException) -> str:
    """The places in our own code, without a value or a message: those may hold what somebody typed."""
    frames = traceback.extract_tb(problem.__traceback__)
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-4:])
    )
