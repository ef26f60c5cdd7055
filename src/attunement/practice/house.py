"""The house: a folder with `keys.json` and the vaults in it, opened by one process at a time."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, ParamSpec, TypeVar

from filelock import FileLock, Timeout

from attunement.errors import AttunementError, Damaged, InputError, InUse, NotStored, VaultProblem
from attunement.practice.leftovers import MAKING, forget_all, forget_leftovers
from attunement.practice.unlocked import Reflections
from attunement.vault.carrying import carry, remove
from attunement.vault.clock import Clock
from attunement.vault.keyfile import NAME, SHARED, KeyFile
from attunement.vault.naming import IN_DATABASE, generation, schema_of, suffix_of
from attunement.vault.places import replace_file
from attunement.vault.process import harden
from attunement.vault.store import IN_FORCE, NEWER, VARIABLE
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attunement.vault.account import Opened, Own
    from attunement.vault.database import Database
    from attunement.vault.locks import Cost
    from attunement.vault.recovery import RecoveryCode
    from attunement.vault.schema import Schema
    from attunement.vault.sealing import Key

Asked = ParamSpec("Asked")
Result = TypeVar("Result")
NO_DATABASE: Final = f"This practice is in a database: set {VARIABLE} to its address, and open it again."


def changing_keys(method: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """Let one at a time change `keys.json`, from reading it to writing it: two at once would undo each other."""

    @functools.wraps(method)
    def one_at_a_time(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        house: House = args[0].house  # type: ignore[attr-defined]
        with house.changing:
            return method(*args, **kwargs)

    return one_at_a_time


class House:
    """An opened practice folder: the shared vaults, and whoever's reflections are unlocked.

    Parameters
    ----------
    folder, keyfile, keys
        Where, and with what, it was opened.
    clock
        Tells the time to all vaults.
    lock
        Held as long as the house is open.
    create
        Whether the vaults are to be made.
    database
        Where the vaults are, of a clinic; held as long as the house is open.
    """

    def __init__(
        self,
        folder: Path,
        keyfile: KeyFile,
        keys: dict[str, Key],
        clock: Clock,
        lock: FileLock,
        *,
        create: bool = False,
        database: Database | None = None,
    ) -> None:
        self.folder, self.keyfile, self.keys, self.clock = folder, keyfile, keys, clock
        self.database = database
        self._lock = lock
        self.changing = threading.RLock()  # keys.json is read, changed and written by one at a time
        self._unlocking = threading.RLock()
        self.reflections: dict[str, Reflections] = {}
        self.counted: dict[
            str, tuple[str, str]
        ] = {}  # by account: of which version, and what was counted then
        self.closed = False
        self._open_shared(create=create)

    def _open_shared(self, *, create: bool = False) -> None:
        opened: dict[str, Vault] = {}
        try:
            for name in SHARED:
                place = self.place(self.keyfile.files[name])
                opened[name] = Vault(place, self.keys[name], name, self.clock, create=create)
        except BaseException:
            for vault in opened.values():
                vault.close()
            raise
        self.record, self.identity = opened["record"], opened["identity"]

    def place(self, file: str, owner: str = "", record: str = "") -> Path | Schema:
        """Return where a vault is that `keys.json` names; of reflections, whose they are."""
        if suffix_of(file) != IN_DATABASE:
            return self.folder / file
        if self.database is None:
            raise VaultProblem(NO_DATABASE)
        from attunement.vault.schema import Schema  # noqa: PLC0415 - psycopg is an extra

        return Schema(
            self.database, file, self.keyfile.install, owner, record or self.keyfile.files["record"]
        )

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Close all vaults for a while, so that nothing is written to files that are about to be replaced."""
        for account in list(self.reflections):
            self.lock(account)
        self.record.close()
        self.identity.close()
        try:
            yield
        finally:
            self._open_shared()

    @classmethod
    def open(cls, folder: Path, account: str, passphrase: str, clock: Clock | None = None) -> House:
        """Open a practice by somebody's passphrase."""
        return cls._opened(folder, lambda keyfile: keyfile.open_record(account, passphrase), clock)

    @classmethod
    def open_with_code(
        cls, folder: Path, account: str, code: RecoveryCode, clock: Clock | None = None
    ) -> House:
        """Open a practice by somebody's recovery code."""
        return cls._opened(folder, lambda keyfile: keyfile.open_record_with_code(account, code), clock)

    @classmethod
    def _opened(cls, folder: Path, opening: Callable[[KeyFile], Opened], clock: Clock | None) -> House:
        harden()
        with claimed(folder) as lock:
            keyfile = KeyFile.load(folder)
            keys = opening(keyfile).keys
            with held(keyfile) as database:
                house = cls(folder, keyfile, keys, clock or Clock(), lock, database=database)
                try:
                    house._mark_in_force()
                except BaseException:
                    house.close()
                    raise
            forget_leftovers(folder, keyfile, database)
            return house

    def unlock(self, account: str, passphrase: str) -> Reflections:
        """Unlock somebody's reflections."""
        return self._unlocked(account, self.keyfile.open_own(account, passphrase))

    def unlock_with_code(self, account: str, code: RecoveryCode) -> Reflections:
        """Unlock somebody's reflections by the recovery code."""
        return self._unlocked(account, self.keyfile.open_own_with_code(account, code))

    def _unlocked(self, account: str, own: Own) -> Reflections:
        """Open the file once: whoever unlocks what is open has shown the passphrase, and shares it."""
        with self.changing, self._unlocking:  # in this order, as everywhere
            opened = self.reflections.get(account)
            if opened is not None and opened.unlocked:
                return opened
            self.lock(account)
            if suffix_of(self._own_file(self.keyfile, account)) != self.keyfile.suffix:
                self.move_own(own, self.keyfile.suffix)
            vault = Vault(
                self.place(self._own_file(self.keyfile, account), account),
                own.file,
                "reflections",
                self.clock,
            )
            self.reflections[account] = Reflections(vault, own, self.clock)
            return self.reflections[account]

    def move_own(self, own: Own, suffix: str) -> None:
        """Carry somebody's reflections to where the record is: only their own key opens them.

        Where they were carried there before, by a program whose folder was lost since, they are found and not replaced.
        """
        before = self._own_file(self.keyfile, own.account)
        after = self.keyfile.moved_own(own, suffix, self.keys["record"])
        to = self.place(self._own_file(after, own.account), own.account)
        self.about_to_make(after)
        source = Vault(self.place(before, own.account), own.file, "reflections", self.clock)
        try:
            if not self._carried_before(source, to, own):
                carry(source, to, own.file, self.clock)
        finally:
            source.close()
        self.set_keys(after)
        remove(self.place(before, own.account))

    def _carried_before(self, source: Vault, to: Path | Schema, own: Own) -> bool:
        """Whether these reflections are in the database already, and have gone on there from what is here.

        Raises
        ------
        Damaged
            Where something is in force there that has not: nothing is replaced.
        """
        if self.database is None or isinstance(to, Path):
            return False
        family = schema_of(generation(to.file)[0] + IN_DATABASE)
        standing = self.database.schemas(self.keyfile.install)
        there = [
            name for name, how in standing.items() if how == IN_FORCE and name.rpartition("_")[0] == family
        ]
        if not there:
            return False
        if there != [to.name]:
            raise Damaged(NEWER)
        found = Vault(to, own.file, "reflections", self.clock)
        try:
            tip = source.tip
            led = [row for row in found.entries(after=tip.seq - 1)[:1] if row["mac"] == tip.mac]
        finally:
            found.close()
        if not led and tip.seq:
            raise Damaged(NEWER)
        return True

    def _own_file(self, keyfile: KeyFile, account: str) -> str:
        locks = keyfile.account(account).own
        assert locks is not None  # noqa: S101 - it has just been opened
        return locks.file

    def lock(self, account: str) -> None:
        """Lock somebody's reflections."""
        with self._unlocking:
            opened = self.reflections.pop(account, None)
            if opened is not None:
                opened.lock()

    def admits(self, account: str) -> bool:
        """Whether an account has not been ended since it signed in."""
        return account in self.keyfile.accounts and bool(self.keyfile.accounts[account].keys)

    def set_keys(self, keyfile: KeyFile) -> None:
        """Replace `keys.json`."""
        keyfile.save(self.folder)
        self.keyfile = keyfile
        (self.folder / MAKING).unlink(missing_ok=True)
        self._mark_in_force()

    def about_to_make(self, keyfile: KeyFile) -> None:
        """Write down which files are being made for another `keys.json`; until that is there they count for nothing."""
        files = [file for file in keyfile.named if suffix_of(file) != IN_DATABASE]
        new = sorted(set(files) - set(self.keyfile.named))
        replace_file(self.folder / MAKING, "\n".join(new).encode())

    def _mark_in_force(self) -> None:
        """Let the database know which schemas `keys.json` names: no others are ever in the way of a copy."""
        if self.database is None:
            return
        named = {schema_of(file) for file in self.keyfile.named if suffix_of(file) == IN_DATABASE}
        standing = self.database.schemas(self.keyfile.install)
        for name in sorted(named & {each for each, how in standing.items() if how != IN_FORCE}):
            self.database.mark(name, self.keyfile.install, IN_FORCE)

    def add_account(
        self, code: str, passphrase: str, recovery: RecoveryCode, *, own: bool, cost: Cost
    ) -> None:
        """Give somebody locks of their own, and reflections if they have any; the key file comes last."""
        keyfile = self.keyfile.with_account(code, passphrase, recovery, self.keys, own=own, cost=cost)
        locks = keyfile.account(code).own
        if locks:
            key = keyfile.open_own(code, passphrase).file
            Vault(self.place(locks.file, code), key, "reflections", self.clock, create=True).close()
        self.set_keys(keyfile)

    def close(self) -> None:
        """Close everything, and let another process open it."""
        if self.closed:
            return
        self.closed = True
        for account in list(self.reflections):
            self.lock(account)
        self.record.close()
        self.identity.close()
        self.keys = {}
        self.leave_database()
        self._lock.release()

    def leave_database(self) -> None:
        """Let another program have the database, where there is one."""
        if self.database is not None:
            self.database.release()
            self.database = None


def reached(address: str | None = None) -> Database:
    """Return the database that a clinic's vaults are in, looked at and held; by its address, or the environment's.

    Raises
    ------
    VaultProblem
        Where none is named, nothing is to be kept in it, or another program has it open.
    """
    from attunement.vault import database  # noqa: PLC0415 - psycopg is an extra

    found = database.Database(address or os.environ.get(VARIABLE, "") or _none_named())
    found.examine()
    found.hold()
    return found


@contextlib.contextmanager
def held(keyfile: KeyFile, address: str | None = None) -> Iterator[Database | None]:
    """Hold the database that a key file says the vaults are in, if they are in one; let go where something fails."""
    if not any(suffix_of(file) == IN_DATABASE for file in keyfile.named):
        yield None
        return
    found = reached(address)
    try:
        yield found
    except BaseException:
        found.release()
        raise


def _none_named() -> NoReturn:
    raise VaultProblem(NO_DATABASE)


def forget_unfinished(folder: Path, keyfile: KeyFile, address: str | None) -> None:
    """Remove the vaults of a practice whose keys were never written, after its house was closed."""
    with contextlib.suppress(AttunementError), held(keyfile, address) as database:
        forget_all(folder, database, keyfile.install)
        if database is not None:
            database.release()


def refuse_used(folder: Path) -> None:
    """Refuse a folder in which something is."""
    if folder.exists() and (not folder.is_dir() or any(each.name != ".lock" for each in folder.iterdir())):
        raise InputError(f"{folder} is not empty; a new practice needs an empty folder.")


@contextlib.contextmanager
def claimed_new(folder: Path) -> Iterator[FileLock]:
    """Hold a folder in which a practice is to be made."""
    try:
        refuse_used(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise NotStored(f"{folder} cannot be made: {problem.strerror}.") from None
    with _held(folder) as lock:
        yield lock


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[FileLock]:
    """Hold the folder for this process; kept if all goes well, let go if not."""
    if not (folder / NAME).exists():
        raise VaultProblem(f"There is no practice in {folder}; `attunement init` makes one.")
    with _held(folder) as lock:
        yield lock


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[FileLock]:
    lock = FileLock(folder / ".lock", timeout=0, thread_local=False)  # whichever thread opened, any may close
    try:
        lock.acquire()
    except Timeout:
        raise InUse(f"The practice in {folder} is open in another program; close it there first.") from None
    except OSError as problem:
        raise NotStored(f"{folder} cannot be written: {problem.strerror}.") from None
    try:
        yield lock
    except BaseException:
        lock.release()
        raise
