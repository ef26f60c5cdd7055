"""Whether a change is more than error of measurement, and whether it ends among people without the complaint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import polars as pl

from attunement.change.reliable import unpublished, yardstick
from attunement.errors import InputError
from attunement.findings import Estimate, Finding, NotYet
from attunement.frames import Column, Contract, hold, outcomes
from attunement.wording import not_yet, number, plain, say

if TYPE_CHECKING:
    from attunement.change.norms import Norms, Population
    from attunement.change.reliable import Figures, Method, Yardstick
    from attunement.instruments.description import Language

Kind = Literal["a", "b", "c", "published"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
RESULTS: Final = ("recovered", "improved", "unchanged", "deteriorated", "harmed")

PAIRS: Final = Contract(
    "before and after",
    (
        Column("client", "code", "Who it is about: a code, never a name.", required=True, empty=False),
        Column("before", "number", "The first score, on the scale's own points.", "points", required=True),
        Column("after", "number", "The last score.", "points", required=True),
    ),
    key=("client",),
)

_RESULT: Final = {
    "recovered": "change_recovered",
    "improved": "change_improved",
    "unchanged": "change_unchanged",
    "deteriorated": "change_deteriorated",
    "harmed": "change_harmed",
}
_OF_METHOD: Final = {
    "jacobson-truax": ("change_limit_extreme",),
    "hageman-arrindell": ("change_limit_group",),
}
_DIGITS: Final = 1  # of a change in points


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The score between people with the complaint and people without it.

    Parameters
    ----------
    kind
        ``a``: two standard deviations of the clinical population beyond its mean; ``b``: within two of the
        functional population's; ``c``: between the two means, each weighted by the other's standard deviation;
        ``published``: as a study reports it, however it was found.
    value
        In points. A score exactly on it belongs to neither side.
    source
        Where its figures were published.
    """

    kind: Kind
    value: float
    source: str

    def __post_init__(self) -> None:
        """Refuse a cutoff that nobody could look up."""
        if not self.source.strip():
            raise InputError("A cutoff takes a source: the study, and the table in it.")


def cutoff(
    norms: Norms, kind: Literal["a", "b", "c"] | None = None, *, language: Language = "en"
) -> Cutoff | NotYet:
    """Place the cutoff of Jacobson and Truax; without a `kind`, the best that is published: c, then b, then a.

    With means and standard deviations m1, s1 of the clinical and m0, s0 of the functional population:
    ``a = m1 ± 2 s1`` and ``b = m0 ∓ 2 s0`` (upper sign where higher is for the better),
    ``c = (s0 m1 + s1 m0) / (s0 + s1)``. Jacobson & Truax (1991), Journal of Consulting and Clinical Psychology
    59:12-19. The R package clinicalsignificance 2.1 takes s1 in b too, which differs where the two are not equal.

    Returns
    -------
    Cutoff or NotYet
        `NotYet` names the populations that are not published.

    Raises
    ------
    InputError
        Where there is no such kind.

    Examples
    --------
    >>> from attunement.change.norms import Norms, Population
    >>> study = "Jacobson & Truax (1991), table 1"
    >>> clinical, functional = Population(40, 7.5, study), Population(60, 7.5, study)
    >>> scale = Norms("the scale", "better", clinical=clinical, functional=functional)
    >>> [cutoff(scale, kind).value for kind in "abc"]
    [55.0, 45.0, 50.0]
    """
    if kind is not None and kind not in "abc":
        raise InputError(f"{kind!r} is no kind of cutoff; it is a, b or c.")
    clinical, functional = norms.clinical, norms.functional
    if clinical and functional and kind in {None, "c"}:
        both = functional.sd * clinical.mean + clinical.sd * functional.mean
        return Cutoff("c", both / (functional.sd + clinical.sd), _sources(clinical, functional, language))
    if functional and kind in {None, "b"}:
        return Cutoff("b", functional.mean - norms.sign * 2 * functional.sd, functional.source)
    if clinical and kind in {None, "a"}:
        return Cutoff("a", clinical.mean + norms.sign * 2 * clinical.sd, clinical.source)
    figures: Figures = {"change_people_with": clinical, "change_people_without": functional}
    asked = {"a": ("change_people_with",), "b": ("change_people_without",)}.get(kind or "c", tuple(figures))
    return unpublished(norms, "change_about_cutoff", {each: figures[each] for each in asked}, language)


def before_and_after(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take from each client's outcomes of one instrument the first and the last score.

    A client with a single score has no change, and is left out.

    Raises
    ------
    ColumnProblem
        Where the table is none of outcomes (`attunement.frames.OUTCOMES`).
    InputError
        Where it holds more than one instrument.

    Examples
    --------
    >>> scores = {"client": ["K-07", "K-07", "K-07"], "session": [1, 2, 6], "outcome": [17.0, 16.0, 8.0]}
    >>> before_and_after(pl.DataFrame(scores).with_columns(instrument=pl.lit("phq9"))).rows()
    [('K-07', 17.0, 8.0)]
    """
    scored = one_instrument(outcomes(table))
    by_session = pl.col("outcome").sort_by("session")
    return (
        scored.group_by("client")
        .agg(before=by_session.first(), after=by_session.last(), scores=pl.len())
        .filter(pl.col("scores") > 1)
        .sort("client")
        .select("client", "before", "after")
    )


def one_instrument(scored: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a score, or refuse a table whose scores are on more than one scale."""
    names = scored["instrument"].unique().sort().to_list()
    if len(names) > 1:
        raise InputError(
            f"The outcomes are of {' and '.join(names)}; scores of two instruments are not compared. "
            "Take the rows of one."
        )
    return scored.drop_nulls("outcome")


def changes(
    pairs: Any,  # noqa: ANN401 - any eager frame narwhals knows
    norms: Norms,
    method: Method = "jacobson-truax",
    line: Cutoff | None = None,
    *,
    language: Language = "en",
) -> pl.DataFrame | NotYet:
    """Judge each client's change: one row in, one row out.

    Parameters
    ----------
    pairs
        Columns client, before and after, such as `before_and_after` gives.
    norms
        The published figures.
    method
        Whose reliable change, see `attunement.change.yardstick`.
    line
        The cutoff; left out, the one that the figures allow (`cutoff`).
    language
        Of what is missing.

    Returns
    -------
    polars.DataFrame or NotYet
        Beside the pairs: ``change``, the points beyond what the method expects of the second score (in Jacobson
        and Truax's, after - before), its interval ``low`` to ``high``, the ``index``, and the ``result``, one of
        `RESULTS`. *Recovered* is reliably better and over the line to the functional side, *harmed* reliably worse
        and over it the other way; without a line neither is told, and they stand with *improved* and
        *deteriorated*. Where a score is missing, so is the result.

    Raises
    ------
    ColumnProblem
        Where a column is missing or a client stands twice.

    Examples
    --------
    >>> from attunement.change.norms import Norms, Population
    >>> from attunement.instruments import Published
    >>> study = "Jacobson & Truax (1991), table 1"
    >>> clinical, functional = Population(40, 7.5, study), Population(60, 7.5, study)
    >>> scale = Norms("the scale", "better", Published(0.80, study), clinical=clinical, functional=functional)
    >>> pairs = pl.DataFrame({"client": ["A", "B", "C"], "before": [32.5, 32.5, 55.0], "after": [53.0, 47.5, 41.0]})
    >>> changes(pairs, scale).select("client", "change", pl.col("index").round(2), "result").rows()
    [('A', 20.5, 4.32, 'recovered'), ('B', 15.0, 3.16, 'improved'), ('C', -14.0, -2.95, 'harmed')]
    """
    ruler = yardstick(norms, method, language=language)
    if isinstance(ruler, NotYet):
        return ruler
    return _judged(hold(pairs, PAIRS), norms, ruler, line or cutoff(norms, language=language))


def changed(
    client: str,
    before: float | None,
    after: float | None,
    norms: Norms,
    method: Method = "jacobson-truax",
    line: Cutoff | None = None,
    *,
    language: Language = "en",
) -> Finding | NotYet:
    """Say of one client whether the outcome changed more than error would explain, and where it ended.

    Parameters and methods are those of `changes`.

    Examples
    --------
    >>> from attunement.change.norms import Norms, Population
    >>> from attunement.instruments import Published
    >>> study = "Jacobson & Truax (1991), table 1"
    >>> clinical, functional = Population(40, 7.5, study), Population(60, 7.5, study)
    >>> scale = Norms("the scale", "better", Published(0.80, study), clinical=clinical, functional=functional)
    >>> print(changed("K-07", 32.5, 47.5, scale).sentence)
    K-07 went from 32.5 to 47.5 on the scale: 15.0 points (5.7 to 24.3), for the better and more than the 9.3 that
    error of measurement explains; not over the line between people with and without the complaint (50.0, cutoff c
    of Jacobson & Truax (1991), table 1): improved.
    """
    ruler = yardstick(norms, method, language=language)
    if isinstance(ruler, NotYet):
        return ruler
    drawn = line or cutoff(norms, language=language)
    pair = pl.DataFrame({"client": [client], "before": [before], "after": [after]})
    table = _judged(hold(pair, PAIRS), norms, ruler, drawn)
    row = table.row(0, named=True)
    about = say("change_about", language, client=client, scale=norms.name)
    if row["result"] is None:
        return not_yet(about, say("change_one_missing", language), say("change_both", language), language)
    return Finding(
        about=about,
        sentence=_sentence(row, norms, ruler, drawn, language),
        estimate=Estimate(row["change"], row["low"], row["high"], unit="points", level=ruler.level),
        evidence=table,
        limits=_limits(ruler, drawn, language),
    )


def _judged(table: pl.DataFrame, norms: Norms, ruler: Yardstick, line: Cutoff | NotYet) -> pl.DataFrame:
    change = pl.col("after") - ruler.start - ruler.slope * pl.col("before")
    return table.with_columns(
        change=change, low=change - ruler.margin, high=change + ruler.margin, index=change / ruler.error
    ).with_columns(result=_result(norms, ruler, line))


def _result(norms: Norms, ruler: Yardstick, line: Cutoff | NotYet) -> pl.Expr:
    better = norms.sign * pl.col("index") > ruler.critical
    worse = norms.sign * pl.col("index") < -ruler.critical
    over, back = _crossings(norms, line)
    return (
        pl.when(pl.col("index").is_null())
        .then(None)
        .when(better & over)
        .then(pl.lit("recovered"))
        .when(better)
        .then(pl.lit("improved"))
        .when(worse & back)
        .then(pl.lit("harmed"))
        .when(worse)
        .then(pl.lit("deteriorated"))
        .otherwise(pl.lit("unchanged"))
    )


def _crossings(norms: Norms, line: Cutoff | NotYet) -> tuple[pl.Expr, pl.Expr]:
    """Over the line to the functional side, and back from it; a score on the line is on neither side."""
    if isinstance(line, NotYet):
        return pl.lit(value=False), pl.lit(value=False)
    before, after = (norms.sign * (pl.col(name) - line.value) for name in ("before", "after"))
    return (before < 0) & (after > 0), (before > 0) & (after < 0)


def _sentence(
    row: dict[str, Any], norms: Norms, ruler: Yardstick, line: Cutoff | NotYet, language: Language
) -> str:
    told = {
        "client": row["client"],
        "scale": norms.name,
        "before": plain(row["before"], language),
        "after": plain(row["after"], language),
        "size": _size(row, ruler, language),
        "weight": _weight(row, norms, ruler, language),
        "result": say(_RESULT[row["result"]], language),
    }
    if isinstance(line, NotYet):
        return say("change_told", language, **told)
    return say("change_told_line", language, line=_where(row, norms, line, language), **told)


def _size(row: dict[str, Any], ruler: Yardstick, language: Language) -> str:
    name = "change_size" if ruler.method == "jacobson-truax" else "change_size_beyond"
    return say(
        name, language, **{each: number(row[each], _DIGITS, language) for each in ("change", "low", "high")}
    )


def _weight(row: dict[str, Any], norms: Norms, ruler: Yardstick, language: Language) -> str:
    name = "change_better" if norms.sign * row["change"] > 0 else "change_worse"
    if row["result"] == "unchanged":
        name = "change_within"
    return say(name, language, margin=number(ruler.margin, _DIGITS, language))


def _where(row: dict[str, Any], norms: Norms, line: Cutoff, language: Language) -> str:
    before, after = (norms.sign * (row[name] - line.value) for name in ("before", "after"))
    name = "change_over" if before < 0 < after else "change_back" if after < 0 < before else "change_not_over"
    named = (
        line.source
        if line.kind == "published"
        else say("change_cutoff", language, kind=line.kind, source=line.source)
    )
    return say(name, language, value=number(line.value, _DIGITS, language), cutoff=named)


def _limits(ruler: Yardstick, line: Cutoff | NotYet, language: Language) -> tuple[str, ...]:
    limits = [say(name, language) for name in ("change_limit_therapy", *_OF_METHOD.get(ruler.method, ()))]
    if isinstance(line, NotYet):
        limits.append(say("change_limit_no_line", language, missing=line.missing))
    return tuple(limits)


def _sources(one: Population, other: Population, language: Language) -> str:
    if one.source == other.source:
        return one.source
    return say("change_sources", language, first=one.source, second=other.source)
