"""The commands that keep a practice: `init`, `journal`, `backup`, `restore`, `export`, `erase`, `doctor` and others."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from attunement.cli.secrets import (
    NEW_PASSPHRASE,
    PASSPHRASE,
    new_passphrase,
    new_recovery_code,
    recovery_code,
    secret,
)
from attunement.errors import Damaged, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.practice import Practice

HOME = Path.home() / "attunement"
_SWITCH = Parameter(negative="")
Folder = Annotated[Path, Parameter(name="--practice", env_var="ATTUNEMENT_PRACTICE")]
Me = Annotated[str, Parameter(name="--account", env_var="ATTUNEMENT_ACCOUNT")]
Credentials = Literal[
    "psychologist", "psychiatrist", "nurse", "social-worker", "counselor", "family-therapist",
    "masters-psychology", "in-training", "other",
]  # fmt: skip


def add_to(app: App) -> None:
    """Give the command line these commands."""
    for command in (
        init, doctor, backup, restore, upgrade, export, deidentify, erase, hold, passphrase, recover, account,
    ):  # fmt: skip
        app.command(command)
    app.command(backup_key, name="backup-key")
    app.command(rotate_keys, name="rotate-keys")
    app.command(end_account, name="end-account")
    app.command(release_hold, name="release-hold")
    journal = App(name="journal", help="Read and verify the journal: who did what, and when.")
    journal.command(show)
    journal.command(tip)
    journal.command(verify)
    app.command(journal)


def init(
    *,
    folder: Folder = HOME,
    me: Annotated[str, Parameter(name="--account")] = "T-1",
    credential: Credentials = "other",
    name: str = "",
    recovery_file: Path | None = None,
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
    """
    from attunement.practice import Practice
    from attunement.practice.house import refuse_used
    from attunement.sessions import Credential

    refuse_used(folder)
    phrase = new_passphrase()
    code = new_recovery_code(recovery_file)
    licence = Credential[credential.upper().replace("-", "_")]
    with Practice.found(folder, me, phrase, code, credential=licence, name=name) as practice:
        _say(f"There is a practice in {folder} now. Its journal begins at {practice.tip}.")


def doctor(
    *, folder: Folder = HOME, me: Me = "", known: Annotated[str, Parameter(name="--tip")] = ""
) -> None:
    """Look at everything that can go wrong unseen, and say what would mend it.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    known
        A tip of the journal that was kept elsewhere.
    """
    from attunement.practice.doctor import examine
    from attunement.vault.journal import Tip

    with _opened(folder, me) as practice:
        checks = examine(practice, Tip.read(known) if known else None)
    for check in checks:
        _say(f"{'well' if check.well else 'LOOK'}  {check.what}: {check.sentence}")
    if not all(check.well for check in checks if check.what.endswith(("pages", "journal"))):
        raise Damaged("The practice is damaged; `attunement restore` puts a backup into a new folder.")


def show(*, folder: Folder = HOME, me: Me = "", after: int = 0) -> None:
    """Show the record's journal, an entry a line, tab-separated.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    after
        Show the entries after this number.
    """
    with _opened(folder, me) as practice:
        entries = practice.journal(after=after)
    _say("number\ttime\twho\twhat\tabout\toutcome")
    for row in entries:
        time = row["at"].isoformat(timespec="seconds")
        _say(
            "\t".join(
                str(each)
                for each in (row["seq"], time, row["who"], row["verb"], row["about"], row["outcome"])
            )
        )


def tip(*, folder: Folder = HOME, me: Me = "") -> None:
    """Print the journal's tip, to be kept elsewhere: on paper, or with somebody else.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with _opened(folder, me) as practice:
        _say(str(practice.tip))


def verify(
    *, folder: Folder = HOME, me: Me = "", known: Annotated[str, Parameter(name="--tip")] = ""
) -> None:
    """Read the journals and every row, and say whether anything was edited, deleted, reordered, cut off or put back.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    known
        A tip that was kept elsewhere; without one, a whole vault put back from an older copy is not seen.
    """
    from attunement.vault.journal import Tip

    with _opened(folder, me) as practice:
        verdicts = practice.verify(Tip.read(known) if known else None)
    for name, verdict in verdicts.items():
        _say(f"{name}: {verdict.entries:,} entries, tip {verdict.tip}{': whole.' if verdict.whole else ':'}")
        for problem in verdict.problems[:20]:
            _say(f"  {problem}")
    if not all(verdict.whole for verdict in verdicts.values()):
        raise Damaged(
            "The practice is not as its journal says; `attunement restore` puts a backup into a new folder."
        )
    if not known:
        _say("No tip was given: a whole vault put back from an older copy is not seen by this.")


def backup_key(file: Path, /) -> None:
    """Make the key that backups are sealed to: the secret goes to a file that is kept offline.

    Parameters
    ----------
    file
        A new file for the secret; take it off this computer.
    """
    from attunement.practice.release import write_new
    from attunement.vault.backup import new_identity

    hidden, public = new_identity()
    write_new(
        file,
        f"# Keep this offline. It opens the backups of your practice.\n# public key: {public}\n{hidden}\n".encode(),
    )
    _say(f"Written: {file}. Keep it offline; backups are made with")
    _say(f"  attunement backup FILE --to {public}")


def backup(
    file: Path,
    /,
    *,
    to: Annotated[str, Parameter(env_var="ATTUNEMENT_BACKUP_TO")],
    folder: Folder = HOME,
    me: Me = "",
) -> None:
    """Write a backup of everything, sealed to an offline key, and read it back before it counts.

    Parameters
    ----------
    file
        The backup; replaced as a whole if it is there.
    to
        The public key, age1….
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with _opened(folder, me) as practice:
        manifest = practice.back_up(file, to)
    _say(f"Written and read back: {file} ({file.stat().st_size / 1e6:.1f} MB).")
    _say(f"The journal's tip in it: {manifest.tips['record']}")


def restore(
    file: Path,
    /,
    *,
    identity: Path,
    into: Path = HOME,
    me: Me = "T-1",
    by_code: Annotated[bool, _SWITCH] = False,
) -> None:
    """Put a backup into a new folder, having verified it.

    Parameters
    ----------
    file
        The backup.
    identity
        The file with the offline key.
    into
        A folder that is empty or not there yet.
    me
        An account that could open the practice then.
    by_code
        Ask for the recovery code instead of the passphrase.
    """
    from attunement.practice.restoring import restore as restored

    try:
        key = identity.read_text()
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"{identity} cannot be read as a key; it is the file that `attunement backup-key` wrote."
        ) from None
    given = recovery_code() if by_code else secret(PASSPHRASE, f"Passphrase of {me}")
    manifest = restored(file, key, into, me, given)
    _say(
        f"Restored into {into}: the practice as of {manifest.made}, verified up to {manifest.tips['record']}."
    )


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

    me = _account(folder, me)
    phrase = secret(PASSPHRASE, f"Passphrase of {me}")
    with Practice.open(folder, me, phrase) as practice:
        practice.rotate_keys(phrase, new_recovery_code(recovery_file))
    _say("All keys are new. The old recovery code opens nothing any more, but backups made before.")


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

    me = _account(folder, me)
    old = secret(PASSPHRASE, f"Passphrase of {me}")
    with Practice.open(folder, me, old) as practice:
        practice.change_passphrase(old, new_passphrase(NEW_PASSPHRASE))
    _say("Your passphrase is changed. Backups made before still open by the old one.")


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
    with Practice.open_with_code(folder, _account(folder, me), code) as practice:
        practice.reset_passphrase(code, new_passphrase(NEW_PASSPHRASE))
    _say("Your passphrase is changed.")


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

    with _opened(folder, me) as practice:
        theirs = new_passphrase(NEW_PASSPHRASE)
        licence = Credential[credential.upper().replace("-", "_")]
        recovery = new_recovery_code(recovery_file)
        practice.add_account(
            code, theirs, recovery, roles=frozenset({Role(role)}), name=name, credential=licence
        )
    _say(f"{code} can sign in now.")


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
    with _opened(folder, me) as practice:
        practice.end_account(code)
    _say(
        f"{code} can no longer sign in. `attunement rotate-keys` makes what they could open useless to them."
    )


def export(client: str, file: Path, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Write a client's record, for their right of access: a ZIP of tables, without psychotherapy notes.

    Parameters
    ----------
    client
        The code.
    file
        A new file.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.practice.release import write_new

    with _opened(folder, me) as practice:
        write_new(file, practice.export(client))
    _say(f"Written: {file}. It is not encrypted; give it to the client, and to nobody else.")


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

    with _opened(folder, me) as practice:
        rows = practice.deidentify()
    write_new(file, as_csv(rows, DEIDENTIFIED).encode())
    _say(
        f"Written: {file}. In a small practice a course can still be known again; share it under an agreement."
    )


def erase(
    client: str, /, *, yes: Annotated[bool, _SWITCH] = False, folder: Folder = HOME, me: Me = ""
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

    me = _account(folder, me)
    phrase = secret(PASSPHRASE, f"Passphrase of {me}")
    if not yes and (
        not sys.stdin.isatty() or input(f"Type {client} again to erase this client for good: ") != client
    ):
        raise InputError("Nothing was erased; --yes does it without asking again.")
    with Practice.open(folder, me, phrase) as practice:
        practice.unlock(phrase)
        practice.erase(client)
    _say("Erased. Backups made before still hold this client until they are thrown away.")


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
    with _opened(folder, me) as practice:
        practice.hold(client, reason)
    _say(f"{client} is held: nothing of theirs can be erased.")


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
    with _opened(folder, me) as practice:
        practice.release(client)
    _say(f"{client} is no longer held.")


def upgrade(*, folder: Folder = HOME, me: Me = "", undo: Annotated[bool, _SWITCH] = False) -> None:
    """Bring a practice of an earlier version up to date; a copy is made first.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    undo
        Go back by one, for the version before; what was stored since stays.
    """
    from attunement.practice.upgrading import upgrade as upgraded

    me = _account(folder, me)
    for sentence in upgraded(folder, me, secret(PASSPHRASE, f"Passphrase of {me}"), undo=undo):
        _say(sentence)


@contextlib.contextmanager
def _opened(folder: Path, me: str) -> Iterator[Practice]:
    from attunement.practice import Practice

    me = _account(folder, me)
    with Practice.open(folder, me, secret(PASSPHRASE, f"Passphrase of {me}")) as practice:
        if practice.house.clock.notice:
            sys.stderr.write(f"attunement: {practice.house.clock.notice}\n")
        yield practice


def _account(folder: Path, me: str) -> str:
    """The account that was named, or the only one."""
    from attunement.vault.keyfile import KeyFile

    accounts = list(KeyFile.load(folder).accounts)
    if not me and len(accounts) > 1:
        raise InputError(
            "Several accounts can open this practice; --account or ATTUNEMENT_ACCOUNT says which."
        )
    return me or accounts[0]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
