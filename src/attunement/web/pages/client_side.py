"""The client's side: a minute on a phone, by a link that works once. No account, no cookie, nothing kept there."""

from __future__ import annotations

import secrets
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse

from attunement.errors import Gone
from attunement.instruments import catalogue
from attunement.practice import Tried
from attunement.web.asking import answers_of, points_of, said_of_step
from attunement.web.curve import curve
from attunement.web.page import drawn, points
from attunement.web.rooms import from_where
from attunement.web.words import language_of, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from attunement.instruments import Instrument
    from attunement.instruments.description import Language
    from attunement.web.forms import Form
    from attunement.web.limits import Name
    from attunement.web.page import Ask
    from attunement.web.rooms import Rooms

CLEAR: Final = {"clear-site-data": '"cache", "storage"'}
"""Nothing of what was answered stays in the browser: not in its cache, nor behind its back button."""
_SAID: Final = {
    400: "wrong",
    404: "gone",
    405: "wrong",
    413: "wrong",
    415: "wrong",
    429: "often",
    503: "closed",
}


def _heard(handler: Callable[[Ask], Response]) -> Callable[[Ask], Response]:
    """Hear nobody who has tried too many links that never were; one that was made is always heard."""

    @wraps(handler)
    def hear(ask: Ask) -> Response:
        rooms, tried = ask.rooms, ("token", "", from_where(ask))
        suspected = rooms.tokens.remembers(tried)
        if suspected and _was_never_made(ask):
            return handler(ask) if _counted(rooms, tried) else refusal(rooms, 429, ask)
        try:
            return handler(ask)
        except Gone:  # a link of somebody who was never wrong before is looked up once
            if not suspected and _was_never_made(ask):
                _counted(rooms, tried)
            raise

    return hear


def _counted(rooms: Rooms, tried: Name) -> bool:
    """Count a link that never was; whether one more may be tried."""
    rooms.wrong_tokens += 1
    return rooms.tokens.may_try(tried)


def _was_never_made(ask: Ask) -> bool:
    return not ask.rooms.door.client().knows(ask.request.path_params["token"])


@_heard
def check_in(ask: Ask) -> Response:
    """Show what is asked. Looking uses nothing up: mail scanners open links too."""
    asked = ask.rooms.door.client().invitation(ask.request.path_params["token"])
    return _asked(ask, asked.instrument, step=asked.step, key=secrets.token_urlsafe(16))


@_heard
def send(ask: Ask) -> Response:
    """Take the answers, once; the same sending again gives the same page."""
    token, door = ask.request.path_params["token"], ask.rooms.door
    asked = _described(ask, token)
    key = ask.form.text("key", least=8, most=100)
    kiosk = ask.form.ticked("kiosk")
    answers, tried = _answers(ask.form, asked)
    received = door.client().receive(token, answers, key, tried)
    if received.at_risk or received.curve:
        shown: dict[str, Any] = {"token": token, "key": key, "kiosk": kiosk, "at_risk": received.at_risk}
        response = _drawn(ask, "thanks.html", curve=received.curve, instrument=asked.id, **shown)
    else:
        response = RedirectResponse(f"/thanks?lang={_language(ask)}{'&kiosk=yes' * kiosk}", 303)
    response.headers.update(CLEAR)
    return response


def thanks(ask: Ask) -> Response:
    """Say thank you, the same to everybody."""
    kiosk = ask.query("kiosk") == "yes"
    response = _drawn(ask, "thanks.html", curve=False, at_risk=False, token="", key="", kiosk=kiosk)
    response.headers.update(CLEAR)
    return response


def leave(ask: Ask) -> Response:
    """Show a page that says nothing: somebody came in."""
    response = _drawn(ask, "left.html")
    response.headers.update(CLEAR)
    return response


@_heard
def own_curve(ask: Ask) -> Response:
    """Show the client's own answers over time, in plain words, if the therapist lets them."""
    form = ask.form.know("key", "lang", "kiosk", "instrument")
    token = ask.request.path_params["token"]
    rated = ask.rooms.door.client().own_curve(token, form.text("key", least=8, most=100))
    asked = _described(ask, token)
    (low, high), each_session = asked.bounds(asked.main), asked.how_often != "each month"
    response = _drawn(
        ask, "own_curve.html", rated=rated, sentence=_told(rated, high, _language(ask)), low=low, high=high,
        drawn=curve(rated, low, high, each_session=each_session), kiosk=form.ticked("kiosk"),
    )  # fmt: skip
    response.headers.update(CLEAR)
    return response


def refusal(rooms: Rooms, status: int, ask: Ask | None) -> Response:
    """One sentence in the client's language, with the help that every page of theirs has."""
    name = _SAID.get(status, "inside")
    return drawn(
        "client_refused.html", status, rooms=rooms, language=_language(ask), say=say, said=name,
        protocol=rooms.door.protocol(), other="",
    )  # fmt: skip


_OURS: Final = {each.id: each for each in catalogue()}


def _asked(ask: Ask, asked: Instrument, **values: Any) -> Response:  # noqa: ANN401 - values of a template
    kiosk, language = ask.query("kiosk") == "yes", _language(ask)
    spoken = language if language in asked.languages else asked.languages[0]
    return _drawn(
        ask, "check_in.html", spoken=spoken, asked=asked, points_of=points_of, kiosk=kiosk, **values
    )


def _described(ask: Ask, token: str) -> Instrument:
    """Return what was asked: one of ours by its name in the form, any other as the link has it."""
    named = (
        ask.form.optional("instrument", *_OURS)
        if ask.form.fields.get("instrument", ("",))[0] in _OURS
        else None
    )
    return _OURS[named] if named else ask.rooms.door.client().asked(token)


def _drawn(ask: Ask, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - see above
    language = _language(ask)
    return drawn(
        template, status, rooms=ask.rooms, language=language, say=say, protocol=ask.rooms.door.protocol(),
        other="en" if language == "es" else "es", **values,
    )  # fmt: skip


def _language(ask: Ask | None) -> Language:
    if ask is None:
        return "en"
    sent = ask.form.fields.get("lang", ("",))[0] if ask.form.fields else ""
    return language_of(sent or ask.query("lang", 2), ask.request.headers.get("accept-language", ""))


def _answers(form: Form, asked: Instrument) -> tuple[dict[str, float | None], Tried]:
    talked, helped = said_of_step(form)
    return answers_of(form, asked), Tried(talked, helped)  # type: ignore[arg-type]


def _told(rated: tuple[tuple[int, float], ...], high: float, language: Language) -> str:
    """Say one's own course in a sentence."""
    values = [value for _, value in rated]
    if not values:
        return say("curve_none", language)
    told = {"first": values[0], "last": values[-1], "least": min(values), "most": max(values), "high": high}
    name = "curve_said" if len(values) > 1 else "curve_few"
    return say(name, language).format(**{of: points(value) for of, value in told.items()})
