"""The second step at the door: a code by time (RFC 6238), or a passkey (WebAuthn)."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pyotp

from attunement.errors import InputError

if TYPE_CHECKING:
    from attunement.practice import Factor
    from attunement.web.page import Ask
    from attunement.web.visits import Visit

STEP: Final = 30
"""Seconds that a code is shown."""
NAME: Final = "Attunement"
_LONGEST: Final = 20_000  # characters of what a passkey answers


def seconds() -> float:
    """The computer's time, by which codes are made."""
    return time.time()


def challenge() -> str:
    """Return what a passkey is to sign, once."""
    return as_text(secrets.token_bytes(32))


def new_secret() -> str:
    """Return a new secret for codes by time, as an app takes it."""
    return pyotp.random_base32()


def address(secret: str, account: str) -> str:
    """Return what the QR says to an app."""
    return pyotp.TOTP(secret, name=account, issuer=NAME).provisioning_uri()


def step_of(secret: str, code: str, now: float | None = None) -> int | None:
    """Return the step of time that a code belongs to, the present one or a neighbour; None where it is of none.

    >>> secret = "JBSWY3DPEHPK3PXP" * 2
    >>> step_of(secret, pyotp.TOTP(secret).at(60), 61.0)
    2
    """
    typed = "".join(sign for sign in code if sign in "0123456789")
    here = int((seconds() if now is None else now) // STEP)
    app = pyotp.TOTP(secret)
    for step in (here, here - 1, here + 1):
        if secrets.compare_digest(app.at(step * STEP), typed):
            return step
    return None


def taken(ask: Ask, visit: Visit) -> bool:
    """Whether the second step was taken: a code that was not used before, or a passkey's signature."""
    found = visit.practice.factors()
    answer = ask.form.secret("passkey")
    if answer:
        return _signed(ask, visit, [each for each in found if each.kind == "passkey"], answer)
    typed = ask.form.text("code", most=20)
    for each in found:
        if each.kind == "code":
            step = step_of(each.secret.decode(), typed)
            if step is not None:
                return visit.practice.use_factor(each.id, step)
    return False


def registered(ask: Ask, answer: str) -> tuple[bytes, bytes]:
    """Return a new passkey's public key and id.

    Raises
    ------
    InputError
        Where it is not the answer to this visit's challenge, from this page.
    """
    from webauthn import verify_registration_response  # noqa: PLC0415 - a tenth of a second, for passkeys alone

    host, origin = here(ask)
    try:
        found = verify_registration_response(
            credential=_read(answer),
            expected_challenge=_bytes(ask.signed_in.kept.pop("challenge", "")),
            expected_rp_id=host,
            expected_origin=origin,
        )
    except Exception:  # noqa: BLE001 - the library raises many kinds; none of them is a user's to read
        raise InputError("The passkey could not be added; please try again.") from None
    return found.credential_public_key, found.credential_id


def _signed(ask: Ask, visit: Visit, keys: list[Factor], answer: str) -> bool:
    from webauthn import verify_authentication_response  # noqa: PLC0415 - see above

    host, origin = here(ask)
    expected = _bytes(visit.kept.pop("challenge", ""))
    try:
        read = _read(answer)
        named = _bytes(str(read.get("rawId", "")))
        key = next(each for each in keys if each.credential == named)
        found = verify_authentication_response(
            credential=read,
            expected_challenge=expected,
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=key.secret,
            credential_current_sign_count=key.used,
        )
    except Exception:  # noqa: BLE001 - see above
        return False
    return visit.practice.use_factor(key.id, found.new_sign_count)


def here(ask: Ask) -> tuple[str, str]:
    """The name and the origin by which this browser asks."""
    return urlsplit(ask.origin).hostname or "", ask.origin


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > _LONGEST:
        raise InputError("The passkey's answer is too long.")
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError):
        raise InputError("The passkey's answer could not be read.") from None
    if not isinstance(read, dict):
        raise InputError("The passkey's answer could not be read.")
    return read


def as_text(content: bytes) -> str:
    """Write bytes as a browser's script reads them."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
