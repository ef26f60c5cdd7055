"""Other signs of a rupture: what the client says hindered, and how far away the therapist felt.

Both answer from 0 to 10, mostly low; each side notices some of the sessions that lie in a rupture, independently of the
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attunement.simulate.published import HIGH, LOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.diary import Diary
    from attunement.simulate.published import Published

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_USUAL, _NOISE = 1.0, 1.0  # points: the spread of usual levels, and from session to session
_MORE = (1.5, 3.5)  # points by which a noticed rupture raises the answer


def signs(
    rng: np.random.Generator, diary: Diary, ruptured: Flags, settings: Published
) -> tuple[Floats, Floats]:
    """(n,) hindering, as the client answers; (n,) distance, as the therapist felt it; whole points."""
    return (
        _answers(rng, diary, ruptured, settings.client_notices),
        _answers(rng, diary, ruptured, settings.therapist_notices),
    )


def _answers(rng: np.random.Generator, diary: Diary, ruptured: Flags, notices: float) -> Floats:
    usual = np.abs(rng.normal(0.0, _USUAL, diary.held.size))[diary.dyad]
    noticed = ruptured & (rng.random(ruptured.size) < notices)
    raised = np.where(noticed, rng.uniform(*_MORE, ruptured.size), 0.0)
    felt = usual + raised + rng.normal(0.0, _NOISE, ruptured.size)
    return np.asarray(np.round(np.clip(felt, LOW, HIGH)), dtype=np.float64)
