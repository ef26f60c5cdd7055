"""The application for programs, and its document: OpenAPI 3.1, made from the table and the models.

It tells nobody outside: telemetry is off whatever the environment says, and the usual page of documentation, which
loads scripts from elsewhere, is not there.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from attunement import __version__
from attunement.practice.policy import Scope
from attunement.web.api import models
from attunement.web.api.endpoints import ENDPOINTS
from attunement.web.api.gate import Gate
from attunement.web.api.negotiating import JSON
from attunement.web.api.problems import KIND, add_to
from attunement.web.shield import API as HERE

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.telemetry import TelemetryConfig

    from attunement.web.api.endpoints import Endpoint
    from attunement.web.rooms import Rooms

__all__ = ["HERE", "OPENS", "api"]

_ABOUT: Final = """
Check-ins, sessions, findings and exports of one therapist, for programs of their own.

**Tokens.** A therapist makes a token on the page *Account*, or with `attunement token add`; it is shown once. Send it
as `Authorization: Bearer att_…`. It opens what its scopes name, of its owner's own clients, until it ends or is
removed. No scope opens reflections, supervision, who a code is, keys, accounts, tokens or erasing.

**Answers.** Points in time are in UTC. Long lists come in pages: `next` is what `after` asks by. A number of a finding
never travels without its interval; an end that is open is null.

**Refusals** are `application/problem+json` (RFC 9457) with one sentence. A client of somebody else's reads like one
that is not there.
"""
OPENS: Final[dict[Scope, str]] = {
    Scope.CLIENTS_READ: "your clients' codes, and since when they come",
    Scope.SESSIONS_READ: "when sessions were, and whether they were held",
    Scope.SESSIONS_WRITE: "logging sessions, and saying how they went",
    Scope.CHECK_INS_READ: "what clients answered, line by line, and the ratings",
    Scope.CHECK_INS_WRITE: "making links for check-ins",
    Scope.STEPS_READ: "what you tried, and what came of it, in your words",
    Scope.FINDINGS_READ: "what the ratings tell of the connection",
    Scope.EXPORTS_READ: "clients' whole records, concerns about safety included, and the de-identified table",
}
"""What each scope opens, as the page says it."""
_OFF: Final[TelemetryConfig] = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
}  # fmt: skip
_REFUSALS: Final = (401, 403, 404, 409, 422, 429, 500, 503)
_OF_BODIES: Final = (400, 413, 415)


def api(rooms: Rooms) -> FastAPI:
    """Return the application, to be mounted in the rooms."""
    from fastapi import FastAPI  # noqa: PLC0415 - a third of a second, for the rooms alone

    app = FastAPI(
        title="Attunement", version=__version__, summary="A practice, for its therapist's own programs.",
        description=_ABOUT.strip(), license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": HERE}], root_path_in_servers=False, docs_url=None, redoc_url=None,
        redirect_slashes=False, telemetry=_OFF,
    )  # fmt: skip
    app.state.rooms = rooms
    app.router.route_class = Gate
    for each in ENDPOINTS:
        _add(app, each)
    add_to(app)
    _document(app)
    return app


def _add(app: FastAPI, each: Endpoint) -> None:
    """Add one endpoint, with everything that it may answer."""
    named = each.handler.__name__
    app.add_api_route(
        each.path, each.handler, methods=[each.method], status_code=each.status, response_model=each.gives,
        summary=each.summary.rstrip("."), description=each.description, operation_id=named,
        response_description="Done." if each.method != "GET" else "What was asked for.",
        responses=_answers(each),
        openapi_extra={"security": [{"token": [each.scope.value] if each.scope else []}], "x-scope": each.scope},
    )  # fmt: skip


def _answers(each: Endpoint) -> dict[int | str, dict[str, Any]]:
    refusals = [status for status in _REFUSALS if status != 403 or each.scope]
    refusals += _OF_BODIES if each.method != "GET" else ()
    refusals += (406,) if len(each.kinds) > 1 else ()
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {KIND: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(refusals)
    }
    for kind in each.kinds:
        if kind != JSON:
            schema = {"type": "string", "contentMediaType": kind}
            found.setdefault(each.status, {}).setdefault("content", {})[kind] = {"schema": schema}
    if each.waits:
        found[202] = {"model": models.Waiting, "description": "It is being worked out; ask again."}
        found[304] = {"description": "Nothing changed since."}
    return found


def _document(app: FastAPI) -> None:
    """Say in the document how one shows a token, and what a refusal is."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            whole = made()
            parts = whole.setdefault("components", {})
            scopes = "; ".join(f"`{scope.value}` opens {opens}" for scope, opens in OPENS.items())
            parts["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer", "description": f"Scopes: {scopes}."}
            }
            problem = models.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts["schemas"] |= {**problem.pop("$defs", {}), "Problem": problem}
            _without_the_usual_refusal(whole)
        return app.openapi_schema or {}

    app.openapi = document  # type: ignore[method-assign]


def _without_the_usual_refusal(whole: dict[str, Any]) -> None:
    """FastAPI's own shape of a refusal is never sent from here."""
    for name in ("HTTPValidationError", "ValidationError"):
        whole["components"]["schemas"].pop(name, None)
