"""The table of endpoints: what a program can ask, by which scope, and who answers. What is not here is not there.

The matrix of tests and the page of the documentation are made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attunement.practice.policy import Scope
from attunement.web.api import answering, models
from attunement.web.api.negotiating import CSV, JSON, PARQUET

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that a program can ask.

    Parameters
    ----------
    method, path
        What is asked.
    scope
        Which scope of a token opens it; None for whatever token.
    handler
        Who answers; its docstring is its documentation.
    gives
        What goes out, where it is JSON.
    status
        Of what went well.
    kinds
        Of answers, the usual one first.
    waits
        Whether the answer may be that it is still being worked out.
    """

    method: str
    path: str
    scope: Scope | None
    handler: Callable[..., Any]
    gives: type | None
    status: int = 200
    kinds: tuple[str, ...] = (JSON,)
    waits: bool = False

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]

    @property
    def description(self) -> str:
        """What else there is to say of it."""
        return "\n".join(
            line.strip() for line in (self.handler.__doc__ or "").strip().split("\n")[1:]
        ).strip()


_CLIENT: Final = "/clients/{code}"

ENDPOINTS: Final = (
    Endpoint("GET", "/token", None, answering.token, models.TokenOut),
    Endpoint("GET", "/clients", Scope.CLIENTS_READ, answering.clients, models.Clients),
    Endpoint("GET", f"{_CLIENT}/sessions", Scope.SESSIONS_READ, answering.sessions, models.Sessions),
    Endpoint(
        "POST", f"{_CLIENT}/sessions", Scope.SESSIONS_WRITE, answering.log_session, models.SessionOut, 201
    ),
    Endpoint(
        "PATCH", f"{_CLIENT}/sessions/{{number}}", Scope.SESSIONS_WRITE, answering.change_session, models.SessionOut
    ),
    Endpoint("GET", f"{_CLIENT}/check-ins", Scope.CHECK_INS_READ, answering.check_ins, models.CheckIns),
    Endpoint(
        "POST", f"{_CLIENT}/invitations", Scope.CHECK_INS_WRITE, answering.invite, models.InvitationOut, 201
    ),
    Endpoint("GET", f"{_CLIENT}/steps", Scope.STEPS_READ, answering.steps, models.Steps),
    Endpoint(
        "GET", f"{_CLIENT}/findings", Scope.FINDINGS_READ, answering.client_findings, models.Findings, waits=True
    ),
    Endpoint("GET", "/findings", Scope.FINDINGS_READ, answering.findings, models.Findings, waits=True),
    Endpoint(
        "GET", "/ratings", Scope.CHECK_INS_READ, answering.ratings, models.Ratings, kinds=(JSON, CSV, PARQUET)
    ),
    Endpoint(
        "GET", f"{_CLIENT}/export", Scope.EXPORTS_READ, answering.export, None, kinds=(answering.ZIP, answering.FHIR)
    ),
    Endpoint(
        "GET", "/exports/deidentified", Scope.EXPORTS_READ, answering.deidentified, models.Deidentified,
        kinds=(JSON, CSV),
    ),
)  # fmt: skip
