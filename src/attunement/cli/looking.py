"""The command `look`: courses of a table of ratings, on one page; and the same of a simulated practice."""

from __future__ import annotations

import json
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from attunement.errors import InputError
from attunement.progress import Progress

if TYPE_CHECKING:
    import polars as pl
    from cyclopts import App

    from attunement.reports import Meaning, Source
    from attunement.trajectories import Caseload, Measure

_SWITCH = Parameter(negative="")


def add_to(app: App) -> None:
    """Give the command line this command."""
    app.command(look)


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
    worse: Literal["higher", "lower"] | None = None,
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
        Further keys: time, guess, outcome; and, never taken from the header, my_day, attendance, ending, the lines of
        a check-in (safe, understood, supported, not_judged, could_say, contact, matters), feeling:NAME. What is clear
        from the header may be left out.
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
    worse
        Which way the outcome is worse: a higher one (as of distress), or a lower one.
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
        from attunement.reports import meaning

        meant = meaning(caseload, reading.rows, worse=worse, progress=progress)
        _write(caseload, source, meant, page, frame, progress)
    _tell(caseload, source, meant, page, frame, as_json=as_json)
    if open_page and page:
        webbrowser.open(page.resolve().as_uri())


def demo_page(therapists: int, clients: int, seed: int, out: Path, *, open_page: bool) -> None:
    """Write the page of a simulated practice."""
    from attunement.reports import Source, meaning
    from attunement.simulate import simulate
    from attunement.trajectories import Measure, trajectories

    with Progress() as progress:
        practice = simulate(therapists, clients, seed=seed, plant={"falling": 1, "stalled": 1, "slow": 1})
        measure = Measure.of("connection")
        note = f"A simulated practice (seed {seed}); no real person is in it."
        source = Source("simulated practice", {}, (note,), _nothing_skipped())
        caseload = trajectories(practice.ratings, measure, progress=progress)
        meant = meaning(caseload, practice.ratings)
        _write(caseload, source, meant, out, None, progress)
    _tell(caseload, source, meant, out, None, as_json=False)
    if open_page:
        webbrowser.open(out.resolve().as_uri())


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
    caseload: Caseload,
    source: Source,
    meant: Meaning,
    page: Path | None,
    frame: Path | None,
    progress: Progress,
) -> None:
    from attunement.exchange import write_files
    from attunement.reports import look_page

    contents: dict[Path, pl.DataFrame | str] = {}
    if frame:
        contents[frame] = caseload.frame()
    if page:
        contents[page] = look_page(caseload, source, meant, progress=progress)
    write_files(contents)


def _tell(
    caseload: Caseload,
    source: Source,
    meant: Meaning,
    page: Path | None,
    frame: Path | None,
    *,
    as_json: bool,
) -> None:
    from attunement.reports import for_machines, summary

    if as_json:
        told = json.dumps(for_machines(caseload, source, meant), allow_nan=False)  # ASCII: any pipe takes it
        sys.stdout.write(told + "\n")
        return
    console = Console(highlight=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    for sentence in summary(caseload, meant):
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
