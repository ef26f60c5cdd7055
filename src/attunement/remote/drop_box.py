"""The line to a drop box: each request signs a challenge that the box has just drawn, over TLS or within this computer.

Asking has no second try of its own: whatever the practice asks of a box can be asked again as it is.
"""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attunement import __version__
from attunement.errors import InputError, VaultProblem, WrongKey
from attunement.vault.drops import to_sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_OWNERS: Final = "/api/v1/box"
_MOST: Final = 100_000_000  # bytes of an answer


class DropBoxLine:
    """One box, at its address.

    Parameters
    ----------
    url
        As `attunement drop-box link` was told it.
    timeout
        Seconds until the box counts as not answering.
    """

    def __init__(self, url: str, timeout: float = 20.0) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        if not self._host or (parts.scheme != "https" and self._host not in _LOOPBACK):
            raise InputError("A drop box has an address such as https://answers.practice.example.")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout = timeout

    def ask(self, what: str, content: bytes, sign: Callable[[bytes], bytes]) -> bytes:
        """Ask, signed; returns what was answered.

        Raises
        ------
        WrongKey
            Where the box does not know who signs.
        VaultProblem
            Where it did not answer, or could not do it.
        """
        drawn = self._sent("challenge", b"{}", {})
        try:
            challenge = bytes.fromhex(json.loads(drawn)["challenge"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise VaultProblem(f"{self.origin} is no drop box, or not one of this version.") from None
        signature = sign(to_sign(self.origin, what, challenge, content))
        shown = {"attunement-challenge": challenge.hex(), "attunement-signature": signature.hex()}
        return self._sent(what, content, shown)

    def _sent(self, what: str, content: bytes, shown: Mapping[str, str]) -> bytes:
        headers = {"content-type": "application/json", "user-agent": f"attunement/{__version__}", **shown}
        try:
            with closing(self._line()) as line:
                line.request("POST", f"{_OWNERS}/{what}", content, headers)
                answer = line.getresponse()
                status, answered = answer.status, answer.read(_MOST + 1)
        except ssl.SSLCertVerificationError as problem:
            raise VaultProblem(f"{self.origin} did not show who it is ({problem.verify_message}).") from None
        except (OSError, http.client.HTTPException) as problem:
            kind = type(problem).__name__
            raise VaultProblem(
                f"The drop box at {self.origin} did not answer ({kind}); nothing is lost, try again later."
            ) from None
        if len(answered) > _MOST:
            raise VaultProblem(f"{self.origin} answered more than is taken.")
        if status == http.client.OK:
            return answered
        raise (WrongKey if status == http.client.UNAUTHORIZED else VaultProblem)(self._said(status, answered))

    def _line(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _said(self, status: int, answered: bytes) -> str:
        try:
            told: Any = json.loads(answered)
            detail = str(told["detail"])[:300]
        except (ValueError, KeyError, TypeError, RecursionError):
            detail = f"the answer was {status}"
        if status == http.client.UNAUTHORIZED:
            return f"The drop box at {self.origin} does not know this practice; serve it with --owner and its key."
        return f"The drop box at {self.origin} could not do it: {detail}"
