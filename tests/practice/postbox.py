"""A real mail server on this machine, which keeps what it was sent, refuses whom it is told to, and may speak TLS."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Postbox:
    """What the server took, and how it behaves.

    Parameters
    ----------
    taken
        Envelope recipient and the whole message, of each mail it said yes to.
    refused
        Whom it does not take mail for; it says the address back, as servers do.
    after
        What it answers once it has the message; "" breaks off.
    heard
        Every line but those of messages, in order.
    """

    port: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    refused: frozenset[str] = frozenset()
    after: str = "250 taken"
    heard: list[str] = field(default_factory=list)


class Server(socketserver.ThreadingTCPServer):
    """Talks to each who comes in a thread of its own."""

    daemon_threads = True

    def __init__(self, box: Postbox, context: ssl.SSLContext | None, *, at_once: bool) -> None:
        self.box, self.context, self.at_once = box, context, at_once
        super().__init__(("127.0.0.1", 0), Talk)


class Talk(socketserver.StreamRequestHandler):
    """One who sends mail."""

    server: Server

    def handle(self) -> None:
        self.to = ""
        with contextlib.suppress(OSError, ValueError):
            if self.server.at_once:
                self.tls()
            self.say("220 here")
            while line := self.line():
                self.server.box.heard.append(line)
                getattr(self, f"on_{line[:4].lower()}", self.on_other)(line)
        for each in (self.rfile, self.wfile, self.connection):
            with contextlib.suppress(OSError):
                each.close()

    def line(self) -> str:
        return str(self.rfile.readline().decode().rstrip("\r\n"))

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def tls(self) -> None:
        assert self.server.context
        self.connection = self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def on_ehlo(self, _: str) -> None:
        self.say("250-here")
        self.say("250 STARTTLS" if self.server.context and not self.server.at_once else "250 AUTH PLAIN")

    def on_star(self, _: str) -> None:
        self.say("220 go on")
        self.tls()

    def on_auth(self, line: str) -> None:
        self.say("235 yes" if line.endswith("AHVzZXIAcmlnaHQ=") else "535 no")

    def on_rcpt(self, line: str) -> None:
        self.to = line.partition("<")[2].rstrip(">")
        self.say(f"550 no such user {self.to}" if self.to in self.server.box.refused else "250 yes")

    def on_data(self, _: str) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        box = self.server.box
        if not box.after:
            raise OSError
        if box.after.startswith("250"):
            box.taken.append((self.to, "\n".join(lines)))
        self.say(box.after)

    def on_quit(self, _: str) -> None:
        self.say("221 bye")
        raise OSError

    def on_other(self, _: str) -> None:
        self.say("250 yes")


@contextlib.contextmanager
def postbox(certificate: Path | None = None, *, at_once: bool = False) -> Iterator[Postbox]:
    """Run the server; with a certificate it takes STARTTLS, or TLS `at_once`."""
    box, context = Postbox(), None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    with Server(box, context, at_once=at_once) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()


def certificate(folder: Path) -> Path:
    """Make a certificate of localhost, signed by itself; returns a file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "localhost.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file
