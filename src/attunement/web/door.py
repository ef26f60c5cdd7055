"""The door: whether there is a practice, whether it is open, and who may come in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from attunement.concerns import Protocol
from attunement.errors import Locked, WrongKey
from attunement.practice import Practice
from attunement.vault.keyfile import NAME, KeyFile

if TYPE_CHECKING:
    from pathlib import Path

    from attunement.sessions import Credential
    from attunement.vault.locks import Cost
    from attunement.vault.recovery import RecoveryCode

CLOSED: Final = "The practice is not open yet. Please try again a little later; nothing you typed was taken."


class Door:
    """One practice folder, as the rooms stand before it.

    The first who signs in opens it; it stays open, so that clients' answers are taken, until the program ends or it is
    closed. Nothing but memory holds a key.

    Parameters
    ----------
    folder
        The practice's folder; empty before the first run.
    cost
        Of guessing a passphrase, for accounts that are made here; a test gives the least.
    """

    def __init__(self, folder: Path, cost: Cost | None = None) -> None:
        self.folder, self.cost = folder, cost
        self._practice: Practice | None = None
        self._guard = threading.Lock()
        self._protocol: Protocol | None = None
        self._signed_in: dict[str, Practice] = {}

    @property
    def signed_in(self) -> tuple[Practice, ...]:
        """The practice as each account stands before it that has signed in since it was opened."""
        with self._guard:
            return tuple(self._signed_in.values())

    @property
    def founded(self) -> bool:
        """Whether there is a practice at all."""
        return (self.folder / NAME).exists()

    @property
    def is_open(self) -> bool:
        """Whether somebody has opened it."""
        return self._practice is not None

    @property
    def unlocked(self) -> bool:
        """Whether anybody's reflections are open now."""
        opened = self._practice
        return opened is not None and any(each.unlocked for each in [*opened.house.reflections.values()])

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that can open it."""
        return tuple(KeyFile.load(self.folder).accounts) if self.founded else ()

    def found(
        self, account: str, passphrase: str, recovery: RecoveryCode, name: str, credential: Credential
    ) -> Practice:
        """Make the practice, once its founder has shown to have the recovery code."""
        with self._guard:
            practice = Practice.found(
                self.folder, account, passphrase, recovery, name=name, credential=credential, cost=self.cost
            )
            self._practice = self._signed_in[account] = practice
            return practice

    def sign_in(self, account: str, passphrase: str) -> Practice:
        """Let somebody in; the first one opens the practice.

        Raises
        ------
        WrongKey
            Alike where there is no such account and where the passphrase is not right.
        """
        with self._guard:
            if self._practice is None:
                if account not in self.accounts:
                    raise WrongKey("There is no such account, or the passphrase is not right.")
                self._practice = Practice.open(self.folder, account, passphrase)
                self._signed_in[account] = self._practice
                return self._practice
            opened = self._practice
        came = opened.sign_in(account, passphrase)
        with self._guard:
            self._signed_in[account] = came
        return came

    def take_over(self, practice: Practice) -> None:
        """Begin with a practice that is open already, as whoever made it."""
        self._practice = practice

    def client(self) -> Practice:
        """Stand before the practice as one who has nothing but a token.

        Raises
        ------
        Locked
            While nobody has opened it.
        """
        opened = self._practice
        if opened is None:
            raise Locked(CLOSED)
        return opened.for_client()

    def protocol(self) -> Protocol:
        """The help that every page for clients shows; the usual one while the practice is not open."""
        if self._protocol is None:
            if not self.is_open:
                return Protocol()
            self._protocol = self.client().protocol()
        return self._protocol

    def forget_protocol(self) -> None:
        """Read it anew: it has been changed."""
        self._protocol = None

    def close(self) -> None:
        """Close everything, for everyone."""
        with self._guard:
            if self._practice is not None:
                self._practice.close()
            self._practice, self._protocol = None, None
            self._signed_in.clear()
