"""The commands about one client, and what leaves: `deidentify`, `hold`, `erase`."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import Annotated

from cyclopts import App  # noqa: TC002 - as above

from attunement.cli.opening import HOME, SWITCH, Folder, Me, account_of, opened, say
from attunement.cli.secrets import PASSPHRASE, secret
from attunement.errors import InputError


def add_to(app: App) -> None:
    """Give the command line these commands."""
    for command in (deidentify, erase, hold):
        app.command(command)
    app.command(release_hold, name="release-hold")


def deidentify(file: Path, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Write the sessions of clients who agreed to research, as a CSV that names nobody (Safe Harbor).

    Parameters
    ----------
    file
        A new file.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.practice.release import DEIDENTIFIED, as_csv, write_new

    with opened(folder, me) as practice:
        rows = practice.deidentify()
    write_new(file, as_csv(rows, DEIDENTIFIED).encode())
    say(
        f"Written: {file}. In a small practice a course can still be known again; share it under an agreement."
    )


def erase(
    client: str, /, *, yes: Annotated[bool, SWITCH] = False, folder: Folder = HOME, me: Me = ""
) -> None:
    """Erase a client: record, identity and reflections, for good.

    Parameters
    ----------
    client
        The code.
    yes
        Do not ask again.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.practice import Practice

    me = account_of(folder, me)
    phrase = secret(PASSPHRASE, f"Passphrase of {me}")
    if not yes and (
        not sys.stdin.isatty() or input(f"Type {client} again to erase this client for good: ") != client
    ):
        raise InputError("Nothing was erased; --yes does it without asking again.")
    with Practice.open(folder, me, phrase) as practice:
        practice.unlock(phrase)
        practice.erase(client)
    say("Erased. Backups made before still hold this client until they are thrown away.")


def hold(client: str, reason: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Keep a client's record from being erased, such as for a court.

    Parameters
    ----------
    client
        The code.
    reason
        Why.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.hold(client, reason)
    say(f"{client} is held: nothing of theirs can be erased.")


def release_hold(client: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Let a client's record be erased again.

    Parameters
    ----------
    client
        The code.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.release(client)
    say(f"{client} is no longer held.")
