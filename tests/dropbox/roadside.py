"""A drop box beside a cast, without a network; and a line to it that can break before, during and after."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.testclient import TestClient

from attunement.dropbox.box import Box
from attunement.dropbox.serving import Counter, app
from attunement.errors import VaultProblem, WrongKey
from attunement.instruments import instrument
from attunement.vault.drops import to_sign
from attunement.web.shield import Names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2 as httpx
    from cast import Cast

HERE = "http://127.0.0.1:8438"
FORM = "application/x-www-form-urlencoded"
ANSWERED = {f"a-{item.id}": "7" for item in instrument("connection").items}
OWNERS = "/api/v1/box"


class Broken(VaultProblem):
    """The line broke."""


@dataclass
class Roadside:
    """A box, a phone before it, and the practice's line to it."""

    cast: Cast
    folder: Path
    box: Box
    counter: Counter
    phone: TestClient
    asked: list[str] = field(default_factory=list)
    breaks: tuple[str, str] | None = None
    """At what is asked, and whether the line breaks before the box hears it, or after."""

    def ask(self, what: str, content: bytes, sign: Callable[[bytes], bytes]) -> bytes:
        self.asked.append(what)
        if self.breaks == (what, "before"):
            raise Broken("The line broke.")
        answer = self.signed(what, content, sign)
        if self.breaks == (what, "after"):
            raise Broken("The line broke.")
        if answer.status_code == 401:
            raise WrongKey(answer.text)
        assert answer.status_code == 200, answer.text
        return answer.content

    def signed(self, what: str, content: bytes, sign: Callable[[bytes], bytes]) -> httpx.Response:
        challenge = bytes.fromhex(self.phone.post(f"{OWNERS}/challenge").json()["challenge"])
        signature = sign(to_sign(HERE, what, challenge, content))
        return self.shown(what, content, challenge, signature)

    def shown(self, what: str, content: bytes, challenge: bytes, signature: bytes) -> httpx.Response:
        headers = {"attunement-challenge": challenge.hex(), "attunement-signature": signature.hex()}
        return self.phone.post(f"{OWNERS}/{what}", content=content, headers=headers)

    def send(self, token: str, key: str = "some-sending", **answers: str) -> httpx.Response:
        fields = {**ANSWERED, **{f"a-{name}": value for name, value in answers.items()}}
        return self.form(token, {"instrument": "connection", "key": key, **fields})

    def form(self, token: str, fields: dict[str, str]) -> httpx.Response:
        headers = {"content-type": FORM, "origin": HERE}
        return self.phone.post(f"/c/{token}", content=urlencode(fields).encode(), headers=headers)

    @property
    def lying(self) -> list[dict[str, Any]]:
        """The sealed drops on the disk of the box."""
        kept = [json.loads(each.read_bytes()) for each in sorted((self.folder / "drops").glob("*.json"))]
        return [each for each in kept if "sealed" in each]

    def served_again(self) -> Roadside:
        """Let the box be served anew, from its disk alone."""
        self.box.close()
        return beside(self.cast, self.folder)


def beside(cast: Cast, folder: Path) -> Roadside:
    """Serve a box of a cast's practice."""
    owner = bytes.fromhex(cast.admin.link_drop_box(HERE))
    box = Box(folder, owner, now=cast.hands.wall)
    counter = Counter(box, Names(8438), HERE, seconds=lambda: cast.hands.seconds)
    phone = TestClient(app(counter), base_url=HERE, follow_redirects=False)
    return Roadside(cast, folder, box, counter, phone)
