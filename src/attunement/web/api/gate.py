"""What is looked at before a body is read: the token, the scope, the kind of body, and names nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from attunement.errors import AttunementError, Locked, WrongKey
from attunement.practice.tokens import PREFIX
from attunement.web.api.problems import problem
from attunement.web.api.strict import MOST, StrictRequest, keepable
from attunement.web.rooms import address_of
from attunement.web.shield import API

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request

    from attunement.practice import Practice, Scope
    from attunement.web.rooms import Rooms

_LONGEST: Final = 200  # characters of a token that is looked up
_OUT: Final = {"www-authenticate": "Bearer"}
_SENDS: Final = frozenset({"POST", "PATCH"})


class Gate(APIRoute):
    """A route that nobody passes without a token whose scopes open it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers: the gate, and behind it the endpoint."""
        inner, way = super().get_route_handler(), API + self.path_format
        scope: Scope | None = (self.openapi_extra or {}).get("x-scope")

        async def passed(request: Request) -> Response:
            request.scope["attunement.way"] = way
            rooms: Rooms = request.app.state.rooms
            secret = _bearer(request)
            if secret is None:
                return problem(401, headers=_OUT)
            came = await run_in_threadpool(_let_in, rooms, secret, address_of(request))
            if isinstance(came, Response):
                return came
            if scope is not None and scope not in (came.who.scopes or ()):
                return _without(scope)
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            asked = StrictRequest(request.scope, request.receive)
            asked.state.practice, asked.state.secret = came, secret
            return await inner(asked)

        return passed

    def _refusal(self, request: Request) -> Response | None:
        if not all(keepable(str(each)) for each in request.path_params.values()):
            return problem(404)
        return self._odd_query(request) or (_odd_body(request) if request.method in _SENDS else None)

    def _odd_query(self, request: Request) -> Response | None:
        known = {each.alias for each in self.dependant.query_params}
        names = [name for name, _ in request.query_params.multi_items()]
        if len(set(names)) != len(names) or not set(names) <= known:
            there = f"There is {', '.join(sorted(known))}, each once." if known else "There is none."
            return problem(422, f"The address asks by a name that is not known here. {there}")
        if any(not keepable(value) for value in request.query_params.values()):
            return problem(422, "The address holds a sign that cannot be taken.")
        return None


def _odd_body(request: Request) -> Response | None:
    """A body of another kind or size is not listened to."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        return problem(415)
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST:
        return problem(413, f"A body has at most {MOST:,} bytes.")
    return None


def _bearer(request: Request) -> str | None:
    """The token that was shown; a cookie is none."""
    shown = request.headers.getlist("authorization")
    kind, _, secret = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    return secret.strip() if kind.lower() == "bearer" and secret.strip() else None


def _let_in(rooms: Rooms, secret: str, address: str) -> Practice | Response:
    """Let a program in; whoever tries tokens that never were is slowed down, and one that is known is always heard."""
    try:
        opened = rooms.door.client()
    except Locked as closed:
        return problem(503, str(closed), headers={"retry-after": "30"})
    try:
        if len(secret) > _LONGEST or not secret.startswith(PREFIX) or not opened.knows_token(secret):
            rooms.wrong_tokens += 1
            if not rooms.tokens.may_try(("api token", "", address)):
                return problem(429, headers={"retry-after": "3600"})
        return opened.by_token(secret[:_LONGEST])
    except WrongKey as wrong:
        return problem(401, str(wrong), headers={"www-authenticate": 'Bearer error="invalid_token"'})
    except AttunementError as no:
        return problem(503, str(no), headers={"retry-after": "30"})


def _without(scope: Scope) -> Response:
    challenge = f'Bearer error="insufficient_scope", scope="{scope.value}"'
    said = f"This token has no scope {scope.value}; its owner can make another one."
    return problem(403, said, headers={"www-authenticate": challenge})
