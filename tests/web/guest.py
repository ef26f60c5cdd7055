"""Somebody before the rooms, as the server sees them: requests with the headers and the cookie of a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cast import PHRASES, Cast
from starlette.testclient import TestClient

from attunement.vault.locks import LEAST
from attunement.web import WAYS, Rooms, app

if TYPE_CHECKING:
    import httpx2 as httpx

HOST = "127.0.0.1:8437"
HERE = f"http://{HOST}"
FORM = "application/x-www-form-urlencoded"
OWN_PAGE = {"origin": HERE, "sec-fetch-site": "same-origin"}


@dataclass(slots=True)
class Building:
    """The rooms of a cast, without a network."""

    cast: Cast
    rooms: Rooms
    app: Any = field(repr=False)

    def guest(self, account: str | None = None, *, unlocked: bool = False, agent: str = "a test") -> Guest:
        """Return a browser, in which somebody has signed in if an account is named."""
        guest = Guest(
            TestClient(self.app, base_url=HERE, follow_redirects=False, headers={"user-agent": agent})
        )
        if account:
            came = guest.post("/sign-in", account=account, passphrase=PHRASES[account], then="/")
            assert came.status_code == 303, came.text
        if unlocked and account:
            assert guest.post("/reflections/unlock", passphrase=PHRASES[account], then="/").status_code == 303
        return guest


@dataclass(slots=True)
class Guest:
    """One browser."""

    client: TestClient

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def post(self, path: str, **fields: str) -> httpx.Response:
        body = urlencode({name.replace("__", "-"): value for name, value in fields.items()})
        return self.send(path, body.encode(), **{"content-type": FORM})

    def send(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        return self.client.post(path, content=body, headers={**OWN_PAGE, **headers})

    def upload(self, path: str, name: str, content: bytes) -> httpx.Response:
        return self.client.post(path, files={"file": (name, content)}, headers=OWN_PAGE)


def building(cast: Cast) -> Building:
    """Open the rooms of a cast."""
    rooms = Rooms(cast.first.house.folder, port=8437, cost=LEAST, seconds=lambda: cast.hands.seconds)
    rooms.door.take_over(cast.first)
    return Building(cast, rooms, app(rooms, WAYS))


def hidden(page: str, name: str) -> str:
    """Return a hidden field's value."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]
