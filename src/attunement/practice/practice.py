"""`Practice`: the object that everyone talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from attunement.errors import Damaged, Refused, WrongKey
from attunement.practice.accounts import Accounts, found_account
from attunement.practice.agenda import Overview
from attunement.practice.dropping import Dropping
from attunement.practice.factors import Factors
from attunement.practice.handing_over import HandingOver
from attunement.practice.house import House, claimed_new, forget_unfinished, held
from attunement.practice.leftovers import forget_all
from attunement.practice.moving import Moving
from attunement.practice.normed import Normed
from attunement.practice.own_tables import Tables
from attunement.practice.policy import CLIENT, Role, Verb, Who
from attunement.practice.reminding import Reminding
from attunement.practice.rotation import Rotation
from attunement.practice.safety import Safety
from attunement.practice.signing import Signing
from attunement.practice.steps import Steps
from attunement.practice.supervision import Supervision
from attunement.practice.tokens import Tokens
from attunement.sessions import Credential, code
from attunement.vault import tables
from attunement.vault.clock import Clock
from attunement.vault.keyfile import SHARED, KeyFile
from attunement.vault.locks import Cost, refuse_weak
from attunement.vault.naming import IN_DATABASE, IN_FILE
from attunement.vault.process import harden
from attunement.vault.sealing import Key
from attunement.vault.verifying import is_as_left
from attunement.vault.whom import DOOR, KEEPER

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from filelock import FileLock

    from attunement.vault.database import Database
    from attunement.vault.recovery import RecoveryCode
    from attunement.vault.rows import Row, Rows


class Practice(
    Overview,
    Tables,
    Steps,
    Safety,
    Supervision,
    Normed,
    Signing,
    Accounts,
    Factors,
    Tokens,
    Reminding,
    Dropping,
    HandingOver,
    Rotation,
    Moving,
):
    """Opened vaults, a clock and the policies, as one account stands before them.

    Every verb passes one policy (`attunement.practice.policy`) and leaves one entry in the journal of the vault that it
    is about, in the same transaction: when it returns, both are on the disk (what is read `together`, at its end).

    ==================  =========================================================================
    clients             agenda · take_on · end · resume · clients · give_consent · withdraw_consent · consents
    handing over        offer · handovers · accept · decline · withdraw_handover · met_before · hand_on
    what happened       log_session · change_session · sessions · log_contact · contacts
    check-ins           invite · withdraw_invitation · invitation · receive · check_ins · show_curve · own_curve
    the drop box        link_drop_box · open_slots · fetch_drops
    instruments         load_instruments · retire_instrument · instruments
    what was rated      ratings · rated · trajectories · own_tables · take_in
    other systems       shelf · entries · take_in_entries
    safety              raise_concern · close_concern · concerns · protocol · set_protocol
    steps               choose_step · close_step · reopen_step · drop_step · steps
    reflections         unlock · lock · reflect · reflections · destroy_reflection · verify_reflections
    supervision         fingerprint · pin · colleagues · share · share_report · shares · open_share · open_report ·
                        take_out_report · revoke
    norms               load_norm · retire_norm · norms_in_force · to_sign_out · sign_out · signed_out ·
                        take_back_signed · publish_norm · pooled
    who a code is       identify · identity
    reminders           due · remind · set_email · email
    keeping             hold · release · erase · export · deidentify · journal · verify · back_up
    where               move
    keys                rotate_keys · change_passphrase · reset_passphrase
    accounts            add_account · end_account · accounts · sign_in
    a second step       factors · add_factor · use_factor · remove_factor
    programs            add_token · tokens · remove_token · by_token · rated_stamp
    ==================  =========================================================================
    """

    @classmethod
    def found(  # noqa: PLR0913 - each is asked once
        cls, folder: Path, account: str, passphrase: str, recovery: RecoveryCode, *,
        credential: Credential = Credential.OTHER, name: str = "", roles: frozenset[Role] = frozenset(Role),
        cost: Cost | None = None, clock: Clock | None = None, database: str | None = None,
    ) -> Self:  # fmt: skip
        """Make a new practice in an empty folder.

        Parameters
        ----------
        folder
            Where; made if it is not there.
        account, passphrase
            Of the one who founds it.
        recovery
            Shown before, and typed back: a passphrase that is forgotten is opened by nothing else.
        credential, name, roles
            Of the one who founds it; all roles, for a practice of one.
        cost
            Of guessing the passphrase.
        clock
            Tells the time.
        database
            The address of a PostgreSQL in which the vaults are to be; in the folder if left out.
        """
        account = code(account, "account")
        refuse_weak(passphrase, account, name)
        harden()
        with claimed_new(folder) as lock:
            keys = {each: Key.fresh() for each in SHARED}
            keyfile = KeyFile.fresh(IN_DATABASE if database else IN_FILE)
            with held(keyfile, database) as reached:
                if reached is not None:
                    reached.refuse_another(keyfile.install)
                house = _made(folder, keyfile, keys, clock or Clock(), lock, reached)
            try:
                practice = cls(house, Who(account, roles))
                house.record.do(lambda rows: found_account(rows, account, roles, name, credential), KEEPER)
                house.identity.do(lambda rows: rows.note(account, Verb.FOUND, ""), KEEPER)
                house.add_account(account, passphrase, recovery, own=_has_own(roles), cost=cost or Cost())
            except BaseException:
                house.close()
                forget_unfinished(folder, keyfile, database)
                raise
        return practice

    @classmethod
    def open(cls, folder: Path, account: str, passphrase: str, *, clock: Clock | None = None) -> Self:
        """Open a practice, and sign in.

        Raises
        ------
        WrongKey
            Where the passphrase is not right.
        InUse
            Where another process has it open.
        VaultProblem
            Where there is none, or it is damaged.
        """
        return cls._signed_in(House.open(folder, account, passphrase, clock), account)

    @classmethod
    def open_with_code(
        cls, folder: Path, account: str, recovery: RecoveryCode, *, clock: Clock | None = None
    ) -> Self:
        """Open a practice by a recovery code."""
        return cls._signed_in(House.open_with_code(folder, account, recovery, clock), account)

    def sign_in(self, account: str, passphrase: str) -> Self:
        """Let somebody else in, beside those who are."""
        try:
            self.house.keyfile.open_record(account, passphrase)
            return type(self)(self.house, self._account(account))
        except (WrongKey, Refused):
            self.house.record.do(lambda rows: rows.note("nobody", Verb.SIGN_IN, "", "refused"), DOOR)
            raise WrongKey("There is no such account, or the passphrase is not right.") from None

    def for_client(self) -> Self:
        """Stand before the practice as one who has nothing but a token."""
        return type(self)(self.house, CLIENT)

    def close(self) -> None:
        """Close everything, for everyone."""
        self.house.close()

    def __enter__(self) -> Self:
        """Return the practice."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self.close()

    def __repr__(self) -> str:
        """Say who stands where, and nothing that is kept."""
        return f"<Practice in {self.house.folder}, as {self.who.code}>"

    @classmethod
    def _signed_in(cls, house: House, account: str) -> Self:
        try:
            signed_in = cls(house, Who(account))
            signed_in.who = signed_in._account(account)
            signed_in.finish_erasing()
        except BaseException:
            house.close()
            raise
        return signed_in

    def _account(self, account: str) -> Who:
        """Who somebody is, by the record: `keys.json` says who can open, not what they may."""
        query = sa.select(tables.account).where(tables.account.c.id == account)
        held = self._as_left(query)

        def work(rows: Rows) -> Who:
            row = held or rows.one(query)
            if row is None or row["ended"] is not None:
                raise Refused("There is no such account, or it has ended.")
            rows.note(account, Verb.SIGN_IN, "")
            return Who(account, frozenset(Role(role) for role in row["roles"].split()))

        return self.house.record.do(work, DOOR)

    def _as_left(self, account: sa.Select[Any]) -> Row | None:
        """An account as the journal answers for it, where it is in a database: there others could give it roles."""
        if self.house.database is None:
            return None
        with self.house.record.reading(KEEPER) as rows:
            row = rows.one(account)
            if row is not None and not is_as_left(rows, tables.account, row):
                raise Damaged(
                    f"The account {row['id']} is not as the journal says, and cannot sign in. Somebody wrote to the "
                    "database beside this program; `attunement journal verify` says what else is not as it was left."
                )
            return row


def _made(
    folder: Path,
    keyfile: KeyFile,
    keys: dict[str, Key],
    clock: Clock,
    lock: FileLock,
    database: Database | None,
) -> House:
    """Make the vaults of a new practice; where one cannot be made, none is left."""
    try:
        return House(folder, keyfile, keys, clock, lock, create=True, database=database)
    except BaseException:
        forget_all(folder, database, keyfile.install)
        raise


def _has_own(roles: frozenset[Role]) -> bool:
    return bool(roles & {Role.THERAPIST, Role.SUPERVISOR})
