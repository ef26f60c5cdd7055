"""Starting the rooms on a port of this machine, and telling where they are."""

from __future__ import annotations

import gc
import logging
import secrets
from typing import TYPE_CHECKING

from attunement.errors import NotStored
from attunement.vault.process import harden
from attunement.web.place import LOOPBACK, Place, listening
from attunement.web.rooms import Rooms, app
from attunement.web.ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attunement.practice import Sender
    from attunement.vault.locks import Cost

__all__ = ["Place", "listening", "serve"]


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
