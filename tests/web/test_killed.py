"""A server that is killed while clients send: each answer is there once, or the client is told to send it again."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from cast import BEGAN, PHRASES

from attunement.practice import Practice
from attunement.sessions import Purpose

CHECK_INS, CLIENTS, KILLS = 120, 4, (15, 45, 80)
ANSWERS = {"instrument": "connection", "a-safe": "7", "a-understood": "8"}


class Server:
    """`attunement serve`, which can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = self._started()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._started()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        program = [
            sys.executable,
            "-c",
            "import sys; from attunement.cli import main; sys.exit(main())",
            "serve",
        ]
        place = ["--practice", str(self.folder), "--account", "T-1", "--port", str(self.port), "--no-open"]
        settings = {**os.environ, "ATTUNEMENT_PASSPHRASE": PHRASES["T-1"]}
        return subprocess.Popen([*program, *place], env=settings, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


def invited(folder: Path) -> list[str]:
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        practice.take_on("K-01", agreed=[Purpose.CHECK_INS])
        tokens = []
        for number in range(1, CHECK_INS + 1):
            practice.log_session("K-01", BEGAN + timedelta(days=number))
            tokens.append(practice.invite("K-01", number).token)
        return tokens


def sent(port: int, token: str, key: str) -> int:
    """Send once; 0 where nobody answered."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"origin": f"http://127.0.0.1:{port}", "content-type": "application/x-www-form-urlencoded"}
    try:
        asked.request("POST", f"/c/{token}", urlencode({**ANSWERS, "key": key}), headers)
        return asked.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        asked.close()


def test_every_answer_is_there_once_however_often_the_server_is_killed(founded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(founded, tmp_path / "practice"))
    tokens = invited(folder)
    server = Server(folder)
    acknowledged: list[str] = []
    statuses: Counter[int] = Counter()

    def client(share: list[str]) -> None:
        for token in share:
            while (status := sent(server.port, token, f"sending-{token[:20]}")) != 303:
                statuses[status] += 1
                time.sleep(0.02)
            acknowledged.append(token)

    threads = [threading.Thread(target=client, args=(tokens[each::CLIENTS],)) for each in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for many in KILLS:
        while len(acknowledged) < many:
            time.sleep(0.005)
        server.kill()
    for thread in threads:
        thread.join()
    server.stop()

    assert set(statuses) <= {0, 503}  # nobody answered, or: not open yet, send it again
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        found = Counter(each.session for each in practice.check_ins("K-01"))
        assert found == dict.fromkeys(range(1, CHECK_INS + 1), 1)
        assert practice.verify()["record"].whole
