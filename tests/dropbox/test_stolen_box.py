"""The stolen box: a real server's whole disk, with secrets planted in answers, and nothing of them to be read."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cast import BEGAN
from roadside import beside
from street import free_port, send, served

from attunement.instruments import instrument
from attunement.remote.drop_box import DropBoxLine
from attunement.sessions import Purpose
from attunement.vault.drops import Drop, Told

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from cast import Cast

CODES = ("SECRET-ALPHA", "SECRET-BETA", "SECRET-GAMMA")


def stolen(folder: Path) -> dict[str, bytes]:
    """Everything on the disk."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def as_a_thief_reads(disk: dict[str, bytes]) -> bytes:
    """All of it as it is, and whatever is in base64 or hexadecimal decoded."""
    parts = [*disk.values(), *(name.encode() for name in disk)]
    for name, content in disk.items():
        if name.startswith("drops/"):
            kept = json.loads(content)
            parts += [base64.b64decode(kept.get("sealed", "")), bytes.fromhex(kept["mark"])]
    return b"\0".join(parts)


def test_in_a_stolen_box_nobody_is_named_nothing_is_answered_and_no_link_works(
    cast: Cast, tmp_path: Path
) -> None:
    port, folder, log = free_port(), tmp_path / "box", tmp_path / "log"
    url = f"http://127.0.0.1:{port}"
    owner = cast.admin.link_drop_box(url)
    cast.hands.pass_by(datetime.now(UTC) - BEGAN)  # the server's clock is the computer's
    tokens = []
    for code in CODES:
        cast.first.take_on(code, agreed=tuple(Purpose))
        cast.first.identify(code, "SECRET NAME", "SECRET@CONTACT.EXAMPLE")
        cast.first.log_session(code, BEGAN + timedelta(minutes=1))
        tokens.append(cast.first.invite(code, 1).token)
    items = [f"a-{item.id}" for item in instrument("connection").items]
    keys = [f"SECRET-SENDING-{number}" for number in range(3)]
    line = DropBoxLine(url)
    with served(folder, port, owner, log):
        cast.first.open_slots(line)
        for token, answer, key in zip(tokens, ("0", "10", "skip"), keys, strict=True):
            assert send(url, token, dict.fromkeys(items, answer), key) == 303
        disk = stolen(folder)
    read = as_a_thief_reads(disk) + log.read_bytes()
    for secret in (
        *tokens,
        *keys,
        *CODES,
        "SECRET",
        "T-1",
        '"answers"',
        '"token"',
        str(cast.first.house.folder),
    ):
        assert secret.encode() not in read, secret
    drops = [content for name, content in disk.items() if name.startswith("drops/")]
    sizes = {len(content) for content in drops}
    assert (len(drops), len(sizes)) == (3, 1)
    with served(folder, port, owner, log):  # killed, and there again
        assert cast.first.fetch_drops(line).taken == 3
    assert [cast.first.check_ins(code)[0].answers["safe"] for code in CODES] == [0, 10, None]
    after = as_a_thief_reads(stolen(folder))
    assert b"sealed" not in b"".join(content for name, content in stolen(folder).items() if "drops" in name)
    assert len(after) < len(read)


def test_a_box_that_forgot_to_seal_would_be_found_out(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsealed(told: Told, slot: bytes, asked: tuple[str, str], to: bytes, size: int) -> Drop:  # noqa: ARG001 - as `seal`
        return Drop(slot, *asked, told.written())

    monkeypatch.setattr("attunement.dropbox.box.seal", unsealed)
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    cast.first.log_session("K-01", BEGAN + timedelta(minutes=1))
    roadside, token = beside(cast, tmp_path / "box"), cast.first.invite("K-01", 1).token
    cast.first.open_slots(roadside)
    roadside.send(token)
    read = as_a_thief_reads(stolen(tmp_path / "box"))
    assert b'"answers"' in read
    assert token.encode() in read
    roadside.box.close()


def test_the_program_of_a_box_holds_no_code_that_opens_anything() -> None:
    told = "import sys, attunement.dropbox.serving; print(*sys.modules)"
    command = [sys.executable, "-c", told]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 - ours
    opening = (
        "attunement.practice",
        "attunement.vault.keyfile",
        "attunement.vault.envelope",
        "attunement.vault.vault",
    )
    assert not [
        name for name in loaded if name.startswith((*opening, "attunement.vault.drop_keys", "sqlalchemy"))
    ]
    assert "sqlcipher3" not in loaded
