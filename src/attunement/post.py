"""Sending one e-mail: to one address, with a subject of ours and one link, and nothing else.

It goes over TLS, or stays on this machine. What a mail server says is never passed on, for it may repeat an address.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Final, Literal

from attunement.errors import InputError, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_LINK: Final = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+(/[A-Za-z0-9._~\-/]*)?")
_WAIT: Final = 30.0  # seconds
Security = Literal["starttls", "tls", "none"]


def is_address(text: str) -> bool:
    """Whether a text is one plain e-mail address, and nothing that a header would take for more.

    Examples
    --------
    >>> is_address("somebody@practice.example"), is_address("a@b.example, c@d.example"), is_address("Call 555")
    (True, False, False)
    """
    return len(text) <= 254 and text.partition("@")[0][64:] == "" and bool(_ADDRESS.fullmatch(text))


def address(text: str, what: str = "The e-mail address") -> str:
    """Take an e-mail address, as somebody typed it.

    Raises
    ------
    InputError
        Where it is none; the sentence does not repeat it.
    """
    typed = text.strip()
    if not is_address(typed):
        raise InputError(f"{what} is one address, such as somebody@practice.example.")
    return typed


def letter(sender: str, to: str, subject: str, link: str) -> EmailMessage:
    """Write the mail: a subject and one link.

    Raises
    ------
    InputError
        Where an address is none, the subject has more than one line, or the link is none.
    """
    if not subject.isprintable() or not 1 <= len(subject) <= 100:
        raise InputError("A subject is one line of at most 100 characters.")
    if not _LINK.fullmatch(link):
        raise InputError("A mail carries one link, which begins with https:// or http://.")
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = address(sender, "The sender"), address(to)
    mail["Subject"], mail["Date"] = subject, formatdate(usegmt=True)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])  # not the name of this machine
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{link}\n", cte="7bit")
    return mail


@dataclass(frozen=True, slots=True)
class Post:
    """A mail server.

    Parameters
    ----------
    host, port
        Where it listens; 587 (or 465 with `tls`) where the port is left out.
    sender
        From whom mail comes.
    user, password
        How one signs in there; left out where nobody has to.
    security
        ``starttls``, ``tls``, or ``none``: in the clear, on this machine alone.

    Raises
    ------
    InputError
        Where mail would travel in the clear, or a setting is not what it can be.
    """

    host: str
    sender: str
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    security: Security = "starttls"

    def __post_init__(self) -> None:
        address(self.sender, "The sender of mail")
        if not re.fullmatch(r"[A-Za-z0-9.\-:]{1,253}", self.host):
            raise InputError("The mail server is a name such as mail.practice.example.")
        if not 0 <= self.port <= 65_535:
            raise InputError("The port of the mail server is a number from 1 to 65535.")
        if self.security == "none" and self.host not in LOOPBACK:
            raise InputError(
                "Mail to another machine goes over TLS; only one on this machine is spoken to without."
            )

    def send(self, to: str, subject: str, link: str) -> None:
        """Send a mail; when this returns, the server has taken it.

        Raises
        ------
        NotSent
            Where it has not. The sentence holds no address, and nothing that the server said.
        """
        mail = letter(self.sender, to, subject, link)
        try:
            server = self._server()
            try:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail)
            finally:  # whatever comes after the mail was taken changes nothing about that
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except UnicodeError:
            raise NotSent("The name or password for the mail server has signs that it cannot take.") from None
        except smtplib.SMTPAuthenticationError:
            raise NotSent("The mail server did not take the name and password; nothing was sent.") from None
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as problem:
            raise NotSent(
                f"The mail server did not take the mail{_code(problem)}; nothing was sent."
            ) from None
        except ssl.SSLError:
            raise NotSent("The mail server could not show who it is (TLS); nothing was sent.") from None
        except (smtplib.SMTPException, OSError):
            raise NotSent("The mail server cannot be reached, or broke off; nothing was sent.") from None

    def _server(self) -> smtplib.SMTP:
        trusted = ssl.create_default_context()
        if self.security == "tls":
            return smtplib.SMTP_SSL(
                self.host, self.port or 465, local_hostname="localhost", timeout=_WAIT, context=trusted
            )
        server = smtplib.SMTP(self.host, self.port or 587, local_hostname="localhost", timeout=_WAIT)
        if self.security == "starttls":
            try:
                server.starttls(context=trusted)
            except BaseException:
                server.close()
                raise
        return server


def post_from(settings: Callable[[str], str | None]) -> Post | None:
    """Read a mail server from settings; None where none is named.

    Parameters
    ----------
    settings
        Gives ``ATTUNEMENT_SMTP_HOST`` and the like, or None where it is not set.

    Raises
    ------
    InputError
        Where a setting is not what it can be.
    """
    given = {name: (settings(f"ATTUNEMENT_SMTP_{name}") or "").strip() for name in _SETTINGS}
    host, port = given["HOST"], given["PORT"]
    if not host:
        return None
    if port and not (port.isascii() and port.isdigit()):
        raise InputError("ATTUNEMENT_SMTP_PORT is a number from 1 to 65535.")
    if not given["FROM"]:
        raise InputError("ATTUNEMENT_SMTP_FROM says from which address mail comes; it is not set.")
    number = int(port or 0)
    return Post(
        host,
        given["FROM"],
        number,
        given["USER"],
        given["PASSWORD"],
        _security(given["STARTTLS"].lower(), host, number),
    )


_SETTINGS: Final = ("HOST", "PORT", "USER", "PASSWORD", "FROM", "STARTTLS")


def _security(wanted: str, host: str, port: int) -> Security:
    """TLS from the first byte on port 465 or where STARTTLS is not wanted; none on this machine, unless wanted."""
    if wanted not in {"", "yes", "no"}:
        raise InputError("ATTUNEMENT_SMTP_STARTTLS is yes or no, or left out.")
    if wanted == "yes":
        return "starttls"
    if port == 465 or (wanted == "no" and host not in LOOPBACK):
        return "tls"
    return "none" if host in LOOPBACK else "starttls"


def _code(problem: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        return f" (code {problem.smtp_code})"
    codes = [code for code, _ in problem.recipients.values()]
    return f" (code {codes[0]})" if codes else ""
