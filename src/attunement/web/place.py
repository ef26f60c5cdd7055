"""Where a server listens: on this machine, or elsewhere over TLS alone."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from attunement.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where to serve.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one.
    url
        What clients' links begin with, where they come from elsewhere: ``https://practice.example``.
    certificate, key
        Files for TLS; needed for every place that is not this machine itself.
    """

    host: str = "127.0.0.1"
    port: int = 8437
    url: str = ""
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not (self.certificate and self.key):
            raise InputError(
                f"{self.host} can be reached from outside; --certificate and --key are needed there, "
                "for no answer travels in the clear."
            )
        if bool(self.certificate) != bool(self.key):
            raise InputError("A certificate and its key are given together.")
        refuse_odd_url(self.url)
        for file in (self.certificate, self.key):
            if file and not file.is_file():
                raise InputError(f"There is no file {file}.")


def refuse_odd_url(url: str) -> None:
    """Refuse what clients' links cannot begin with."""
    if url and (urlsplit(url).scheme != "https" or not urlsplit(url).netloc):
        raise InputError("--url begins with https://, such as https://practice.example.")


def listening(place: Place) -> socket.socket:
    """Take the port of a place.

    Raises
    ------
    InputError
        Where it is taken.
    """
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
    except OSError as problem:
        listening.close()
        raise InputError(
            f"Port {place.port} of {place.host} cannot be used: {problem.strerror}; --port names another."
        ) from None
    listening.listen(256)  # whoever comes before the server runs waits
    return listening
