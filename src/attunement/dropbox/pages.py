"""A client's page, drawn by the practice's own templates: whoever answers cannot tell the two apart."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from attunement.concerns import Protocol
from attunement.web.asking import points_of
from attunement.web.statics import environment, static_url
from attunement.web.words import language_of, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from starlette.requests import Request

    from attunement.instruments import Instrument
    from attunement.instruments.description import Language
    from attunement.web.forms import Form

CLEAR: Final = {"clear-site-data": '"cache", "storage"'}
"""Nothing of what was answered stays in the browser."""
_SAID: Final = {404: "gone", 429: "often", 500: "inside", 503: "inside"}


def language_in(request: Request, form: Form | None = None) -> Language:
    """Return the language that was asked for, or that the browser prefers."""
    sent = form.fields.get("lang", ("",))[0] if form else ""
    asked = sent or request.query_params.get("lang", "")[:2]
    return language_of(asked, request.headers.get("accept-language", ""))


def check_in(asked: Instrument, language: Language, told: Mapping[str, str], *, step: bool) -> Response:
    """Ask."""
    spoken = language if language in asked.languages else asked.languages[0]
    return _drawn(
        "check_in.html", 200, language, told, spoken=spoken, asked=asked, points_of=points_of, step=step,
        key=secrets.token_urlsafe(16), kiosk=False,
    )  # fmt: skip


def thanks(language: Language, told: Mapping[str, str], *, at_risk: bool) -> Response:
    """Say thank you; or, where an answer asks for it, where help is."""
    shown: dict[str, Any] = {"curve": False, "token": "", "key": "", "kiosk": False, "at_risk": at_risk}
    return _clear(_drawn("thanks.html", 200, language, told, **shown))


def left(language: Language, told: Mapping[str, str]) -> Response:
    """Show a page that says nothing: somebody came in."""
    return _clear(_drawn("left.html", 200, language, told))


def refusal(status: int, language: Language, told: Mapping[str, str]) -> Response:
    """One sentence, with the help that every page for a client has."""
    said = _SAID.get(status, "wrong")
    return _drawn("client_refused.html", status, language, told, said=said)


def _clear(response: Response) -> Response:
    response.headers.update(CLEAR)
    return response


def _drawn(
    template: str,
    status: int,
    language: Language,
    told: Mapping[str, str],
    **values: Any,  # noqa: ANN401 - of a template
) -> Response:
    other = "en" if language == "es" else "es"
    content = (
        _environment()
        .get_template(template)
        .render(language=language, other=other, say=say, protocol=Protocol(**told), **values)
    )
    return Response(content, status, media_type="text/html")


@cache
def _environment() -> Environment:
    made = environment()
    made.globals["static_url"] = static_url
    return made
