"""A program before the rooms, as the server sees it: requests with a token, and nothing of a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guest import HERE
from starlette.testclient import TestClient

from attunement.practice import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx2 as httpx
    from guest import Building

API = "/api/v1"
SESSION = {"began": "2026-05-04T14:00:00+02:00", "attendance": "held"}
BODIES: dict[str, dict[str, Any]] = {
    "/clients/{code}/sessions": SESSION,
    "/clients/{code}/sessions/{number}": {"attendance": "missed"},
    "/clients/{code}/invitations": {"session": 1},
}
"""What is sent to each endpoint that takes something."""


@dataclass(slots=True)
class Program:
    """One program, with its token."""

    secret: str = field(repr=False)
    client: TestClient

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(
            API + path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:  # noqa: ANN401
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return self.client.request(
                method, API + path, content=body, headers={"content-type": "application/json", **sent}
            )
        return self.client.request(method, API + path, json=body, headers=sent)


def program(house: Building, account: str = "T-1", scopes: Iterable[Scope | str] = tuple(Scope)) -> Program:
    """Let somebody's program come, with a token of these scopes."""
    return bearing(house, house.cast.of(account).add_token("a program", scopes).secret)


def bearing(house: Building, secret: str) -> Program:
    """Let a program come with this token."""
    headers = {"authorization": f"Bearer {secret}", "user-agent": "a test"}
    return Program(secret, TestClient(house.app, base_url=HERE, follow_redirects=False, headers=headers))
