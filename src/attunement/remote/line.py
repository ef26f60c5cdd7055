"""The connection: to one place, with one token, over TLS or within this computer."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attunement import __version__
from attunement.errors import AttunementError, InputError, Locked, Refused, VaultProblem, WrongKey

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HERE: Final = "/api/v1"
_MOST: Final = 100_000_000  # bytes of an answer
TRIES: Final = 3
"""How often something is asked that is done once however often it is asked."""
_PAUSE: Final = 0.3  # seconds before the second try; twice that before the third
_AGAIN: Final = frozenset({502, 503, 504})


class Line:
    """One place, asked with one token.

    Parameters
    ----------
    url, token, timeout
        As `attunement.connect` has them.
    """

    def __init__(self, url: str, token: str, timeout: float) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            raise InputError(_NO_PLACE) from None
        if parts.scheme not in {"http", "https"} or not self._host or parts.username is not None:
            raise InputError(_NO_PLACE)
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise InputError(_NO_PLACE)
        if parts.scheme == "http" and self._host not in _LOOPBACK:
            raise InputError("A token does not travel in the clear; the address begins with https:// there.")
        if not token.isascii() or not token.isprintable() or not token or " " in token:
            raise InputError("A token is one word that begins with att_.")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._token, self._timeout = token, timeout

    def json(
        self, method: str, path: str, sent: Mapping[str, Any] | None = None, *, wait: float = 0.0
    ) -> Any:  # noqa: ANN401
        """Ask for JSON; where it is still being worked out, wait."""
        until = time.monotonic() + wait
        while True:
            status, headers, content = self._asked(method, path, sent, "application/json")
            if status != 202:
                return _decoded(content)
            pause = _seconds(headers.get("retry-after", ""))
            if time.monotonic() + pause > until:
                raise VaultProblem("It is still being worked out there; please ask again a little later.")
            time.sleep(pause)

    def file(self, method: str, path: str, *, accept: str) -> bytes:
        """Ask for a file."""
        return self._asked(method, path, None, accept)[2]

    def _asked(
        self, method: str, path: str, sent: Mapping[str, Any] | None, accept: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask, and ask again where nobody answered: each sending has a key, so that it is done once."""
        headers = {
            "authorization": f"Bearer {self._token}", "accept": accept, "user-agent": f"attunement/{__version__}",
        }  # fmt: skip
        body = None if sent is None else json.dumps(sent, allow_nan=False).encode()
        if body is not None:
            headers |= {"content-type": "application/json"}
        if method == "POST":
            headers |= {"idempotency-key": secrets.token_urlsafe(18)}
        failure: Exception | None = None
        for attempt in range(TRIES):
            if attempt:
                time.sleep(_PAUSE * 2 ** (attempt - 1))
            try:
                status, answered, content = self._once(method, path, body, headers)
            except ssl.SSLCertVerificationError as problem:
                raise VaultProblem(
                    f"{self.origin} did not show who it is ({problem.verify_message})."
                ) from None
            except (OSError, http.client.HTTPException) as problem:
                failure = problem
                continue
            if status not in _AGAIN or attempt == TRIES - 1:
                return _refused_unless_well(status, answered, content)
        kind = type(failure).__name__
        raise VaultProblem(f"{self.origin} did not answer ({kind}); is it served, and is the address right?")

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self._tls is not None:
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
        else:
            line = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        with closing(line):
            line.request(method, _HERE + path, body, dict(headers))
            answer = line.getresponse()
            content = answer.read(_MOST + 1)
            if len(content) > _MOST:
                raise VaultProblem(f"{self.origin} answered more than is taken.")
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


_NO_PLACE: Final = "An address is https:// and a name, such as https://practice.example."
_KINDS: Final[dict[int, type[AttunementError]]] = {
    401: WrongKey, 403: Refused, 404: Refused, 409: Locked, 429: VaultProblem,
}  # fmt: skip


def _refused_unless_well(
    status: int, headers: Mapping[str, str], content: bytes
) -> tuple[int, Mapping[str, str], bytes]:
    """Turn a refusal into the error that the practice would have raised here, with its sentence."""
    if 200 <= status < 300:
        return status, headers, content
    said = f"The answer was {status}; is the address that of a practice?"
    if headers.get("content-type", "").startswith("application/problem+json"):
        told = _decoded(content)
        said = str(told.get("detail", said))[:500] if isinstance(told, dict) else said
    kind = _KINDS.get(status, InputError if 400 <= status < 500 else VaultProblem)
    raise kind(said)


def _decoded(content: bytes) -> Any:  # noqa: ANN401 - whatever was told
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise VaultProblem("The answer could not be read; is the address that of a practice?") from None


def _seconds(said: str) -> float:
    return min(max(float(said), 0.1), 30.0) if said.isdecimal() else 2.0
