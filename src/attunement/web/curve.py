"""A client's own course as a small picture: a dot an answer, joined where no session between is missing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEFT, RIGHT, HEAD, FOOT = 30.0, 310.0, 10.0, 130.0  # of the picture, in its own units


@dataclass(frozen=True, slots=True)
class Curve:
    """Where everything stands.

    Parameters
    ----------
    dots
        An answer each: how far across, and how far down.
    lines
        Dots that follow each other, as the points of a line.
    gaps
        Whether somewhere an answer is missing between two.
    """

    dots: tuple[tuple[float, float], ...]
    lines: tuple[str, ...]
    gaps: bool


def curve(
    rated: Sequence[tuple[int, float]], low: float = 0, high: float = 10, *, each_session: bool = True
) -> Curve:
    """Lay a course out.

    Parameters
    ----------
    rated
        Number of the session and what was answered, in the order of sessions.
    low, high
        The ends of the scale.
    each_session
        Whether it is asked at every session, so that one without an answer is a gap.

    Examples
    --------
    >>> curve([(1, 5.0), (2, 10.0), (4, 0.0)])
    Curve(dots=((30.0, 70.0), (123.3, 10.0), (310.0, 130.0)), lines=('30.0,70.0 123.3,10.0',), gaps=True)
    """
    runs = _runs(rated) if each_session or not rated else [list(rated)]
    first, last = (rated[0][0], rated[-1][0]) if rated else (0, 0)

    def place(number: int, value: float) -> tuple[float, float]:
        across = (number - first) / (last - first) if last > first else 0.5
        down = (high - value) / (high - low)
        return round(LEFT + across * (RIGHT - LEFT), 1), round(HEAD + down * (FOOT - HEAD), 1)

    placed = [[place(*each) for each in run] for run in runs]
    lines = tuple(" ".join(f"{x},{y}" for x, y in run) for run in placed if len(run) > 1)
    return Curve(tuple(dot for run in placed for dot in run), lines, len(runs) > 1)


def _runs(rated: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """Answers of sessions that follow each other, run by run."""
    runs = [list(rated[:1])] if rated else []
    for before, each in pairwise(rated):
        if each[0] > before[0] + 1:
            runs.append([])
        runs[-1].append(each)
    return runs
