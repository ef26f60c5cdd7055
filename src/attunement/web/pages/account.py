"""One's own account: the passphrase, the second step, where one is signed in, and programs that may ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attunement.errors import InputError, Refused, WrongKey
from attunement.practice.policy import Role, Scope
from attunement.practice.tokens import LONGEST
from attunement.web import factors
from attunement.web.api.app import OPENS
from attunement.web.page import qr

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.web.page import Ask


def account(ask: Ask) -> Response:
    """Show it."""
    return _shown(ask)


def change_passphrase(ask: Ask) -> Response:
    """Change one's own passphrase; every other browser is signed out."""
    form = ask.form.know("old", "new", "again")
    if form.secret("new") != form.secret("again"):
        return _shown(ask, "The two new passphrases are not the same; nothing was changed.", 400)
    try:
        ask.practice.change_passphrase(form.secret("old"), form.secret("new"), cost=ask.rooms.door.cost)
    except WrongKey as problem:
        return _shown(ask, str(problem), 400)
    ask.rooms.visits.end_all(ask.signed_in.account, but=ask.signed_in)
    ask.cookie = ask.rooms.visits.renew(ask.signed_in)
    return ask.go("/account", "Your passphrase is changed; every other browser was signed out.")


def set_email(ask: Ask) -> Response:
    """Set to which address one's own reminders go."""
    before = ask.practice.email()
    address = ask.form.know("email").text("email", most=254, called="The e-mail address")
    ask.practice.set_email(address)
    said = "Reminders go there from now on." if address else "Reminders go nowhere now."
    return ask.go("/account", said, undo=("/account/email", {"email": before}))


def offer_code(ask: Ask) -> Response:
    """Show a secret for an app that makes codes; it is asked for once before it counts."""
    _refuse_wrong(ask)
    secret = factors.new_secret()
    ask.signed_in.kept["secret"] = secret
    return _code_page(ask, secret, "")


def add_code(ask: Ask) -> Response:
    """Ask for a code at every sign-in from now on."""
    secret = ask.signed_in.kept.get("secret")
    form = ask.form.know("code", "name")
    if not isinstance(secret, str):
        return ask.go("/account", "Please begin again.")
    step = factors.step_of(secret, form.text("code", most=20))
    if step is None:
        return _code_page(ask, secret, "That is not the code that the app shows now.", 400)
    ask.practice.add_factor("code", form.text("name", most=60) or "An app", secret.encode(), used=step)
    ask.signed_in.kept.pop("secret", None)
    return ask.go("/account", "From the next sign-in on, a code is asked for too.")


def offer_passkey(ask: Ask) -> Response:
    """Let the browser make a passkey; this needs its script, and nothing else here does."""
    _refuse_wrong(ask)
    ask.signed_in.kept["challenge"] = factors.challenge()
    host, _ = factors.here(ask)
    options = {"challenge": ask.signed_in.kept["challenge"], "host": host, "account": ask.signed_in.account}
    return ask.page("passkey.html", options=json.dumps(options))


def add_passkey(ask: Ask) -> Response:
    """Ask for this passkey at every sign-in from now on."""
    form = ask.form.know("passkey", "name")
    key, named = factors.registered(ask, form.secret("passkey"))
    ask.practice.add_factor("passkey", form.text("name", most=60) or "A passkey", key, named)
    return ask.go("/account", "From the next sign-in on, this passkey is asked for too.")


def remove_factor(ask: Ask) -> Response:
    """Ask for it no longer."""
    _refuse_wrong(ask)
    ask.practice.remove_factor(ask.request.path_params["factor"])
    return ask.go("/account", "It is asked for no longer.")


def end_visit(ask: Ask) -> Response:
    """Sign another browser out."""
    ask.form.know()
    mine = {each.id: each for each in ask.rooms.visits.all_of(ask.signed_in.account)}
    other = mine.get(ask.request.path_params["visit"])
    if other is None:
        raise Refused("no such visit")
    ask.rooms.visits.end(other)
    return ask.go("/account" if other is not ask.signed_in else "/sign-in", "That browser is signed out.")


def add_token(ask: Ask) -> Response:
    """Let a program ask; its token is shown once."""
    _refuse_wrong(ask, "name", "scopes", "days")
    form = ask.form
    name = form.text("name", most=60, least=1, called="The name")
    scopes = form.several("scopes", *(each.value for each in Scope))
    days = form.number("days", low=1, high=LONGEST, called="The days")
    if not scopes:
        raise InputError("Please tick at least one thing that the program may ask; nothing was made.")
    if days is None or days != int(days):
        raise InputError(f"The days are a whole number from 1 to {LONGEST}; nothing was made.")
    given = ask.practice.add_token(name, scopes, int(days))
    address = ask.rooms.url or ask.origin
    return ask.page("token.html", token=given.token, secret=given.secret, opens=OPENS, address=address)


def remove_token(ask: Ask) -> Response:
    """Let the program in no more."""
    ask.form.know()
    ask.practice.remove_token(ask.request.path_params["token"])
    return ask.go("/account", "That program is let in no more.")


def _refuse_wrong(ask: Ask, *others: str) -> None:
    """What changes who can come in asks for the passphrase once more."""
    name = ("again", ask.signed_in.account, "")
    if not ask.rooms.guesses.may_try(name):
        raise InputError("That was wrong too often. Please wait an hour; nothing was changed.")
    try:
        ask.rooms.door.sign_in(
            ask.signed_in.account, ask.form.know("passphrase", *others).secret("passphrase")
        )
    except WrongKey:
        raise InputError("That is not your passphrase; nothing was changed.") from None
    ask.rooms.guesses.right(name)


def _shown(ask: Ask, said: str = "", status: int = 200) -> Response:
    visits = [
        (each, ask.rooms.visits.idle(each) / 60, each is ask.signed_in)
        for each in ask.rooms.visits.all_of(ask.signed_in.account)
    ]
    therapist = Role.THERAPIST in ask.signed_in.roles
    return ask.page(
        "account.html", status, said=said, factors=ask.practice.factors(), visits=visits, opens=OPENS, longest=LONGEST,
        tokens=ask.practice.tokens() if therapist else None, email=ask.practice.email(),
    )  # fmt: skip


def _code_page(ask: Ask, secret: str, said: str, status: int = 200) -> Response:
    address = factors.address(secret, ask.signed_in.account)
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return ask.page("second_code.html", status, said=said, qr=qr(address), secret=grouped)
