"""The commands that keep what is kept: `journal`, `backup`, `restore`, `doctor`, `upgrade`, `move`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from attunement.cli.opening import HOME, SWITCH, Folder, Me, account_of, database_named, opened, say
from attunement.cli.secrets import PASSPHRASE, recovery_code, secret
from attunement.errors import Damaged, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.vault.journal import Verdict


def add_to(app: App) -> None:
    """Give the command line these commands."""
    for command in (doctor, backup, restore, upgrade, move):
        app.command(command)
    app.command(backup_key, name="backup-key")
    app.command(database_sql, name="database-sql")
    journal = App(name="journal", help="Read and verify the journal: who did what, and when.")
    journal.command(show)
    journal.command(tip)
    journal.command(verify)
    app.command(journal)


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

    with opened(folder, me) as practice:
        checks = examine(practice, Tip.read(known) if known else None)
    for check in checks:
        say(f"{'well' if check.well else 'LOOK'}  {check.what}: {check.sentence}")
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
    with opened(folder, me) as practice:
        entries = practice.journal(after=after)
    say("number\ttime\twho\twhat\tabout\toutcome")
    for row in entries:
        time = row["at"].isoformat(timespec="seconds")
        say(
            "\t".join(
                str(each)
                for each in (row["seq"], time, row["who"], row["verb"], row["about"], row["outcome"])
            )
        )


def tip(*, folder: Folder = HOME, me: Me = "", reflections: Annotated[bool, SWITCH] = False) -> None:
    """Print the journal's tip, to be kept elsewhere: on paper, or with somebody else.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    reflections
        Of your own reflections' journal, which nobody else can print.
    """
    with _verdicts(folder, me, "", reflections=reflections) as verdicts:
        say(str(next(iter(verdicts.values())).tip))


def verify(
    *,
    folder: Folder = HOME,
    me: Me = "",
    known: Annotated[str, Parameter(name="--tip")] = "",
    reflections: Annotated[bool, SWITCH] = False,
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
    reflections
        Of your own reflections, which nobody else can verify.
    """
    with _verdicts(folder, me, known, reflections=reflections) as verdicts:
        for name, verdict in verdicts.items():
            say(
                f"{name}: {verdict.entries:,} entries, tip {verdict.tip}{': whole.' if verdict.whole else ':'}"
            )
            for problem in verdict.problems[:20]:
                say(f"  {problem}")
    if not all(verdict.whole for verdict in verdicts.values()):
        raise Damaged(
            "The practice is not as its journal says; `attunement restore` puts a backup into a new folder."
        )
    if not known:
        say("No tip was given: a whole vault put back from an older copy is not seen by this.")


@contextlib.contextmanager
def _verdicts(folder: Path, me: str, known: str, *, reflections: bool) -> Iterator[dict[str, Verdict]]:
    from attunement.practice import Practice
    from attunement.vault.journal import Tip

    tip, me = Tip.read(known) if known else None, account_of(folder, me)
    phrase = secret(PASSPHRASE, f"Passphrase of {me}")
    with Practice.open(folder, me, phrase) as practice:
        if reflections:
            practice.unlock(phrase)
        yield {"reflections": practice.verify_reflections(tip)} if reflections else practice.verify(tip)


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
    say(f"Written: {file}. Keep it offline; backups are made with")
    say(f"  attunement backup FILE --to {public}")


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
    with opened(folder, me) as practice:
        manifest = practice.back_up(file, to)
    say(f"Written and read back: {file} ({file.stat().st_size / 1e6:.1f} MB).")
    say(f"The journal's tip in it: {manifest.tips['record']}")


def restore(
    file: Path,
    /,
    *,
    identity: Path,
    into: Path = HOME,
    me: Me = "T-1",
    by_code: Annotated[bool, SWITCH] = False,
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
    say(
        f"Restored into {into}: the practice as of {manifest.made}, verified up to {manifest.tips['record']}."
    )


def upgrade(*, folder: Folder = HOME, me: Me = "", undo: Annotated[bool, SWITCH] = False) -> None:
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

    me = account_of(folder, me)
    for sentence in upgraded(folder, me, secret(PASSPHRASE, f"Passphrase of {me}"), undo=undo):
        say(sentence)


def move(
    *, to: Annotated[Literal["database", "files"], Parameter()], folder: Folder = HOME, me: Me = ""
) -> None:
    """Carry a practice into the database of ATTUNEMENT_DATABASE_URL, or back into files, verified.

    Parameters
    ----------
    to
        Where.
    folder
        The practice; `keys.json` stays in it.
    me
        The account of an admin; the only one, if there is one.
    """
    address = database_named() if to == "database" else ""
    with opened(folder, me) as practice:
        for sentence in practice.move(address):
            say(sentence)


def database_sql(user: str = "attunement", database: str = "attunement", /) -> None:
    """Write the SQL by which the administrator of a PostgreSQL prepares a database for a clinic, once.

    Parameters
    ----------
    user
        By whom the program will connect.
    database
        The database, made before and empty.
    """
    from attunement.vault.preparing import statements

    sys.stdout.write(statements(user, database))
