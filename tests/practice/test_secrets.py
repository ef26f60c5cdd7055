"""Two hundred secrets planted in every field, looked for in every file that a killed program leaves behind."""

from __future__ import annotations

import base64
import json
import math
import os
import secrets
import string
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("planted.py")
CLIENTS, BOXED = 18, 3
FIELDS = {
    "passphrase": 6, "name": 2, "code": CLIENTS, "last code": 2, "taken code": CLIENTS // 3, "wrong": 3,
    "basis": CLIENTS, "email": 1, "site": 1, "measure": 1, "factor": 2, "protocol": 1, "at the box": BOXED,
    **dict.fromkeys(
        (
            "person", "contact", "step", "outcome", "reason", "concern", "done", "sending", "tag", "feeling", "words",
            "program",
        ), CLIENTS + 2 + BOXED,
    ),
    **dict.fromkeys(("question", "pattern", "own words", "own feeling"), CLIENTS),
}  # fmt: skip
IN_CLEAR: frozenset[str] = frozenset()
"""Fields whose purpose it is to stand in clear: none."""


def drawn(letters: int) -> str:
    return "".join(secrets.choice(string.ascii_letters) for _ in range(letters))


def left_behind(
    folder: Path, *arguments: str, mark: str = "", **settings: str
) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    """Run the program in a folder of its own; returns what was planted, and all that is there afterwards.

    Parameters
    ----------
    folder, arguments
        Where, and what the program is told.
    mark
        With what every secret is to begin.
    settings
        Of its environment.
    """
    planted = {name: [mark + drawn(24 - len(mark)) for _ in range(count)] for name, count in FIELDS.items()}
    (folder / "secrets.json").write_text(json.dumps(planted))
    homes = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"), str(folder))
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(PROGRAM), str(folder), *arguments],
        cwd=folder, env={**os.environ, **homes, **settings}, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == -9, ended.stderr.decode()[-2000:]
    (folder / "secrets.json").unlink()
    planted |= json.loads((folder / "told").read_text())
    (folder / "told").unlink()
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return planted, {**files, "standard output": ended.stdout, "standard error": ended.stderr}


def found(planted: dict[str, list[str]], files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Where which field's secret stands, in whatever way it is written."""
    for field, values in planted.items():
        for value in values:
            for name, content in files.items():
                if any(way in content for way in ways(value)):
                    yield field, name


def ways(value: str) -> list[bytes]:
    plain = value.encode()
    inner = [base64.b64encode(b"x" * shift + plain)[4:-4] for shift in range(3)]
    return [plain, value.encode("utf-16-le"), plain.hex().encode(), *inner]


def test_no_planted_secret_is_in_any_file_that_is_left(tmp_path: Path) -> None:
    planted, files = left_behind(tmp_path)
    assert sum(map(len, planted.values())) >= 200
    assert any(name.endswith("-wal") and content for name, content in files.items())
    assert {"debug.log", "backup.age"} <= set(files)
    assert [where for where in found(planted, files) if where[0] not in IN_CLEAR] == []
    for name, content in files.items():
        if name.endswith((".vault", ".age")):
            assert entropy(content) > 7.9, name


def test_with_encryption_off_the_same_search_finds_the_record_and_not_the_reflections(tmp_path: Path) -> None:
    fields = Counter(field for field, _ in found(*left_behind(tmp_path, "open")))
    assert {
        "code",
        "person",
        "contact",
        "step",
        "outcome",
        "reason",
        "last code",
        "taken code",
        "email",
        "site",
    } <= set(fields)
    sealed = {"words", "feeling", "tag", "question", "pattern", "own words", "own feeling"}
    assert not (sealed | {"passphrase", "recovery code"}) & set(fields)


@pytest.mark.parametrize("name", ["person", "step"])
def test_with_encryption_off_what_was_erased_is_gone_all_the_same(tmp_path: Path, name: str) -> None:
    planted, files = left_behind(tmp_path, "open")
    erased = {name: planted[name][2:CLIENTS:3]}
    assert list(found(erased, files)) == []


def entropy(content: bytes) -> float:
    """In bits a byte."""
    counts = Counter(content)
    return -sum(count / len(content) * math.log2(count / len(content)) for count in counts.values())
