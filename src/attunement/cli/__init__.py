"""The command line: `attunement look FILE`, `attunement demo`, and the commands that keep a practice.

What a user can mend is one sentence and exit code 2; what they cannot is one sentence and exit code 70, with nothing
half-written. Nobody sees a stack trace (unless ATTUNEMENT_TRACE is set, for those who develop).
"""

from __future__ import annotations

import io
import json
import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cyclopts
from cyclopts import App, Parameter
from rich.console import Console

from attunement import __version__
from attunement.cli import clients, keeping, people
from attunement.errors import AttunementError, InputError
from attunement.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from attunement.reports import Source
    from attunement.trajectories import Caseload, Measure

USER_ERROR, OUR_ERROR, INTERRUPTED = 2, 70, 130
_LONGEST = 400  # characters of a message

app = App(
    name="attunement",
    help="See, understand and keep the connection between psychotherapists and their clients.",
    version=__version__,
)
_SWITCH = Parameter(negative="")
for _commands in (people, keeping, clients):
    _commands.add_to(app)


@app.command
def look(  # noqa: PLR0913 - each is an option
    file: Path,
    *,
    columns: Annotated[str, Parameter(name="--map")] = "",
    scale: str = "",
    established: float | None = None,
    therapist: str = "",
    out: Path | None = None,
    frame: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
    open_page: Annotated[bool, Parameter(name="--open", negative="")] = False,
    encoding: str = "utf-8",
    skip_bad: Annotated[bool, _SWITCH] = False,
    missing_ok: Annotated[bool, _SWITCH] = False,
    prior: Literal["published", "none"] = "published",
) -> None:
    """Look at the connection with every client in a table of session ratings.

    Reads a CSV or Parquet file with one row a session, fits the whole practice, and writes one page that needs no
    network: who wants a look first, each course with what is expected, and what the numbers cannot tell.

    Parameters
    ----------
    file
        CSV (UTF-8) or Parquet, one row a session.
    columns
        Which column is what: client=client_id,therapist=counselor_id,session=session_number,score=score_total.
        Further keys: time, guess, outcome, feeling:NAME. What is clear from the header may be left out.
    scale
        The ends of the scale, LOW,HIGH; guessed from the scores if left out, and said.
    established
        From which score on a connection is called established: a convention; 70 % of the scale if left out.
    therapist
        Show the caseload of this therapist alone; the whole table is still what is usual here.
    out
        The page to write; FILE's name with .html, in the present folder, if left out.
    frame
        Also write one row a client to this CSV or Parquet file.
    as_json
        Print everything as JSON, and write no page unless --out is given.
    open_page
        Open the page in the browser.
    encoding
        How the text of a CSV is encoded.
    skip_bad
        Leave out rows that cannot be read, and list them, instead of stopping.
    missing_ok
        Look even where more than a third of the scores are missing.
    prior
        What is known before the ratings, for fewer than 20 clients: published figures, or none.
    """
    from attunement.exchange import name_of, parse_mapping, read_ratings, refuse_places

    page = out or (None if as_json else Path(f"{file.stem}.html"))
    refuse_places(file, page, frame)
    with Progress() as progress:
        reading = read_ratings(
            file,
            mapping=parse_mapping(columns) if columns else None,
            encoding=encoding,
            skip_bad=skip_bad,
            missing_ok=missing_ok,
        )
        measure, said = _measure(reading.ratings["score"], scale, established)
        from attunement.reports import Source
        from attunement.trajectories import trajectories

        source = Source(name_of(file), reading.mapping, (*reading.notes, *said), reading.skipped)
        known = prior if prior == "published" else None
        caseload = trajectories(reading.ratings, measure, prior=known, progress=progress)
        if therapist:
            caseload = caseload.of(therapist)
        _write(caseload, source, page, frame, progress)
    _tell(caseload, source, page, frame, as_json=as_json)
    if open_page and page:
        webbrowser.open(page.resolve().as_uri())


@app.command
def demo(
    *,
    therapists: int = 1,
    clients: int = 16,
    seed: int = 4,
    out: Path = Path("demo/demo.html"),
    open_page: Annotated[bool, Parameter(name="--open", negative="--no-open")] = True,
) -> None:
    """Look at a simulated practice, whose truth is known, and open the page.

    Parameters
    ----------
    therapists
        How many therapists.
    clients
        How many clients each of them has.
    seed
        The same seed gives the same practice.
    out
        The page to write.
    open_page
        Open the page in the browser.
    """
    from attunement.reports import Source
    from attunement.simulate import simulate
    from attunement.trajectories import Measure, trajectories

    with Progress() as progress:
        practice = simulate(therapists, clients, seed=seed, plant={"falling": 1, "stalled": 1, "slow": 1})
        measure = Measure.of("connection")
        note = f"A simulated practice (seed {seed}); no real person is in it."
        source = Source("simulated practice", {}, (note,), _nothing_skipped())
        caseload = trajectories(practice.ratings, measure, progress=progress)
        _write(caseload, source, out, None, progress)
    _tell(caseload, source, out, None, as_json=False)
    if open_page:
        webbrowser.open(out.resolve().as_uri())


def main(arguments: Sequence[str] | None = None) -> int:  # noqa: PLR0911 - each end has its code
    """Run a command; returns the exit code, and ends in one sentence whatever happens."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a code in Korean on a console that has no Korean
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except AttunementError as problem:
        return _said(str(problem), USER_ERROR)
    except cyclopts.CycloptsError as problem:
        return _said(f"{_one_line(problem)} See attunement --help.", USER_ERROR)
    except KeyboardInterrupt:
        return _said("Stopped; nothing was half-written.", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as ended:
        return int(ended.code or 0)
    except MemoryError:
        return _said("There is not enough memory for this table.", USER_ERROR)
    except Exception as problem:
        if os.environ.get("ATTUNEMENT_TRACE"):
            raise
        kind = type(problem).__name__
        return _said(
            f"Something went wrong inside ({kind}), and nothing was written; please report it.", OUR_ERROR
        )
    return 0


def _measure(scores: pl.Series, scale: str, established: float | None) -> tuple[Measure, tuple[str, ...]]:
    """The scale as given, or as guessed and said."""
    from attunement.trajectories import Measure, guess_scale

    said = []
    if scale:
        low, high = _ends(scale)
    else:
        low, high = guess_scale(scores)
        said.append(f"The scale was taken to be {low:g} to {high:g}; --scale LOW,HIGH sets it.")
    measure = Measure(low, high) if established is None else Measure(low, high, established)
    if established is None:
        said.append(f"Established was taken to be {measure.established:g}; --established sets it.")
    return measure, tuple(said)


def _ends(scale: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in scale.split(","))
    except ValueError:
        raise InputError(f"--scale {scale} is not LOW,HIGH, such as 0,10.") from None
    return low, high


def _write(
    caseload: Caseload, source: Source, page: Path | None, frame: Path | None, progress: Progress
) -> None:
    from attunement.exchange import write_files
    from attunement.reports import look_page

    contents: dict[Path, pl.DataFrame | str] = {}
    if frame:
        contents[frame] = caseload.frame()
    if page:
        contents[page] = look_page(caseload, source, progress=progress)
    write_files(contents)


def _tell(
    caseload: Caseload, source: Source, page: Path | None, frame: Path | None, *, as_json: bool
) -> None:
    from attunement.reports import for_machines, summary

    if as_json:
        told = json.dumps(for_machines(caseload, source), allow_nan=False)  # ASCII: any pipe takes it
        sys.stdout.write(told + "\n")
        return
    console = Console(highlight=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    for sentence in summary(caseload):
        console.print(sentence, markup=False)
    for note in source.notes:
        console.print(note, style="dim", markup=False)
    if source.skipped.height:
        rows = "1 row was" if source.skipped.height == 1 else f"{source.skipped.height:,} rows were"
        console.print(f"{rows} left out{'; the page says why' if page else ''}.", style="dim")
    for written in (page, frame):
        if written:
            console.print(f"Written: {written}", markup=False)


def _nothing_skipped() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema={"row": pl.Int64, "why": pl.String})


def _said(sentence: str, code: int) -> int:
    """One line on standard error: nothing that a terminal would obey, and no longer than can be read."""
    line = " ".join(sentence.split())
    line = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
    sys.stderr.write(f"attunement: {line if len(line) <= _LONGEST else line[: _LONGEST - 2] + '….'}\n")
    return code


def _one_line(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    return text if text.endswith((".", "?")) else f"{text}."
