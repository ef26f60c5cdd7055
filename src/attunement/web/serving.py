"""Starting the rooms on a port of this machine, and telling where they are."""

from __future__ import annotations

import gc
import logging
import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from attunement.errors import InputError, NotStored
from attunement.vault.process import harden
from attunement.web.rooms import Rooms, app
from attunement.web.ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attunement.practice import Sender
    from attunement.vault.locks import Cost

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


def serve(
    folder: Path, place: Place, *, ready: Callable[[str, Rooms], None], cost: Cost | None = None,
    post: Sender | None = None,
) -> None:  # fmt: skip
    """Serve a practice until the program is stopped.

    Parameters
    ----------
    folder
        The practice's, or where one is to be founded.
    place
        Where.
    ready
        Called with the address that opens it, once it listens.
    cost
        Of guessing a passphrase, for accounts made here.
    post
        Who carries reminders, once a day; nobody where left out.

    Raises
    ------
    InputError
        Where the port is taken.
    """
    import uvicorn  # noqa: PLC0415 - for servers alone

    harden()
    taken = listening(place)
    port = taken.getsockname()[1]
    scheme = "https" if place.certificate else "http"
    rooms = Rooms(
        folder, port=port, url=place.url or (f"https://{place.host}:{port}" if place.certificate else ""),
        begin="" if (folder / "keys.json").exists() else secrets.token_urlsafe(24), cost=cost, post=post,
    )  # fmt: skip
    config = uvicorn.Config(
        app(rooms, WAYS), access_log=False, server_header=False, date_header=False, log_config=None, lifespan="on",
        ssl_certfile=place.certificate, ssl_keyfile=place.key, timeout_keep_alive=30,
        proxy_headers=False, limit_concurrency=512, timeout_graceful_shutdown=5,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    address = f"{scheme}://{place.host if place.host in LOOPBACK else 'localhost'}:{port}/"
    ready(f"{address}begin/{rooms.begin}" if rooms.begin else address, rooms)
    _spare_what_stays()
    try:
        uvicorn.Server(config).run(sockets=[taken])
    except OSError as problem:
        raise NotStored(f"The server could not go on: {problem.strerror}.") from None
    finally:
        rooms.close()


def _spare_what_stays() -> None:
    """Let the garbage collector pass over what was imported: going through it all stops every client for 100 ms."""
    gc.collect()
    gc.freeze()


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
