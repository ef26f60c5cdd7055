"""The practice as its admin sees it, who never sees content; and whether all is well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from attunement.concerns import LONGEST_PROTOCOL
from attunement.errors import InputError, Refused
from attunement.practice.policy import Role
from attunement.sessions import Credential
from attunement.vault.recovery import RecoveryCode
from attunement.web.statics import static

if TYPE_CHECKING:
    from attunement.web.page import Ask

YEAR: Final = "public, max-age=31536000, immutable"


def health(ask: Ask) -> Response:  # noqa: ARG001 - as every way
    """Say that the program runs."""
    return JSONResponse({"status": "ok"})


def ready(ask: Ask) -> Response:
    """Say whether clients' answers can be taken now."""
    is_open = ask.rooms.door.is_open
    return JSONResponse({"status": "ready" if is_open else "closed"}, 200 if is_open else 503)


def static_file(ask: Ask) -> Response:
    """Return a style, a script or the mark."""
    try:
        content, kind = static(ask.request.path_params["name"])
    except KeyError:
        raise Refused("no such file") from None
    return Response(content, media_type=kind, headers={"cache-control": YEAR})


def practice(ask: Ask) -> Response:
    """Show accounts and the protocol."""
    return _shown(ask)


def set_protocol(ask: Ask) -> Response:
    """Set what the practice does where somebody's safety is in question."""
    form = ask.form.know("help_en", "help_es", "number", "steps")
    before = ask.rooms.door.protocol()
    texts = {
        name: form.words(name, most=LONGEST_PROTOCOL).strip() for name in ("help_en", "help_es", "steps")
    }
    ask.practice.set_protocol(replace(before, number=form.text("number", most=30), **texts))
    ask.rooms.door.forget_protocol()
    return ask.go("/practice", "The protocol is changed; the one before stays in the record.")


def add_account(ask: Ask) -> Response:
    """Let somebody else in: their passphrase is typed by them, their recovery code is shown once."""
    form = ask.form.know("account", "name", "credential", "role", "passphrase", "again")
    if form.secret("passphrase") != form.secret("again"):
        raise InputError("The two passphrases are not the same; nobody was let in.")
    role = Role(form.choice("role", *(each.value for each in Role), called="The role"))
    credential = Credential(
        form.choice("credential", *(each.value for each in Credential), called="Credential")
    )
    code = RecoveryCode.fresh()
    added = ask.practice.add_account(
        form.text("account", most=32, least=1, called="The account"), form.secret("passphrase"), code,
        roles=frozenset({role}), name=form.text("name", most=200), credential=credential, cost=ask.rooms.door.cost,
    )  # fmt: skip
    return ask.page("account_added.html", account=added, code=str(code))


def end_account(ask: Ask) -> Response:
    """Let somebody in no more."""
    ask.form.know()
    account = ask.request.path_params["account"]
    ask.practice.end_account(account)
    ask.rooms.visits.end_all(account)
    said = f"{account} can no longer sign in. `attunement rotate-keys` makes what they could open useless to them."
    return ask.go("/practice" if account != ask.signed_in.account else "/sign-in", said)


def _shown(ask: Ask) -> Response:
    return ask.page(
        "practice.html", accounts=ask.practice.accounts(), protocol=ask.rooms.door.protocol(), roles=Role,
        credentials=Credential, longest=LONGEST_PROTOCOL,
        due=[each for each in ask.practice.due() if each.kind == "backup"],
    )  # fmt: skip
