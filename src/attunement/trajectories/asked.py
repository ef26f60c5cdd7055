"""The courses of whatever an analysis was given: courses already worked out, a practice, or a table of ratings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from attunement import frames
from attunement.errors import TooLittle
from attunement.trajectories.caseload import Caseload, trajectories
from attunement.trajectories.measure import Measure

if TYPE_CHECKING:
    from attunement.instruments.description import Language


def asked(
    given: Any,  # noqa: ANN401 - see above
    measure: Measure | None = None,
    *,
    language: Language = "en",
) -> Caseload:
    """Work out the courses, where they are not yet.

    Parameters
    ----------
    given
        A `Caseload`, which is returned as it is; a practice, whose check-ins are read; or a table of ratings.
    measure
        The scale; a practice's is that of its check-in.
    language
        Of the sentences; courses already worked out keep theirs.

    Raises
    ------
    TooLittle
        Where a table has no measure: what the ends of its scale are is not guessed.
    ColumnProblem
        Where it is none of these.

    Examples
    --------
    >>> from attunement.simulate import simulate
    >>> len(asked(simulate(clients=3, seed=1)).trajectories)
    3
    """
    if isinstance(given, Caseload):
        return given
    scale = measure_of(given, measure)
    return trajectories(frames.ratings(given), scale, language=language)


def measure_of(given: Any, measure: Measure | None = None) -> Measure:  # noqa: ANN401 - see above
    """Return the scale of what was given; `asked` says when it has to be named."""
    if measure is not None:
        return measure
    if isinstance(nw.from_native(given, eager_only=True, pass_through=True), nw.DataFrame):
        raise TooLittle("A table does not say what its scale is; give it: measure=Measure(0, 10).")
    return Measure.of("connection")
