"""The stolen box: a real server's whole disk, with secrets planted in answers, and nothing of them to be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from cast import BEGAN

from attunement.dropbox.box import Box
from attunement.instruments import instrument, loads
from attunement.remote.drop_box import DropBoxLine
from attunement.sessions import Purpose
from attunement.web.place import Place, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cast import Cast

RUN = [sys.executable, "-c", "import sys; from attunement.cli import main; sys.exit(main())"]
PLANTED = (271828, 314159, 577215, 141421)
"""Answers that are nowhere else: points by the hundred thousand."""
CODES = ("SECRET-ALPHA", "SECRET-BETA", "SECRET-GAMMA")
WIDE = """
id = "wide"
name = {en = "Wide", es = "Amplio"}
version = "1"
licence = "CC0-1.0"
source = "made up for the tests"
"""


@contextmanager
def served(folder: Path, port: int, owner: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `attunement drop-box serve` in a process of its own."""
    command = [*RUN, "drop-box", "serve", str(folder), "--port", str(port), "--owner", owner]
    with log.open("w") as told, subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.PIPE, stderr=told, text=True, env={**os.environ}
    ) as server:
        assert server.stdout
        assert " at http://127.0.0.1" in server.stdout.readline()
        try:
            yield server
        finally:
            server.kill()
            server.wait(timeout=30)


def free_port() -> int:
    with listening(Place(port=0)) as taken:
        return int(taken.getsockname()[1])


def send(url: str, token: str, answers: dict[str, str], key: str) -> int:
    """Send a form, as a phone does."""
    place = urlsplit(url)
    line = HTTPConnection(place.hostname or "", place.port, timeout=20)
    fields = {"instrument": "connection", "key": key, "lang": "en", **answers}
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": url}
    line.request("POST", f"/c/{token}", urlencode(fields), headers)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status


def stolen(folder: Path) -> dict[str, bytes]:
    """Everything on the disk."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
