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


@contextlib.contextmanager
def postbox(certificate: Path | None = None, *, at_once: bool = False) -> Iterator[Postbox]:
    """Run the server; with a certificate it takes STARTTLS, or TLS `at_once`."""
    box = Postbox()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                if context and at_once:
                    self._tls()
                self._talk()
            for each in (self.rfile, self.wfile, self.connection):
                with contextlib.suppress(OSError):
                    each.close()

        def _tls(self) -> None:
            assert context
            self.connection = self.request = context.wrap_socket(self.request, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def _talk(self) -> None:
            to = ""
            self._say("220 here")
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                box.heard.append(line)
                verb = line[:4].upper()
                if verb == "EHLO":
                    self._say("250-here")
                    self._say("250 STARTTLS" if context and not at_once else "250 AUTH PLAIN")
                elif verb == "STAR":
                    self._say("220 go on")
                    self._tls()
                elif verb == "AUTH":
                    self._say("235 yes" if line.endswith("AHVzZXIAcmlnaHQ=") else "535 no")
                elif verb == "RCPT":
                    to = line.partition("<")[2].rstrip(">")
                    self._say(f"550 no such user {to}" if to in box.refused else "250 yes")
                elif verb == "DATA":
                    self._data(to)
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 yes")

        def _data(self, to: str) -> None:
            self._say("354 go on")
            lines = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            if not box.after:
                raise OSError
            if box.after.startswith("250"):
                box.taken.append((to, "\n".join(lines)))
            self._say(box.after)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
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
