"""A reflection: ninety seconds by keyboard alone, sealed as it is typed, locked when nobody types."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse, Response

from attunement.errors import AttunementError, InputError, Locked, Refused, WrongKey
from attunement.instruments import instrument
from attunement.practice.unlocked import IDLE
from attunement.sessions import FEELINGS, LONGEST_WORDS, PULLS, STRAINS, WHOSE, Reflection
from attunement.web.rooms import inside

if TYPE_CHECKING:
    from attunement.sessions import Reflected, Session
    from attunement.web.forms import Form
    from attunement.web.page import Ask

TAGS: Final = {
    "origin": "what of my own it touched",
    "trigger": "what set it off",
    "manifestation": "how it showed: a thought, the body, a word",
    "management": "what I did with it",
}
"""Of Hayes's model."""
_LONGEST_TAG: Final = 120


def reflection(ask: Ask) -> Response:
    """Ask for a reflection, or for the passphrase first."""
    session = _session(ask)
    if not ask.signed_in.unlocked:
        return _locked(ask, session)
    written = _written(ask)
    return _shown(ask, session, written.reflection if written else Reflection(finished=False), written)


def write(ask: Ask) -> Response:
    """Seal what was written. While they are locked, what was typed comes back with the question for the passphrase."""
    session = _session(ask)
    phrase = ask.form.secret("passphrase")
    if phrase and not unlocked_with(ask, phrase):
        return _carried(ask, session, "That is not the passphrase; what you typed is still below.", 401)
    if not ask.signed_in.unlocked:
        return _carried(ask, session, "", 401)
    try:
        made = _made(ask)
        if not ask.form.ticked("finished"):
            made = replace(made, finished=False)
        ask.practice.reflect(ask.code, ask.number, made)
    except Locked:
        return _carried(ask, session, "", 401)
    except InputError as problem:
        return _carried(ask, session, str(problem), 400)
    if not made.finished:
        return ask.go(ask.request.url.path, "Kept, sealed to you; go on when you like.")
    return ask.go(f"/clients/{ask.code}", f"Your reflection on session {ask.number} is sealed to you.")


def draft(ask: Ask) -> Response:
    """Seal what is being typed, without a page: 204 where it was kept, 401 where they are locked."""
    _session(ask)
    if not ask.signed_in.unlocked:
        return Response(status_code=401)
    try:
        before = _written(ask)
        finished = before is not None and before.reflection.finished
        ask.practice.reflect(ask.code, ask.number, replace(_made(ask), finished=finished))
    except Locked:
        return Response(status_code=401)
    except InputError:
        return Response(status_code=400)  # half a number: the next one will do
    return Response(status_code=204)


def unlock(ask: Ask) -> Response:
    """Unlock one's own reflections in this browser, for as long as something is done with them."""
    form = ask.form.know("passphrase", "then")
    then = inside(form.text("then", most=300))
    if not unlocked_with(ask, form.secret("passphrase")):
        return ask.page("unlock.html", 401, then=then, wrong=True, idle=IDLE)
    return RedirectResponse(then, 303)


def lock(ask: Ask) -> Response:
    """Lock one's own reflections now."""
    ask.practice.lock()
    return ask.go("/", "Your reflections are locked.")


def unlocked_with(ask: Ask, phrase: str) -> bool:
    """Unlock one's own reflections here; whether the passphrase was right."""
    name = ("reflections", ask.signed_in.account, "")
    if not ask.rooms.guesses.may_try(name):
        raise InputError("That was wrong too often. Please wait an hour; what is sealed stays sealed.")
    try:
        ask.signed_in.unlock(phrase)
    except WrongKey:
        return False
    ask.rooms.guesses.right(name)
    return True


def _session(ask: Ask) -> Session:
    """The session, if it is one's own and there."""
    for each in ask.practice.sessions(ask.code):
        if each.number == ask.number:
            return each
    raise Refused("no such session")


def _written(ask: Ask) -> Reflected | None:
    found = ask.practice.reflections(ask.code)
    return next((each for each in found if each.session == ask.number), None)


def _shown(
    ask: Ask, session: Session, made: Reflection, written: Reflected | None, said: str = "", status: int = 200
) -> Response:
    return ask.page(
        "reflection.html", status, session=session, typed=_as_typed(made), written=written, said=said,
        locked=not ask.signed_in.unlocked, **_asked(),
    )  # fmt: skip


def _locked(ask: Ask, session: Session) -> Response:
    return ask.page("unlock.html", then=ask.request.url.path, wrong=False, idle=IDLE, session=session)


def _carried(ask: Ask, session: Session, said: str, status: int) -> Response:
    """The page as it was typed; nothing of it is kept here."""
    typed = {name: values for name, values in ask.form.fields.items() if name != "passphrase"}
    return ask.page(
        "reflection.html", status, session=session, typed=typed, written=None, said=said,
        locked=not ask.signed_in.unlocked, **_asked(),
    )  # fmt: skip


def _asked() -> dict[str, Any]:
    return {
        "items": instrument("connection").items, "feelings": FEELINGS, "pulls": PULLS, "whose": WHOSE,
        "strains": STRAINS, "tags": TAGS, "longest": LONGEST_WORDS, "idle": IDLE,
    }  # fmt: skip


def _names() -> tuple[str, ...]:
    feelings = tuple(f"f-{word}" for pair in FEELINGS for word in pair)
    guesses = tuple(f"g-{item.id}" for item in instrument("connection").items)
    tags = tuple(f"t-{name}" for name in TAGS)
    rest = ("account", "connection", "pull", "whose", "strain", "my_day", "words", "finished", "passphrase")
    return (*rest, *feelings, *guesses, *tags)


def _made(ask: Ask) -> Reflection:
    form = ask.form.know(*_names())
    guess = {item.id: _ten(form, f"g-{item.id}", item.wording.en) for item in instrument("connection").items}
    felt = {word: _ten(form, f"f-{word}", word) for pair in FEELINGS for word in pair}
    whose = form.optional("whose", *WHOSE)
    tags = ((name, form.text(f"t-{name}", most=_LONGEST_TAG)) for name in TAGS)
    try:
        return Reflection(
            connection=_ten(form, "connection", "Connection today"),
            guess={item: value for item, value in guess.items() if value is not None},
            feelings={word: value for word, value in felt.items() if value is not None},
            pull=form.several("pull", *PULLS),
            whose=next((each for each in WHOSE if each == whose), None),
            strain=form.several("strain", *STRAINS),
            tags=tuple(f"{name}: {text}" for name, text in tags if text),
            my_day=_ten(form, "my_day", "My day"),
            words=form.words("words", most=LONGEST_WORDS),
            after_seeing=(ask.code, ask.number) in ask.signed_in.shown,
        )
    except AttunementError as problem:
        raise InputError(str(problem)) from None


def _ten(form: Form, name: str, called: str) -> float | None:
    return form.number(name, low=0, high=10, called=called)


def _as_typed(made: Reflection) -> dict[str, tuple[str, ...]]:
    """Turn what is kept into the fields of the form."""
    numbers = {"connection": made.connection, "my_day": made.my_day}
    numbers |= {f"g-{item}": value for item, value in made.guess.items()}
    numbers |= {f"f-{word}": value for word, value in made.feelings.items()}
    typed: dict[str, tuple[str, ...]] = {
        name: (f"{value:g}",) for name, value in numbers.items() if value is not None
    }
    typed |= {"pull": made.pull, "strain": made.strain, "words": (made.words,)}
    if made.whose:
        typed["whose"] = (made.whose,)
    for tag in made.tags:
        name, _, text = tag.partition(": ")
        typed[f"t-{name}"] = (text,)
    return typed
