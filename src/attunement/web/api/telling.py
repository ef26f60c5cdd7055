"""Findings as they go out: the same that the pages show, from the same place where they were worked out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attunement.findings import Finding
from attunement.web.api import models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.findings import NotYet
    from attunement.trajectories import Trajectory
    from attunement.web.working import Board, Worked


def told(found: Finding | NotYet) -> models.Found | models.NotFoundYet:
    """Return a finding for a machine: its number with the interval, its sentence, what it cannot tell."""
    if not isinstance(found, Finding):
        return models.NotFoundYet(
            kind="not yet", about=found.about, sentence=found.sentence, missing=found.missing, supply=found.supply
        )  # fmt: skip
    estimate = found.estimate
    ends = {name: _finite(getattr(estimate, name)) for name in ("value", "low", "high")}
    return models.Found(
        kind="finding",
        about=found.about,
        sentence=found.sentence,
        estimate=models.Estimated(**ends, unit=estimate.unit, level=estimate.level),
        limits=list(found.limits),
    )


def courses(worked: Worked) -> Iterator[tuple[Board, Trajectory]]:
    """Return every course, a measure after the other; within each those first that want attention."""
    for board in worked.boards:
        for each in board.caseload or ():
            yield board, each


def course(board: Board, trajectory: Trajectory) -> models.Course:
    """Return one course with what is told of it."""
    looked = board.ruptures.looked_at(trajectory.client) if board.ruptures else None
    return models.Course(
        client=trajectory.client,
        measure=board.id,
        rated=int(trajectory.rated.size),
        session=trajectory.now,
        word=trajectory.word,
        wants_a_look=trajectory.wants_a_look,
        state=told(trajectory.state),
        depth=told(trajectory.depth),
        speed=told(trajectory.speed),
        plateau=told(trajectory.plateau),
        ruptures=told(board.ruptures.told(looked)) if board.ruptures and looked else None,
    )


def measure(board: Board) -> models.Measured:
    """Return a measure, with what is told of all courses on it."""
    caseload, scale = board.caseload, None
    if caseload is not None:
        ends = {name: getattr(caseload.measure, name) for name in ("low", "high", "established")}
        scale = models.Scale(**ends)
    return models.Measured(
        id=board.id,
        name=board.name,
        scale=scale,
        connected=told(caseload.connected) if caseload else None,
        differences=told(caseload.shares) if caseload else None,
        ruptures=told(board.ruptures.all) if board.ruptures else None,
        limits=list(caseload.limits) if caseload else [],
        problem=board.problem or None,
    )


def _finite(number: float) -> float | None:
    """JSON has no infinity: an open end is null."""
    return number if math.isfinite(number) else None
