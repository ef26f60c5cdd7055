"""In which role of a clinic's database a verb is done: beside the policy, and under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attunement.practice.policy import ALLOWED, Role, Verb
from attunement.vault.whom import KEEPER, Hand, Whom

if TYPE_CHECKING:
    from attunement.practice.policy import Who

KEPT: Final = frozenset(
    {
        *(Verb.VERIFY, Verb.BACK_UP, Verb.ROTATE_KEYS, Verb.OPEN_SLOTS),
        *(
            Verb.ERASE,
            Verb.SEE_HANDOVERS,
            Verb.ACCEPT,
            Verb.DECLINE,
            Verb.WITHDRAW_HANDOVER,
            Verb.HAND_ON,
            Verb.SEE_MET_BEFORE,
        ),
    }
)
"""Verbs about the whole house, or about what is two therapists': done as its keeper, once the policy allows."""
_ORDER: Final = (
    (Role.THERAPIST, Hand.THERAPIST),
    (Role.SUPERVISOR, Hand.SUPERVISOR),
    (Role.ADMIN, Hand.ADMIN),
)


def whom(who: Who, verb: Verb | None = None, token: bytes = b"") -> Whom:
    """Return on whose behalf something is done.

    Parameters
    ----------
    who, verb
        Who asks, and for what.
    token
        The hash of the token that they came with, where what is asked is what it leads to.
    """
    if token or not who.roles:
        return Whom(Hand.DOOR, token=token)
    if verb in KEPT:
        return KEEPER
    fit = who.roles & (ALLOWED.get(verb, frozenset()) if verb else who.roles) or who.roles
    return next(Whom(hand, who.code) for role, hand in _ORDER if role in fit)
