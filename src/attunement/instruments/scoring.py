"""Answers become a `Score`: a pure function, the same numbers for one check-in and for a frame of them.

A skipped item is ``None`` (in a frame: null), is counted as skipped, and is never filled in. Where too many
items of a scale were skipped, the score of that scale is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, NoReturn, TypeAlias, TypeGuard

import polars as pl

from attunement.errors import InstrumentProblem

if TYPE_CHECKING:
    from attunement.instruments.description import Higher, Instrument, Item, Scale

Answers: TypeAlias = Mapping[str, float | None]
"""Every item's id, with its answer in points, or None where it was skipped."""


@dataclass(frozen=True, slots=True)
class ScaleScore:
    """The score of one scale, with what is needed to read it: its bounds and its direction.

    Parameters
    ----------
    scale
        The scale's id.
    value
        In points, ``low <= value <= high``; None where fewer items were answered than the scale needs.
    low, high
        The lowest and the highest score that the scale can have.
    higher
        What a higher score means: ``closer``, ``better`` or ``worse``.
    answered, skipped
        How many of its items were, and were not.
    """

    scale: str
    value: float | None
    low: float
    high: float
    higher: Higher
    answered: int
    skipped: int

    def __str__(self) -> str:
        """Return it as a line of a report."""
        asked = self.answered + self.skipped
        if self.value is None:
            return f"{self.scale}: missing, {self.answered} of {asked} answered"
        return (
            f"{self.scale}: {self.value:.1f} on {self.low:g} to {self.high:g}, "
            f"higher is {self.higher}, {self.answered} of {asked} answered"
        )


@dataclass(frozen=True, slots=True)
class Score:
    """What the answers to one instrument come to.

    Parameters
    ----------
    instrument, version
        Which instrument was answered; scores of two versions are not compared.
    scales
        One score a scale, in the instrument's order.
    apart
        The items that stand apart, with their answers as given.
    answered, skipped
        The ids of the items that were, and were not.
    """

    instrument: str
    version: str
    scales: tuple[ScaleScore, ...]
    apart: tuple[tuple[str, float | None], ...]
    answered: tuple[str, ...]
    skipped: tuple[str, ...]

    def __getitem__(self, name: str) -> float | None:
        """Return the number of a scale, or of an item that stands apart, by its id."""
        numbers = {one.scale: one.value for one in self.scales} | dict(self.apart)
        if name not in numbers:
            raise InstrumentProblem(
                f"{self.instrument}: {name!r} is none of its scores ({', '.join(numbers)})."
            )
        return numbers[name]

    @property
    def main(self) -> ScaleScore:
        """The score that is meant where one number is wanted: ``total``, or else the first."""
        return next((each for each in self.scales if each.scale == "total"), self.scales[0])

    def __str__(self) -> str:
        """Return it as a short report: a line a scale, what stands apart, what was skipped."""
        apart = [
            f"{name}, apart: {'skipped' if value is None else f'{value:g}'}" for name, value in self.apart
        ]
        skipped = [f"skipped: {', '.join(self.skipped)}"] if self.skipped else []
        lines = [*map(str, self.scales), *apart, *skipped]
        return "\n  ".join([f"{self.instrument}, version {self.version}", *lines])


def score(instrument: Instrument, answers: Answers) -> Score:
    """Score the answers that one person gave at one time.

    Raises
    ------
    InstrumentProblem
        Where an answer belongs to no item, an item has no answer (not even None), an answer is none that can be
        given, or no score can be made of answers here.
    """
    _refuse_unscored(instrument)
    given = held(instrument, answers)
    return Score(
        instrument=instrument.id,
        version=instrument.version,
        scales=tuple(_score_scale(instrument, scale, given) for scale in instrument.scales),
        apart=tuple((item.id, given[item.id]) for item in instrument.items if item.apart),
        answered=tuple(name for name, answer in given.items() if answer is not None),
        skipped=tuple(name for name, answer in given.items() if answer is None),
    )


def held(instrument: Instrument, answers: Answers) -> dict[str, float | None]:
    """Hold answers to their instrument: every item has one, in the instrument's order, or None where it was skipped.

    Raises
    ------
    InstrumentProblem
        As `score`.
    """
    known = {item.id for item in instrument.items}
    for name in answers:
        if name not in known:
            instrument.item(name)
    return {item.id: _answer(instrument, item, answers) for item in instrument.items}


def score_frame(instrument: Instrument, frame: pl.DataFrame) -> pl.DataFrame:
    """Score a frame of answers: a row a check-in, a column an item, null where it was skipped.

    Returns
    -------
    polars.DataFrame
        A column a scale, Float64 in points, row for row; null where the score is missing. Columns that are no
        items (who, when) are passed over.

    Raises
    ------
    InstrumentProblem
        With the column, and the first row, counted from 1.
    """
    _refuse_unscored(instrument)
    _refuse_frame(instrument, frame)
    return frame.select(_scale_column(instrument, scale, frame) for scale in instrument.scales)


def _refuse_unscored(instrument: Instrument) -> None:
    if instrument.words == "totals only":
        raise InstrumentProblem(f"{instrument.id}: a total is taken, and no answers to items.")
    if instrument.unscored:
        raise InstrumentProblem(f"{instrument.id}: no score is made here. {instrument.unscored}")


def _answer(instrument: Instrument, item: Item, answers: Answers) -> float | None:
    if item.id not in answers:
        raise InstrumentProblem(f"{instrument.id}: {item.id} has no answer; where it was skipped, say None.")
    answer = answers[item.id]
    if answer is None:
        return None
    if not _is_number(answer) or not instrument.holds(item, float(answer)):
        raise InstrumentProblem(f"{instrument.id}: {item.id} is {answer!r}; {_taken(instrument, item)}.")
    return float(answer)


def _is_number(answer: object) -> TypeGuard[float]:
    return isinstance(answer, Real) and not isinstance(answer, bool)


def _taken(instrument: Instrument, item: Item) -> str:
    ends, choices = instrument.ends, [str(each.value) for each in instrument.choices_of(item)]
    number = f"one of {', '.join(choices)}" if choices else f"a number from {ends.low} to {ends.high}"
    return f"it takes {number}, or nothing where it was skipped"


def _score_scale(instrument: Instrument, scale: Scale, given: Answers) -> ScaleScore:
    counted = [
        _keyed(instrument, name, answer) for name in scale.items if (answer := given[name]) is not None
    ]
    enough = len(counted) >= scale.at_least
    low, high = instrument.bounds(scale)
    return ScaleScore(
        scale=scale.id,
        value=sum(counted) * scale.weight / len(counted) if enough else None,
        low=low,
        high=high,
        higher=scale.higher,
        answered=len(counted),
        skipped=len(scale.items) - len(counted),
    )


def _keyed(instrument: Instrument, name: str, answer: float) -> float:
    return instrument.ends.turn(answer) if instrument.item(name).reverse else answer


def _scale_column(instrument: Instrument, scale: Scale, frame: pl.DataFrame) -> pl.Expr:
    counted = [_keyed_column(instrument, name) for name in scale.items]
    skipped = any(frame[name].null_count() for name in scale.items)
    if scale.at_least == len(counted) or not skipped:  # no skips to count: where one is null, so is the sum
        return (pl.sum_horizontal(counted, ignore_nulls=False) * scale.weight / len(counted)).alias(scale.id)
    answered = pl.sum_horizontal(column.is_not_null() for column in counted)
    value = pl.sum_horizontal(counted) * scale.weight / answered
    return pl.when(answered >= scale.at_least).then(value).alias(scale.id)


def _keyed_column(instrument: Instrument, name: str) -> pl.Expr:
    column = pl.col(name).cast(pl.Float64)
    ends = instrument.ends
    return ends.low + ends.high - column if instrument.item(name).reverse else column


def _refuse_frame(instrument: Instrument, frame: pl.DataFrame) -> None:
    """Hold all columns to their answers in one pass; only where it finds one that does not is the row looked for."""
    for item in instrument.items:
        _refuse_kind(instrument, item, frame)
    held = frame.select(_given(instrument, item).all() for item in instrument.items)
    for item in instrument.items:
        if not held[item.id][0]:
            _refuse_answer(instrument, item, frame)


def _refuse_kind(instrument: Instrument, item: Item, frame: pl.DataFrame) -> None:
    column = f"{instrument.id}: the column {item.id}"
    if item.id not in frame.columns:
        raise InstrumentProblem(f"{column} is missing; where nobody answered it, it is a column of nulls.")
    kind = frame.schema[item.id]
    if not (kind.is_numeric() or kind == pl.Null):
        raise InstrumentProblem(f"{column} holds {kind}; {_taken(instrument, item)}.")


def _refuse_answer(instrument: Instrument, item: Item, frame: pl.DataFrame) -> NoReturn:
    rows = frame.select(~_given(instrument, item)).to_series().arg_true()
    first = int(rows[0])
    more = f", the first of {rows.len()} such rows" if rows.len() > 1 else ""
    raise InstrumentProblem(
        f"{instrument.id}: the column {item.id} has {frame[item.id][first]} in row {first + 1}{more}; "
        f"{_taken(instrument, item)}."
    )


def _given(instrument: Instrument, item: Item) -> pl.Expr:
    """Which answers can be given; null where it was skipped."""
    answers = pl.col(item.id).cast(pl.Float64)
    choices = [float(each.value) for each in instrument.choices_of(item)]
    return (
        answers.is_in(choices) if choices else answers.is_between(instrument.ends.low, instrument.ends.high)
    )
