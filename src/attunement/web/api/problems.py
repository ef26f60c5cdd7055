"""One sentence where something is refused, as RFC 9457 has it; never what was sent, and never a place in the code."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from attunement.errors import AttunementError, Locked, Refused, VaultProblem, WrongKey
from attunement.practice.policy import REFUSED
from attunement.web.shield import note_failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

KIND: Final = "application/problem+json"
SAID: Final = {
    400: "That could not be read.",
    401: "This needs a token: send it as Authorization: Bearer att_…",
    403: "This was not sent by a program, so nothing was done.",
    404: REFUSED,
    405: "This can be asked in another way only; the document at /api/v1/openapi.json says how.",
    406: "None of the kinds of answer that you take is made here.",
    413: "That is more than is taken here.",
    415: "A body is JSON here: send it as Content-Type: application/json.",
    421: "This server does not go by that name.",
    422: "That could not be taken; nothing was done.",
    429: "Too many tokens that are not known here came from this address. Please wait an hour.",
    500: "Something went wrong inside, and nothing was half-done. Please try again.",
    503: "The practice cannot answer right now. Please try again a little later; nothing was taken.",
}
_NEEDED: Final = "is needed"
_FIELDS: Final[dict[str, str]] = {
    "missing": _NEEDED,
    "extra_forbidden": "holds a field that is not asked for here",
    "bool_type": "is true or false",
    "int_type": "is a whole number",
    "int_parsing": "is a whole number",
    "int_from_float": "is a whole number",
    "float_type": "is a number",
    "string_type": "is a text",
    "string_too_short": "has at least {min_length} characters",
    "string_too_long": "has at most {max_length} characters",
    "string_pattern_mismatch": "is not written as it should be",
    "greater_than_equal": "is at least {ge:g}",
    "less_than_equal": "is at most {le:g}",
    "literal_error": "is one of {expected}",
    "enum": "is one of {expected}",
    "dict_type": "is an object",
    "model_type": "is an object",
    "model_attributes_type": "is an object",
    "value_error": "{error}",
}


def problem(
    status: int,
    said: str = "",
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Make a refusal: its status, and one sentence."""
    held: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": said or SAID.get(status, "That was refused."),
    }
    if errors:
        held["errors"] = list(errors)
    return JSONResponse(held, status, media_type=KIND, headers=dict(headers or {}))


def add_to(app: FastAPI) -> None:
    """Turn whatever goes wrong into one sentence."""
    from fastapi.exceptions import (  # noqa: PLC0415 - the pages do without
        RequestValidationError,
        ResponseValidationError,
    )
    from starlette.exceptions import HTTPException  # noqa: PLC0415 - see above

    app.add_exception_handler(RequestValidationError, _not_taken)  # type: ignore[arg-type]
    app.add_exception_handler(ResponseValidationError, _failed)
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    app.add_exception_handler(AttunementError, _ours)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _failed)


def _ours(_: Request, no: AttunementError) -> JSONResponse:
    if isinstance(no, Refused):
        return problem(404)
    if isinstance(no, WrongKey):
        return problem(401, str(no), headers={"www-authenticate": 'Bearer error="invalid_token"'})
    if isinstance(no, Locked):
        return problem(409, str(no))
    if isinstance(no, VaultProblem):
        return problem(503, str(no), headers={"retry-after": "30"})
    return problem(422, str(no))


def _http(_: Request, no: HTTPException) -> JSONResponse:
    said = str(no.detail) if no.detail != HTTPStatus(no.status_code).phrase else ""
    return problem(no.status_code, said, headers=no.headers)


def _failed(_: Request, failure: Exception) -> JSONResponse:
    note_failure(failure)
    return problem(500)


def _not_taken(_: Request, no: RequestValidationError) -> JSONResponse:
    errors = [_error(each) for each in no.errors()]
    first = errors[0]
    said = f"{first['field']} {first['detail']}; nothing was done."
    return problem(422, said[0].upper() + said[1:], errors=errors)


def _error(found: Mapping[str, Any]) -> dict[str, str]:
    """Name the field and what it holds; a name that we did not give is not repeated."""
    where = [str(part) for part in found["loc"]]
    if found["type"] == "extra_forbidden":
        where = where[:1]
    elif len(where) > 1:
        where = where[1:]
    told = _FIELDS.get(found["type"], "cannot be taken")
    return {"field": ".".join(where[:4]), "detail": told.format(**(found.get("ctx") or {}))}
