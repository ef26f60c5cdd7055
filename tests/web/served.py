"""The rooms of a cast on a real port of this machine."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from attunement.vault.locks import LEAST
from attunement.web import WAYS, Rooms, app
from attunement.web.serving import Place, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cast import Cast


@contextmanager
def served(cast: Cast) -> Iterator[tuple[str, Rooms]]:
    """Serve them in a thread of their own; gives the address and the rooms."""
    taken = listening(Place(port=0))
    port = taken.getsockname()[1]
    rooms = Rooms(cast.first.house.folder, port=port, cost=LEAST, seconds=lambda: cast.hands.seconds)
    rooms.door.take_over(cast.first)
    config = uvicorn.Config(
        app(rooms, WAYS), log_config=None, access_log=False, lifespan="off", server_header=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}", rooms
    finally:
        server.should_exit = True
        thread.join(20)
