"""A drop box as its user starts it: a program of its own, on a port of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from attunement.web.place import Place, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = [sys.executable, "-c", "import sys; from attunement.cli import main; sys.exit(main())"]


@contextmanager
def served(folder: Path, port: int, owner: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `attunement drop-box serve` in a process of its own."""
    command = [*RUN, "drop-box", "serve", str(folder), "--port", str(port), "--owner", owner]
    with (
        log.open("w") as told,
        subprocess.Popen(  # noqa: S603 - ours
            command, stdout=subprocess.PIPE, stderr=told, text=True, env={**os.environ}
        ) as server,
    ):
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
