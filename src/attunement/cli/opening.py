"""What the commands that keep a practice share: which practice, by whom, and how they speak."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from attunement.cli.secrets import PASSPHRASE, secret
from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.practice import Practice

HOME = Path.home() / "attunement"
SWITCH = Parameter(negative="")
Folder = Annotated[Path, Parameter(name="--practice", env_var="ATTUNEMENT_PRACTICE")]
Me = Annotated[str, Parameter(name="--account", env_var="ATTUNEMENT_ACCOUNT")]
Credentials = Literal[
    "psychologist", "psychiatrist", "nurse", "social-worker", "counselor", "family-therapist",
    "masters-psychology", "in-training", "other",
]  # fmt: skip


@contextlib.contextmanager
def opened(folder: Path, me: str) -> Iterator[Practice]:
    """Open a practice with the passphrase, and say what its clock says."""
    from attunement.practice import Practice

    me = account_of(folder, me)
    with Practice.open(folder, me, secret(PASSPHRASE, f"Passphrase of {me}")) as practice:
        if practice.house.clock.notice:
            sys.stderr.write(f"attunement: {practice.house.clock.notice}\n")
        yield practice


def account_of(folder: Path, me: str) -> str:
    """The account that was named, or the only one."""
    from attunement.vault.keyfile import KeyFile

    accounts = list(KeyFile.load(folder).accounts)
    if not me and len(accounts) > 1:
        raise InputError(
            "Several accounts can open this practice; --account or ATTUNEMENT_ACCOUNT says which."
        )
    return me or accounts[0]


def database_named() -> str:
    """The address of the database that the environment names."""
    from attunement.vault.store import VARIABLE

    address = os.environ.get(VARIABLE, "")
    if not address:
        raise InputError(f"{VARIABLE} names no database; postgresql://USER:PASSWORD@HOST/DATABASE is meant.")
    return address


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(line + "\n")
