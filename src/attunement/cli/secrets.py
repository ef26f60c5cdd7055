"""Where a secret comes from: a prompt, the environment, or a file that the environment names. Never an argument.

What stands in an argument is seen by everybody on the machine, and stays in the shell's history.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attunement.errors import InputError, WrongKey

if TYPE_CHECKING:
    from attunement.vault.recovery import RecoveryCode

PASSPHRASE, NEW_PASSPHRASE = "ATTUNEMENT_PASSPHRASE", "ATTUNEMENT_NEW_PASSPHRASE"
RECOVERY_CODE = "ATTUNEMENT_RECOVERY_CODE"
_LONGEST = 4096  # bytes of a secret's file


def secret(name: str, prompt: str) -> str:
    """Return a secret.

    Parameters
    ----------
    name
        The variable of the environment; the same with ``_FILE`` names a file whose first line it is.
    prompt
        What is asked where neither is set.

    Raises
    ------
    InputError
        Where there is nobody to ask.
    """
    given = from_environment(name)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputError(f"There is nobody to ask for it; set {name} or {name}_FILE.")
    return getpass.getpass(f"{prompt}: ")


def from_environment(name: str) -> str | None:
    """Return what the environment gives, or None."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_bytes()[:_LONGEST].decode().splitlines()[0]
        except OSError as problem:
            raise InputError(f"{name}_FILE cannot be read: {problem.strerror}.") from None
        except (UnicodeDecodeError, IndexError):
            raise InputError(f"{name}_FILE holds no line of text.") from None
    return os.environ.get(name)


def new_passphrase(name: str = PASSPHRASE) -> str:
    """Ask for a passphrase twice, so that a typing error locks nobody out."""
    given = from_environment(name)
    if given is not None:
        return given
    first = secret(name, "A passphrase (four or five unrelated words)")
    if getpass.getpass("The same again: ") != first:
        raise InputError("The two are not the same; nothing was changed.")
    return first


def new_recovery_code(file: Path | None) -> RecoveryCode:
    """Make a recovery code, show it once, and have it typed back; or write it to a file where nobody sits there."""
    from attunement.vault.recovery import RecoveryCode

    code = RecoveryCode.fresh()
    if file is not None:
        _write_code(file, code)
        return code
    if not sys.stdin.isatty():
        raise InputError(
            "There is nobody to show the recovery code to; --recovery-file FILE writes it to a file."
        )
    sys.stdout.write(
        "\nYour recovery code, shown this once. Write it on paper; whoever has it can open everything, and without it\n"
        f"a forgotten passphrase cannot be helped by anybody:\n\n    {code}\n\n"
    )
    while not _typed_back(code):
        sys.stdout.write("That is not it; please compare letter by letter.\n")
    sys.stdout.write("\033[3J\033[H\033[2J")  # not in the window's memory either
    return code


def _typed_back(code: RecoveryCode) -> bool:
    with contextlib.suppress(WrongKey):
        return type(code).read(input("Type it back, to be sure: ")) == code
    return False


def recovery_code() -> RecoveryCode:
    """Ask for a recovery code that somebody has."""
    from attunement.vault.recovery import RecoveryCode

    return RecoveryCode.read(secret(RECOVERY_CODE, "Recovery code"))


def _write_code(file: Path, code: RecoveryCode) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{file} is there already; name another file.") from None
    except OSError as problem:
        raise InputError(f"{file} cannot be written: {problem.strerror}.") from None
    with os.fdopen(handle, "w") as opened:
        opened.write(f"{code}\n")
