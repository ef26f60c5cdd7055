"""`connect`, and what comes back: the library's own values."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from attunement.errors import InputError, NotStored
from attunement.findings import Estimate, Finding, NotYet
from attunement.remote.line import Line
from attunement.sessions import UNDATED, CheckIn, Invitation, Session, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from attunement.instruments.description import Language

_PAGE: Final = 500
_PARQUET: Final = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one connection, as the practice tells it.

    Parameters
    ----------
    client, measure
        Whose, and on which measure: ``connection`` for the check-ins.
    rated, session
        How many sessions were rated, and the last of them.
    word, wants_a_look
        The state in a word or two, and whether falling or stalled is more likely than not.
    state, depth, speed, plateau
        Each a `Finding` or a `NotYet`; the tables behind them stay where they are.
    ruptures
        Whether a rating fell far below what was expected of it; None where that is not looked at.
    fresh
        Whether nothing was rated since.
    """

    client: str
    measure: str
    rated: int
    session: int
    word: str
    wants_a_look: bool
    state: Finding | NotYet
    depth: Finding | NotYet
    speed: Finding | NotYet
    plateau: Finding | NotYet
    ruptures: Finding | NotYet | None
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A link for one check-in: the client's alone, and shown once.

    Parameters
    ----------
    invitation
        For which session, and until when.
    address
        The link.
    """

    invitation: Invitation
    address: str = field(repr=False)


def connect(url: str, token: str, *, timeout: float = 30.0) -> Remote:
    """Connect to a practice that is served elsewhere, and ask once whether the token is worth something.

    Parameters
    ----------
    url
        Where it is served: ``https://…``, or plain ``http://`` on this computer alone.
    token
        That its therapist made for this program.
    timeout
        Seconds that one answer is waited for.

    Raises
    ------
    InputError
        Where the address is none, or would send the token in the clear.
    WrongKey
        Where the token is worth nothing.
    VaultProblem
        Where nobody answers.
    """
    return Remote(url, token, timeout=timeout)


class Remote:
    """A practice elsewhere, as far as the scopes of a token reach. `connect` makes one.

    ==============  ===============================================
    clients:read    clients
    sessions:read   sessions
    sessions:write  log_session · change_session
    check-ins:read  check_ins · ratings
    check-ins:write  invite
    steps:read      steps
    findings:read   findings
    exports:read    export · deidentified
    ==============  ===============================================
    """

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        self._line = Line(url, token, timeout)
        told = self._line.json("GET", "/token")
        self.account: str = told["account"]
        self.scopes: frozenset[str] = frozenset(told["scopes"])

    def __repr__(self) -> str:
        """Say whose practice it is and where, and nothing of the token."""
        return f"<Practice of {self.account} at {self._line.origin}>"

    # -- clients and sessions

    def clients(self) -> tuple[str, ...]:
        """Return the codes of one's clients, in the order in which they began."""
        return tuple(each["code"] for each in self._all("/clients"))

    def sessions(self, client: str) -> tuple[Session, ...]:
        """Return the sessions with a client, in order."""
        return tuple(_session(each) for each in self._all(f"{_of(client)}/sessions"))

    def log_session(
        self, client: str, began: datetime, *, attendance: str = "held", lateness: float | None = None,
        number: int | None = None,
    ) -> Session:  # fmt: skip
        """Write down that a session was held, was not, or is planned; once, also where the connection breaks.

        Parameters
        ----------
        client
            The code.
        began
            When it began or is to begin; without a zone it is this computer's.
        attendance
            ``held``, ``late``, ``cancelled by client``, ``cancelled by therapist`` or ``missed``; or ``planned``.
        lateness
            In minutes.
        number
            The next one, unless given.
        """
        sent = {"began": _moment(began), "attendance": attendance, "lateness": lateness, "number": number}
        return _session(self._line.json("POST", f"{_of(client)}/sessions", sent))

    def change_session(
        self, client: str, number: int, *, attendance: str | None = None, began: datetime | None = None,
        lateness: float | None = None,
    ) -> Session:  # fmt: skip
        """Say how a session went, or move it; what is left out stays."""
        changes = {
            "attendance": attendance, "began": _moment(began) if began else None, "lateness": lateness
        }  # fmt: skip
        sent = {name: value for name, value in changes.items() if value is not None}
        return _session(self._line.json("PATCH", f"{_of(client)}/sessions/{number:d}", sent))

    # -- check-ins and steps

    def check_ins(self, client: str) -> tuple[CheckIn, ...]:
        """Return what a client has answered, in the order of sessions."""
        return tuple(
            CheckIn(
                each["id"], each["client"], each["session"], _read(each["at"]), each["instrument"],
                each["version"], each["answers"],
            )
            for each in self._all(f"{_of(client)}/check-ins")
        )  # fmt: skip

    def invite(self, client: str, session: int, *, instrument: str = "connection", hours: int = 72) -> Link:
        """Make a link by which a client can answer once, for so many hours."""
        sent = {"session": session, "instrument": instrument, "hours": hours}
        made = self._line.json("POST", f"{_of(client)}/invitations", sent)
        invitation = Invitation(
            made["id"],
            made["client"],
            made["session"],
            made["instrument"],
            _read(made["expires"]),
            made["used"],
        )
        return Link(invitation, made["link"])

    def steps(self, client: str) -> tuple[Step, ...]:
        """Return what was tried with a client, and what came of it."""
        return tuple(
            Step(each["id"], each["client"], _read(each["chosen"]), each["what"], each["outcome"])
            for each in self._all(f"{_of(client)}/steps")
        )

    # -- findings and ratings

    def findings(
        self, client: str | None = None, *, language: Language = "en", wait: float = 60.0
    ) -> tuple[Course, ...]:
        """Return what the ratings say of the connection with each client, those first that want attention.

        Parameters
        ----------
        client
            One client's code, where it is about one alone.
        language
            Of the sentences.
        wait
            Seconds to wait at most while they are being worked out.

        Raises
        ------
        VaultProblem
            Where they still are after that.
        """
        path = "/findings" if client is None else f"{_of(client)}/findings"
        asked = {"language": language} | ({} if client else {"limit": str(_PAGE)})
        return tuple(
            _course(each, fresh=page["fresh"])
            for page in self._pages(path, asked, wait)
            for each in page["items"]
        )

    def ratings(self, measure: str = "connection") -> pl.DataFrame:
        """Return the table of rated sessions, as `attunement.trajectories` reads it.

        Parameters
        ----------
        measure
            ``connection`` for the check-ins; another measure by its id.
        """
        import polars as pl  # noqa: PLC0415 - a tenth of a second, for this alone

        asked = f"/ratings?{urlencode({'measure': measure})}"
        return pl.read_parquet(io.BytesIO(self._line.file("GET", asked, accept=_PARQUET)))

    # -- exports

    def export(self, client: str, path: Path | str) -> Path:
        """Write a client's record to a new file: a ZIP of tables, not encrypted."""
        place = Path(path)
        if place.exists():
            raise InputError(f"{place} is there already; name another file.")
        packed = self._line.file(
            "GET", f"{_of(client)}/export", accept="application/zip, application/problem+json"
        )
        try:
            with place.open("xb") as file:
                place.chmod(0o600)
                file.write(packed)
        except OSError as problem:
            raise NotStored(f"{place} could not be written: {problem.strerror}.") from None
        return place

    def deidentified(self) -> pl.DataFrame:
        """Return one's sessions with scores, of the clients who agreed to research, without what identifies."""
        import polars as pl  # noqa: PLC0415 - see above

        rows = self._line.json("GET", "/exports/deidentified")["items"]
        return pl.DataFrame(rows, infer_schema_length=None)

    # -- inside

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        for page in self._pages(path, {"limit": str(_PAGE)}, 0.0):
            yield from page["items"]

    def _pages(self, path: str, asked: Mapping[str, str], wait: float) -> Iterator[dict[str, Any]]:
        after: str | None = ""
        while after is not None:
            query = urlencode({**asked, **({"after": after} if after else {})})
            page = self._line.json("GET", f"{path}?{query}", wait=wait)
            yield page
            after = page["next"]


def _of(client: str) -> str:
    return f"/clients/{quote(client, safe='')}"


def _moment(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="microseconds")


def _read(at: str) -> datetime:
    return datetime.fromisoformat(at)


def _session(told: Mapping[str, Any]) -> Session:
    began = UNDATED if told["began"] is None else _read(told["began"])
    return Session(told["id"], told["client"], told["number"], began, told["attendance"], told["lateness"])


def _course(told: Mapping[str, Any], *, fresh: bool) -> Course:
    names = ("state", "depth", "speed", "plateau")
    plain = {name: told[name] for name in ("client", "measure", "rated", "session", "word", "wants_a_look")}
    ruptures = _found(told["ruptures"]) if told["ruptures"] else None
    found: dict[str, Any] = {name: _found(told[name]) for name in names}
    return Course(**plain, **found, ruptures=ruptures, fresh=fresh)


def _found(told: Mapping[str, Any]) -> Finding | NotYet:
    """Read a finding; its evidence was not sent, and is an empty table here."""
    import polars as pl  # noqa: PLC0415 - a tenth of a second, for findings alone

    if told["kind"] == "not yet":
        opening = told["sentence"].partition(":")[0]
        return NotYet(told["about"], told["missing"], told["supply"], opening)
    estimate = told["estimate"]
    high = math.inf if estimate["high"] is None else estimate["high"]
    value = math.inf if estimate["value"] is None else estimate["value"]
    open_low = -math.inf if math.isfinite(value) else value
    low = open_low if estimate["low"] is None else estimate["low"]
    number = Estimate(value, low, high, estimate["unit"], estimate["level"])
    return Finding(told["about"], told["sentence"], number, pl.DataFrame(), tuple(told["limits"]))
