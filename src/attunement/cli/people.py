"""The commands of who comes in: `init`, `account`, `passphrase`, `recover`, `rotate-keys`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import Annotated, Literal

from cyclopts import App, Parameter

from attunement.cli.opening import (
    HOME,
    SWITCH,
    Credentials,
    Folder,
    Me,
    account_of,
    database_named,
    opened,
    say,
)
from attunement.cli.secrets import (
    NEW_PASSPHRASE,
    PASSPHRASE,
    new_passphrase,
    new_recovery_code,
    recovery_code,
    secret,
)


def add_to(app: App) -> None:
    """Give the command line these commands."""
    for command in (init, passphrase, recover, account):
        app.command(command)
    app.command(rotate_keys, name="rotate-keys")
    app.command(end_account, name="end-account")
    app.command(hand_on, name="hand-on")


def init(
    *,
    folder: Folder = HOME,
    me: Annotated[str, Parameter(name="--account")] = "T-1",
    credential: Credentials = "other",
    name: str = "",
    recovery_file: Path | None = None,
    in_database: Annotated[bool, SWITCH] = False,
) -> None:
    """Make a new practice in an empty folder, with encrypted vaults and an account that may do everything.

    Asks for a passphrase twice, shows the recovery code once, and has it typed back.

    Parameters
    ----------
    folder
        Where.
    me
        The code of the account, such as T-1.
    credential
        The licence in the United States; "psychologist" means a doctoral degree there.
    name
        As the practice shows it.
    recovery_file
        Write the recovery code to this new file instead of showing it.
    in_database
        Keep the vaults in the PostgreSQL of ATTUNEMENT_DATABASE_URL; `keys.json` alone is in the folder.
    """
    from attunement.practice import Practice
    from attunement.practice.house import reached, refuse_used
    from attunement.sessions import Credential

    refuse_used(folder)
    address = database_named() if in_database else None
    if address:
        reached(address).release()  # before a passphrase is thought of
    phrase = new_passphrase()
    code = new_recovery_code(recovery_file)
    licence = Credential[credential.upper().replace("-", "_")]
    with Practice.found(
        folder, me, phrase, code, credential=licence, name=name, database=address
    ) as practice:
        say(f"There is a practice in {folder} now. Its journal begins at {practice.tip}.")


def account(
    code: str,
    /,
    *,
    role: Literal["therapist", "supervisor", "admin"],
    credential: Credentials = "other",
    name: str = "",
    folder: Folder = HOME,
    me: Me = "",
    recovery_file: Path | None = None,
) -> None:
    """Let somebody else in: they type a passphrase of their own, and get a recovery code of their own.

    Parameters
    ----------
    code
        Their account, such as S-1.
    role
        What the account is for.
    credential
        Their licence in the United States.
    name
        As the practice shows it.
    folder
        The practice.
    me
        Your own account, an admin's; the only one, if there is one.
    recovery_file
        Write their recovery code to this new file instead of showing it.
    """
    from attunement.practice import Role
    from attunement.sessions import Credential

    with opened(folder, me) as practice:
        theirs = new_passphrase(NEW_PASSPHRASE)
        licence = Credential[credential.upper().replace("-", "_")]
        recovery = new_recovery_code(recovery_file)
        practice.add_account(
            code, theirs, recovery, roles=frozenset({Role(role)}), name=name, credential=licence
        )
    say(f"{code} can sign in now.")


def end_account(code: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Let somebody in no more; what they wrote stays, sealed to them. Then rotate the keys.

    Parameters
    ----------
    code
        Their account.
    folder
        The practice.
    me
        Your own account, an admin's; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.end_account(code)
    say(f"{code} can no longer sign in. `attunement rotate-keys` makes what they could open useless to them.")


def hand_on(therapist: str, to: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Offer the clients of a therapist who has left to another, for good; you learn nothing of any client.

    Parameters
    ----------
    therapist
        The account that has ended.
    to
        The account of the other therapist, who accepts each client or declines.
    folder
        The practice.
    me
        Your own account, an admin's; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        offered = practice.hand_on(therapist, to)
    say(
        f"{offered} client{'' if offered == 1 else 's'} of {therapist} offered to {to}, who finds them under Handovers."
    )


def passphrase(*, folder: Folder = HOME, me: Me = "") -> None:
    """Change your passphrase.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.practice import Practice

    me = account_of(folder, me)
    old = secret(PASSPHRASE, f"Passphrase of {me}")
    with Practice.open(folder, me, old) as practice:
        practice.change_passphrase(old, new_passphrase(NEW_PASSPHRASE))
    say("Your passphrase is changed. Backups made before still open by the old one.")


def recover(*, folder: Folder = HOME, me: Me = "") -> None:
    """Set a new passphrase by the recovery code.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.practice import Practice

    code = recovery_code()
    with Practice.open_with_code(folder, account_of(folder, me), code) as practice:
        practice.reset_passphrase(code, new_passphrase(NEW_PASSPHRASE))
    say("Your passphrase is changed.")


def rotate_keys(*, folder: Folder = HOME, me: Me = "", recovery_file: Path | None = None) -> None:
    """Write every vault that you can open anew, under new keys and with a new recovery code.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    recovery_file
        Write the new recovery code to this new file instead of showing it.
    """
    from attunement.practice import Practice

    me = account_of(folder, me)
    phrase = secret(PASSPHRASE, f"Passphrase of {me}")
    with Practice.open(folder, me, phrase) as practice:
        practice.rotate_keys(phrase, new_recovery_code(recovery_file))
    say("All keys are new. The old recovery code opens nothing any more, but backups made before.")
