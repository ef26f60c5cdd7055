"""Who may do what: one table and one function. What the table does not allow is refused.

Nobody but its owner reads a reflection: there is no role, the admin's included, for which the table says otherwise, and
no key that would let it. Therapists see their own dyads alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from attunement.vault.whom import REFUSED

__all__ = ["ADDRESSED", "ALLOWED", "CLIENT", "REFUSED", "SCOPES", "Role", "Scope", "Verb", "Who", "permits"]


class Role(StrEnum):
    """What an account is for; one account may have several."""

    THERAPIST = "therapist"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Verb(StrEnum):
    """Everything that can be asked of a practice; each is one entry in one journal."""

    FOUND = "found"
    SIGN_IN = "sign in"
    ADD_ACCOUNT = "add account"
    END_ACCOUNT = "end account"
    SEE_ACCOUNTS = "see accounts"
    CHANGE_PASSPHRASE = "change passphrase"  # noqa: S105 - a verb
    ADD_FACTOR = "add second factor"
    REMOVE_FACTOR = "remove second factor"
    SEE_FACTORS = "see second factors"
    USE_FACTOR = "use second factor"
    ADD_TOKEN = "add token"  # noqa: S105 - a verb
    USE_TOKEN = "use token"  # noqa: S105 - a verb
    REMOVE_TOKEN = "remove token"  # noqa: S105 - a verb
    SEE_TOKENS = "see tokens"
    ROTATE_KEYS = "rotate keys"
    TAKE_ON = "take on"
    END_DYAD = "end dyad"
    RESUME_DYAD = "resume dyad"
    SEE_AGENDA = "see agenda"
    SEE_CLIENTS = "see clients"
    LOG_SESSION = "log session"
    CHANGE_SESSION = "change session"
    SEE_SESSIONS = "see sessions"
    LOG_CONTACT = "log contact"
    SEE_CONTACTS = "see contacts"
    GIVE_CONSENT = "give consent"
    WITHDRAW_CONSENT = "withdraw consent"
    SEE_CONSENTS = "see consents"
    INVITE = "invite"
    WITHDRAW_INVITATION = "withdraw invitation"
    SEE_INVITATION = "see invitation"
    RECEIVE = "receive"
    LINK_DROP_BOX = "link drop box"
    OPEN_SLOTS = "open slots"
    FETCH_DROPS = "fetch drops"
    SHOW_CURVE = "show own curve"
    SEE_OWN_CURVE = "see own curve"
    TAKE_IN = "take in ratings"
    LOAD_INSTRUMENT = "load instrument"
    RETIRE_INSTRUMENT = "retire instrument"
    SEE_INSTRUMENTS = "see instruments"
    LOAD_NORM = "load norm"
    RETIRE_NORM = "retire norm"
    SEE_NORMS = "see norms"
    SIGN_OUT = "sign out own sums"
    SEE_SIGNED = "see own sums signed out"
    TAKE_BACK_SIGNED = "take back own sums"
    PUBLISH_NORM = "publish norm"
    SEE_POOLED = "see pooled sums"
    SEE_CHECK_INS = "see check-ins"
    SEE_TRAJECTORIES = "see trajectories"
    CHOOSE_STEP = "choose step"
    CLOSE_STEP = "close step"
    REOPEN_STEP = "reopen step"
    DROP_STEP = "drop step"
    SEE_STEPS = "see steps"
    RAISE_CONCERN = "raise concern"
    CLOSE_CONCERN = "close concern"
    SEE_CONCERNS = "see concerns"
    SET_PROTOCOL = "set protocol"
    SEE_PROTOCOL = "see protocol"
    UNLOCK = "unlock reflections"
    REFLECT = "reflect"
    SEE_REFLECTIONS = "see reflections"
    DESTROY_REFLECTION = "destroy reflection"
    SEE_FINGERPRINT = "see fingerprint"
    PIN = "pin key"
    SHARE = "share reflection"
    SHARE_REPORT = "share report"
    TAKE_OUT_REPORT = "take out report"
    SEE_COLLEAGUES = "see colleagues"
    SEE_SHARES = "see shares"
    OPEN_SHARE = "open share"
    OPEN_REPORT = "open report"
    REVOKE = "revoke share"
    OFFER = "offer handover"
    SEE_HANDOVERS = "see handovers"
    ACCEPT = "accept handover"
    DECLINE = "decline handover"
    WITHDRAW_HANDOVER = "withdraw handover"
    HAND_ON = "hand on clients"
    SEE_MET_BEFORE = "see course before"
    IDENTIFY = "identify"
    SEE_IDENTITY = "see identity"
    HOLD = "hold"
    RELEASE = "release hold"
    ERASE = "erase client"
    EXPORT = "export client"
    DEIDENTIFY = "de-identify"
    SEE_JOURNAL = "see journal"
    VERIFY = "verify journal"
    BACK_UP = "back up"
    UPGRADE = "upgrade"
    MOVE = "move"
    SEE_DUE = "see what is due"
    SET_EMAIL = "set e-mail address"
    SEE_EMAIL = "see e-mail address"
    REMIND = "remind"


class Scope(StrEnum):
    """What a token can be for; whoever has it may do nothing else, whatever its account may."""

    CLIENTS_READ = "clients:read"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    CHECK_INS_READ = "check-ins:read"
    CHECK_INS_WRITE = "check-ins:write"
    STEPS_READ = "steps:read"
    FINDINGS_READ = "findings:read"
    EXPORTS_READ = "exports:read"


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks.

    Parameters
    ----------
    code
        The account; ``client`` for one who comes by an invitation.
    roles
        What the account is for; none for a client.
    scopes
        Of the token by which a program came; None for whoever came by a passphrase.
    token
        The id of that token.
    """

    code: str
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] | None = None
    token: str = ""

    @property
    def signs(self) -> str:
        """How the journal names them: what a program did is told from what its owner did."""
        return f"{self.code} by token {self.token[:8]}" if self.token else self.code


CLIENT: Final = Who("client")
"""One who comes by an invitation: no account, no role; the token is all they have."""

_THERAPIST = frozenset({Role.THERAPIST})
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_BOTH = _THERAPIST | _SUPERVISOR
_ADMIN = frozenset({Role.ADMIN})
_ALL = frozenset(Role)
_ANYONE: frozenset[Role] = frozenset()

ALLOWED: Final[dict[Verb, frozenset[Role]]] = {
    Verb.SIGN_IN: _ALL,
    Verb.CHANGE_PASSPHRASE: _ALL,
    Verb.SEE_ACCOUNTS: _ALL,
    Verb.ADD_ACCOUNT: _ADMIN,
    Verb.END_ACCOUNT: _ADMIN,
    Verb.HAND_ON: _ADMIN,
    Verb.ROTATE_KEYS: _ADMIN,
    Verb.SEE_JOURNAL: _ADMIN,
    Verb.VERIFY: _ALL,
    Verb.BACK_UP: _ADMIN,
    Verb.UPGRADE: _ADMIN,
    Verb.MOVE: _ADMIN,
    Verb.ADD_FACTOR: _ALL,
    Verb.REMOVE_FACTOR: _ALL,
    Verb.SEE_FACTORS: _ALL,
    Verb.USE_FACTOR: _ALL,
    Verb.ADD_TOKEN: _THERAPIST,
    Verb.REMOVE_TOKEN: _THERAPIST,
    Verb.SEE_TOKENS: _THERAPIST,
    Verb.USE_TOKEN: _ANYONE,
    Verb.SEE_DUE: _ALL,
    Verb.SET_EMAIL: _ALL,
    Verb.SEE_EMAIL: _ALL,
    Verb.REMIND: _ALL,
    Verb.SET_PROTOCOL: _ADMIN,
    Verb.LINK_DROP_BOX: _ADMIN,
    Verb.SEE_PROTOCOL: _ANYONE,
    Verb.SEE_OWN_CURVE: _ANYONE,
    Verb.SEE_INVITATION: _ANYONE,
    Verb.RECEIVE: _ANYONE,
    Verb.UNLOCK: _BOTH,
    Verb.PIN: _BOTH,
    Verb.SEE_FINGERPRINT: _BOTH,
    Verb.SEE_SHARES: _BOTH,
    Verb.SEE_COLLEAGUES: _BOTH,
    Verb.LOAD_INSTRUMENT: _THERAPIST | _ADMIN,
    Verb.RETIRE_INSTRUMENT: _THERAPIST | _ADMIN,
    Verb.SEE_INSTRUMENTS: _ALL,
    Verb.LOAD_NORM: _THERAPIST | _ADMIN,
    Verb.RETIRE_NORM: _THERAPIST | _ADMIN,
    Verb.SEE_NORMS: _ALL,
    Verb.SIGN_OUT: _THERAPIST,
    Verb.SEE_SIGNED: _THERAPIST,
    Verb.TAKE_BACK_SIGNED: _THERAPIST,
    Verb.PUBLISH_NORM: _ADMIN,
    Verb.SEE_POOLED: _ADMIN,
    Verb.OPEN_SHARE: _SUPERVISOR,
    Verb.OPEN_REPORT: _SUPERVISOR,
    **dict.fromkeys(
        (
            Verb.TAKE_ON, Verb.END_DYAD, Verb.RESUME_DYAD, Verb.SEE_AGENDA, Verb.SEE_CLIENTS,
            Verb.LOG_SESSION, Verb.CHANGE_SESSION, Verb.SEE_SESSIONS, Verb.WITHDRAW_INVITATION,
            Verb.OPEN_SLOTS, Verb.FETCH_DROPS,
            Verb.SHOW_CURVE, Verb.TAKE_IN, Verb.RAISE_CONCERN, Verb.CLOSE_CONCERN, Verb.SEE_CONCERNS,
            Verb.LOG_CONTACT, Verb.SEE_CONTACTS, Verb.GIVE_CONSENT, Verb.WITHDRAW_CONSENT,
            Verb.SEE_CONSENTS, Verb.INVITE, Verb.SEE_CHECK_INS, Verb.SEE_TRAJECTORIES,
            Verb.CHOOSE_STEP, Verb.CLOSE_STEP, Verb.REOPEN_STEP, Verb.DROP_STEP, Verb.SEE_STEPS,
            Verb.REFLECT, Verb.SEE_REFLECTIONS, Verb.DESTROY_REFLECTION, Verb.SHARE, Verb.SHARE_REPORT,
            Verb.TAKE_OUT_REPORT, Verb.REVOKE, Verb.IDENTIFY, Verb.SEE_IDENTITY,
            Verb.OFFER, Verb.SEE_HANDOVERS, Verb.ACCEPT, Verb.DECLINE, Verb.WITHDRAW_HANDOVER,
            Verb.SEE_MET_BEFORE,
            Verb.HOLD, Verb.RELEASE, Verb.ERASE, Verb.EXPORT, Verb.DEIDENTIFY,
        ),
        _THERAPIST,
    ),
}  # fmt: skip
"""Which roles a verb is for; a verb that is not here is nobody's. An empty set is for whoever holds a token."""

SCOPES: Final[dict[Scope, frozenset[Verb]]] = {
    Scope.CLIENTS_READ: frozenset({Verb.SEE_CLIENTS}),
    Scope.SESSIONS_READ: frozenset({Verb.SEE_SESSIONS}),
    Scope.SESSIONS_WRITE: frozenset({Verb.LOG_SESSION, Verb.CHANGE_SESSION}),
    Scope.CHECK_INS_READ: frozenset({Verb.SEE_CHECK_INS, Verb.SEE_TRAJECTORIES}),
    Scope.CHECK_INS_WRITE: frozenset({Verb.INVITE}),
    Scope.STEPS_READ: frozenset({Verb.SEE_STEPS}),
    Scope.FINDINGS_READ: frozenset({Verb.SEE_TRAJECTORIES}),
    Scope.EXPORTS_READ: frozenset({Verb.EXPORT, Verb.DEIDENTIFY, Verb.SEE_INSTRUMENTS}),
}
"""What each scope of a token opens. Reflections, supervision, identity, keys, accounts, tokens, second steps,
holds and erasing have none: no token reaches them."""

ADDRESSED: Final = frozenset({Verb.OPEN_SHARE, Verb.OPEN_REPORT, Verb.ACCEPT, Verb.DECLINE})
"""Verbs on what somebody else owns and has addressed to one; all other verbs are on one's own alone."""


def permits(who: Who, verb: Verb, *, owner: str | None = None, addressed_to: str | None = None) -> bool:
    """Whether somebody may do something, to something of somebody's.

    Parameters
    ----------
    who, verb
        Who asks, and for what.
    owner
        Whose the thing is, where there is a thing.
    addressed_to
        To whom its owner has addressed it.
    """
    if verb not in ALLOWED:
        return False
    if who.scopes is not None and not any(verb in SCOPES[scope] for scope in who.scopes):
        return False
    roles = ALLOWED[verb]
    if roles and not (roles & who.roles):
        return False
    if owner is None:
        return True
    if verb in ADDRESSED:
        return addressed_to == who.code
    return owner == who.code
