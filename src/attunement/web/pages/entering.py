"""Coming in: the first run, signing in, the second step, the lock screen."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from attunement.errors import AttunementError, InputError, Refused, WrongKey
from attunement.practice.policy import Role
from attunement.sessions import Credential, Purpose, code
from attunement.vault.locks import refuse_weak
from attunement.vault.recovery import RecoveryCode
from attunement.web import factors
from attunement.web.rooms import from_where, inside, kept, refused, second_step

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.practice import Practice
    from attunement.web.page import Ask
    from attunement.web.visits import Visit

HOME: Final = {Role.THERAPIST: "/today", Role.SUPERVISOR: "/shared", Role.ADMIN: "/practice"}


def start(ask: Ask) -> Response:
    """Go where one belongs."""
    if not ask.rooms.door.founded:
        return ask.plain("no_practice.html")
    if ask.visit is None:
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse(_home(ask.visit), 303)


# -- the first run


def begin(ask: Ask) -> Response:
    """Ask for a passphrase, a name and a credential."""
    _refuse_stranger(ask)
    return ask.plain("begin.html", said="", typed={}, credentials=Credential, once=ask.rooms.begin)


def begin_with(ask: Ask) -> Response:
    """Show the recovery code, once; it is typed back on the same page."""
    _refuse_stranger(ask)
    form = ask.form.know("account", "name", "credential", "passphrase", "again")
    typed = {name: form.secret(name) for name in ("account", "name", "credential")}
    try:
        account = code(form.text("account", most=40, least=1, called="The account"), "account")
        phrase = form.secret("passphrase")
        refuse_weak(phrase, account, typed["name"])
        if phrase != form.secret("again"):
            raise InputError("The two passphrases are not the same.")
        credential = Credential(
            form.choice("credential", *(each.value for each in Credential), called="Credential")
        )
    except AttunementError as problem:
        shown = {"typed": typed, "credentials": Credential, "once": ask.rooms.begin}
        return ask.plain("begin.html", 400, said=str(problem), **shown)
    recovery = RecoveryCode.fresh()
    founder = {"account": account, "name": form.text("name", most=200), "credential": credential}
    ask.rooms.founding = {**founder, "passphrase": phrase, "code": recovery}
    return ask.plain("recovery.html", said="", code=str(recovery), once=ask.rooms.begin)


def confirm(ask: Ask) -> Response:
    """Found the practice, once the recovery code was typed back."""
    _refuse_stranger(ask)
    founding = ask.rooms.founding
    recovery = founding.get("code")
    if not isinstance(recovery, RecoveryCode):
        return RedirectResponse(f"/begin/{ask.rooms.begin}", 303)
    try:
        right = RecoveryCode.read(ask.form.know("code").text("code", most=100)) == recovery
        said = "" if right else "That is another code; please compare letter by letter."
    except WrongKey as problem:
        right, said = False, str(problem)
    if not right:
        return ask.plain("recovery.html", 400, said=said, code=str(recovery), once=ask.rooms.begin)
    practice = ask.rooms.door.found(
        str(founding["account"]), str(founding["passphrase"]), recovery, str(founding["name"]),
        Credential(founding["credential"]),
    )  # fmt: skip
    ask.rooms.founding, ask.rooms.begin = {}, ""
    _let_in(ask, practice, half=False)
    return RedirectResponse("/first-clients", 303)


def first_clients(ask: Ask) -> Response:
    """Ask for the first clients, as codes."""
    return ask.page("first_clients.html", said="", typed="")


def take_on_first(ask: Ask) -> Response:
    """Take on several clients at once, a code a line."""
    form = ask.form.know("codes", "agreed")
    typed = form.words("codes", most=5_000)
    agreed = (Purpose.CHECK_INS,) if form.ticked("agreed") else ()
    there = {each.client.code for each in ask.practice.clients()}
    codes = [line.strip() for line in typed.split("\n") if line.strip()]
    taken = 0
    for line in dict.fromkeys(codes):
        if line in there:
            continue
        try:
            ask.practice.take_on(line, agreed=agreed)
        except InputError as problem:
            said = f"{problem} {taken} taken on so far; this line was not: {line[:40]}"
            return ask.page("first_clients.html", 400, said=said, typed=typed)
        taken += 1
    return ask.go("/caseload", f"{taken} client{'s' * (taken != 1)} taken on.")


def _refuse_stranger(ask: Ask) -> None:
    """The first run is for whoever started the program: they alone have seen the word in the address."""
    word = ask.request.path_params["word"]
    if (
        ask.rooms.door.founded
        or not ask.rooms.begin
        or not hmac.compare_digest(word.encode(), ask.rooms.begin.encode())
    ):
        raise Refused("no first run")


# -- signing in


def sign_in(ask: Ask) -> Response:
    """Ask who comes."""
    if not ask.rooms.door.founded:
        return RedirectResponse("/", 303)
    accounts = ask.rooms.door.accounts
    account = accounts[0] if len(accounts) == 1 else ""
    return ask.plain("sign_in.html", said="", account=account, **kept(ask, "/"))


def sign_in_with(ask: Ask) -> Response:
    """Let somebody in who knows the passphrase."""
    form, rooms = ask.form, ask.rooms
    account, then = form.text("account", most=32), inside(form.text("then", most=300))
    carried = _carried(ask)
    known = account in rooms.door.accounts
    guess = ("sign in", account, from_where(ask)) if known else ("nobody", "", from_where(ask))
    if not rooms.guesses.may_try(guess):
        return refused(rooms, 429, client=False)
    try:
        practice = rooms.door.sign_in(account, form.secret("passphrase"))
    except (WrongKey, Refused):
        said = "There is no such account, or the passphrase is not right."
        return ask.plain("sign_in.html", 401, said=said, account=account, then=then, carried=carried)
    rooms.guesses.right(guess)
    if ask.visit is not None:
        rooms.visits.end(ask.visit)
    visit = _let_in(ask, practice, half=bool(practice.factors()))
    if visit.half:
        visit.kept["challenge"] = factors.challenge()
        shown = {**second_step(ask, visit), "then": then, "carried": carried}
        return ask.plain("second_step.html", **shown)
    return _go_on(ask, visit, then, carried)


def take_second_step(ask: Ask) -> Response:
    """Let somebody in who has the second step too."""
    visit = ask.visit
    if visit is None or not visit.half:
        return RedirectResponse("/sign-in", 303)
    then, carried = inside(ask.form.text("then", most=300)), _carried(ask)
    account = visit.account
    guess = ("second", account, "")
    if not ask.rooms.guesses.may_try(guess):
        return refused(ask.rooms, 429, client=False)
    if not factors.taken(ask, visit):
        visit.kept["challenge"] = factors.challenge()
        said = "That was not right. A code works once, and for half a minute."
        shown = {**second_step(ask, visit, said), "then": then, "carried": carried}
        return ask.plain("second_step.html", 401, **shown)
    ask.rooms.guesses.right(guess)
    visit.half = False
    visit.kept.pop("challenge", None)
    return _renewed(ask, visit, then, carried)


def unlock(ask: Ask) -> Response:
    """Open the lock screen by the passphrase; what was typed goes on."""
    visit = ask.visit
    if visit is None:
        return RedirectResponse("/sign-in", 303)
    then, carried = inside(ask.form.text("then", most=300)), _carried(ask)
    if visit.locked:
        guess = ("unlock", visit.account, visit.id)
        if not ask.rooms.guesses.may_try(guess):
            return refused(ask.rooms, 429, client=False)
        try:
            visit.practice = ask.rooms.door.sign_in(visit.account, ask.form.secret("passphrase"))
        except (WrongKey, Refused):
            shown = {"account": visit.account, "then": then, "carried": carried}
            return ask.plain("locked.html", 401, said="That is not the passphrase.", **shown)
        ask.rooms.guesses.right(guess)
        visit.locked = False
        return _renewed(ask, visit, then, carried)
    return _go_on(ask, visit, then, carried)


def lock(ask: Ask) -> Response:
    """Lock this browser now."""
    ask.rooms.visits.lock(ask.signed_in)
    return RedirectResponse("/", 303)


def sign_out(ask: Ask) -> Response:
    """End this visit."""
    if ask.visit is not None:
        ask.rooms.visits.end(ask.visit)
    response = RedirectResponse("/sign-in", 303)
    response.headers["clear-site-data"] = '"cache", "cookies", "storage"'
    return response


def _let_in(ask: Ask, practice: Practice, *, half: bool) -> Visit:
    agent = ask.request.headers.get("user-agent", "")
    ask.cookie, visit = ask.rooms.visits.begin(practice, _browser(agent), half=half)
    ask.visit = visit
    if Role.THERAPIST in practice.who.roles:
        ask.rooms.working.begin(practice)
    return visit


def _renewed(ask: Ask, visit: Visit, then: str, carried: list[tuple[str, str]]) -> Response:
    """Go on with a new token; a visit that was ended meanwhile, as by another passphrase, does not come back."""
    ask.cookie = ask.rooms.visits.renew(visit)
    if ask.cookie is None:
        return RedirectResponse("/sign-in", 303)
    return _go_on(ask, visit, then, carried)


def _go_on(ask: Ask, visit: Visit, then: str, carried: list[tuple[str, str]]) -> Response:
    """Go where one wanted; with what was typed, it is shown that it is still there, and sent by a button."""
    if carried:
        return ask.plain("go_on.html", then=then, carried=carried)
    return RedirectResponse(_home(visit) if then in {"", "/"} else then, 303)


def _home(visit: Visit) -> str:
    return next((path for role, path in HOME.items() if role in visit.practice.who.roles), "/account")


def _carried(ask: Ask) -> list[tuple[str, str]]:
    """What was typed before the door came in between; its names carry a mark. Nothing for another than its owner."""
    owner = ask.form.fields.get("kept.account", ())
    if owner and owner != (ask.visit.account if ask.visit else ask.form.text("account", most=32),):
        return []
    return [
        (name.removeprefix("kept."), value)
        for name, values in ask.form.fields.items()
        if name.startswith("kept.")
        for value in values
    ]


def _browser(agent: str) -> str:
    """What to call a browser in the list of visits; no more than one recognises it by."""
    kinds = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    name = next((name for sign, name in kinds if sign in agent), "a browser")
    places = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "Mac"),
              ("Windows", "Windows"), ("Linux", "Linux"))  # fmt: skip
    place = next((place for sign, place in places if sign in agent), "")
    return f"{name} on {place}" if place else name
