"""The commands on norms: `norms publish`, `pool`, `show`; and of a practice `load`, `loaded`, `retire`, `gather`."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - cyclopts reads the types
from pathlib import Path  # noqa: TC003 - see above
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from attunement.cli.opening import HOME, SWITCH, Folder, Me, opened, say
from attunement.errors import InputError

if TYPE_CHECKING:
    from attunement.norms import Norms


def add_to(app: App) -> None:
    """Give the command line these commands."""
    norms = App(name="norms", help="What is usual among therapists elsewhere, as sums alone.")
    for command in (publish, pool, show, load, loaded, retire, gather):
        norms.command(command)
    app.command(norms)


def publish(  # noqa: PLR0913 - each is said once
    file: Path, /, *, out: Path, site: str, since: date, until: date,
    columns: Annotated[str, Parameter(name="--map")], encoding: str = "utf-8",
    single: Annotated[bool, SWITCH] = False,
) -> None:  # fmt: skip
    """Sum the therapists' feelings of a table, so that others can be held against them; nobody's rows leave it.

    Behind each number are 5 therapists and 20 clients or more, each with equal weight. Publish a period once: two
    sums of nearly the same rows differ by what those rows are.

    Parameters
    ----------
    file
        CSV (UTF-8) or Parquet, one row a session.
    out
        The file of norms to write; a new one.
    site
        The name that your site goes by.
    since
        The first day of the table.
    until
        The last day of the table.
    columns
        Which column is what, as for `look`: client=CODE,therapist=WHO,session=NO,feeling:tense=COLUMN.
    encoding
        How the text of a CSV is encoded.
    single
        Sum each of our feelings by itself, instead of pleasant and unpleasant ones together; never both.
    """
    from attunement import norms
    from attunement.exchange import parse_mapping, read_ratings
    from attunement.practice.release import write_new
    from attunement.reports.sections import felt

    reading = read_ratings(file, mapping=parse_mapping(columns), encoding=encoding, missing_ok=True)
    reflections = felt(reading.rows)
    if reflections is None:
        raise InputError(f"{file.name} has no feeling; --map feeling:tense=COLUMN says which column is one.")
    found = norms.publish(reflections, site=site, since=since, until=until, single=single)
    write_new(out, norms.dump(found).encode())
    say(_told(found))
    say(f"Written: {out}. Only sums are in it; look at it before you give it away.")


def pool(file: Path, /, *files: Path, out: Path) -> None:
    """Put the norms of several sites together; they say what a fit of all rows would.

    Parameters
    ----------
    file
        The norms of one site.
    files
        Those of others.
    out
        The file to write; a new one.
    """
    from attunement import norms
    from attunement.practice.release import write_new

    found = norms.pool([_read(each) for each in (file, *files)])
    write_new(out, norms.dump(found).encode())
    say(_told(found))
    say(f"Written: {out}.")


def show(file: Path, /) -> None:
    """Show what norms hold: by feeling, how many therapists, the mean, and how far apart therapists and clients are.

    Parameters
    ----------
    file
        The norms.
    """
    say(_told(_read(file)))


def load(file: Path, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Load norms of others into a practice, so that the mirror tells what is habitual; they replace those before.

    Parameters
    ----------
    file
        The norms.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    found = _read(file)
    with opened(folder, me) as practice:
        kept = practice.load_norm(file.read_bytes())
    say(_told(kept.norms))
    say(
        "In force."
        if len(kept.norms.parts) == len(found.parts)
        else "In force, without this practice itself."
    )


def loaded(*, folder: Folder = HOME, me: Me = "") -> None:
    """Show the norms that are in force in a practice.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        found = practice.norms_in_force()
    for each in found:
        say(f"{each.id}\tloaded by {each.by}")
        say(_told(each.norms))
    if not found:
        say("None. `attunement norms load FILE` loads a file that another practice has published.")


def retire(norm: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Use norms no longer.

    Parameters
    ----------
    norm
        Their id, as `norms loaded` has it.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.retire_norm(norm)
    say("They are used no longer.")


def gather(*, out: Path, site: str, folder: Folder = HOME, me: Me = "") -> None:
    """Add what five therapists of a practice or more have signed out, and write the practice's norms; for an admin.

    Each one's own numbers are then deleted, and the sum is kept. Where fewer wait, what was added before is written.

    Parameters
    ----------
    out
        The file of norms to write; a new one.
    site
        The name that the practice goes by.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement import norms
    from attunement.practice.release import write_new

    if out.exists():
        raise InputError(f"{out} is there already; name another file.")
    with opened(folder, me) as practice:
        known = practice.pooled()
        found = practice.publish_norm(site) if known.ready or known.norms is None else known.norms
    write_new(out, norms.dump(found).encode())
    say(_told(found))
    say(f"Written: {out}. Only sums are in it; look at it before you give it away.")


def _read(file: Path) -> Norms:
    from attunement.norms import load
    from attunement.norms.written import LONGEST

    try:
        if file.stat().st_size > 4 * LONGEST:
            raise InputError(f"{file.name} is too large for norms.")
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{file.name} is no text in UTF-8; norms are.") from None
    except OSError as problem:
        raise InputError(f"{file.name} cannot be read: {problem.strerror}.") from None
    try:
        return load(text)
    except InputError as problem:
        raise InputError(f"{file.name}: {problem}") from None


def _told(norms: Norms) -> str:
    """A line a site, a line a feeling; each number with its interval."""
    from attunement.norms import Peers

    lines = [
        f"{norms.about.name}, version {norms.about.version}, {norms.about.low:g} to {norms.about.high:g}"
    ]
    lines += [f"{part.site}: {part.since} to {part.until}" for part in norms.parts]
    for measure in norms.measures:
        peers = Peers(norms, measure)
        lines.append(
            f"{measure}: {norms.therapists(measure):,} therapists; mean {peers.usual()}; 68 in 100 therapists "
            f"within {peers.spread()} of it"
        )
    return "\n".join(lines)
