"""What a simulated practice lives through beside its ratings: states, growth, and what the therapist felt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from attunement.instruments import instrument
from attunement.sessions import FEELINGS, Reflection
from attunement.simulate.feeling import Feeling, feeling
from attunement.simulate.outcomes import carrying

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from attunement.sessions import Whose
    from attunement.simulate import SimulatedPractice

    Where = tuple[str, int]

UNPLEASANT: Final = tuple(unpleasant for _, unpleasant in FEELINGS[:4])
_PER_POINT: Final = 3.0
"""Points of the simulated outcome, where higher is worse, in a point of a state, where higher is better."""
_GROWTH_EVERY: Final = 4  # sessions


@dataclass(frozen=True, slots=True)
class Life:
    """By client and session, what was true.

    Parameters
    ----------
    felt
        How strong each unpleasant feeling of the therapist was.
    day
        How the therapist's own day was.
    whose, tags
        As the therapist named and marked it.
    state
        How the client was before the session, 0 to 10, higher is better.
    """

    felt: dict[Where, dict[str, float]] = field(repr=False)
    day: dict[Where, float] = field(repr=False)
    whose: dict[Where, Whose] = field(repr=False)
    tags: dict[Where, tuple[str, ...]] = field(repr=False)
    state: dict[Where, float] = field(repr=False)

    @classmethod
    def of(cls, simulated: SimulatedPractice, seed: int) -> Self:
        """Draw the rest of a practice; the same seed gives the same."""
        felt = feeling(simulated, Feeling(feelings=UNPLEASANT, noise_sd=1.0, step=1.0), seed=seed)
        outcomes = carrying(simulated, seed=seed).truth.select("client", "session", "outcome")
        feelings: dict[Where, dict[str, float]] = {}
        for client, session, name, strength in _rows(felt.reflections, "feeling", "strength"):
            feelings.setdefault((client, session), {})[name] = strength
        tags: dict[Where, tuple[str, ...]] = {}
        for client, session, kind, tag in _rows(felt.tags, "kind", "tag"):
            tags[client, session] = (*tags.get((client, session), ()), f"{kind}: {tag}")
        return cls(
            feelings,
            {(client, session): day for client, session, day in _rows(felt.days, "my_day")},
            {(client, session): whose for client, session, whose in _rows(felt.namings, "whose")},
            tags,
            {(c, s): _held(10 - outcome / _PER_POINT) for c, s, outcome in outcomes.iter_rows()},
        )

    def asked_before(self, client: str, session: int) -> Iterator[tuple[str, dict[str, float | None]]]:
        """What the client answers before a session: how they are, and every few sessions of growth."""
        state = self.state.get((client, session))
        if state is None:
            return
        asked = instrument("state")
        counted = asked.scale("total").items
        yield (
            "state",
            {
                each.id: (10 - state if each.reverse else state) if each.id in counted else None
                for each in asked.items
            },
        )
        if session % _GROWTH_EVERY == 1:
            grown = _held(3 + session / 8)
            yield "growth", {each.id: grown for each in instrument("growth").items}

    def reflection(
        self, client: str, session: int, guess: float, rating: object, draws: np.random.Generator
    ) -> Reflection:
        """What the therapist wrote down after a session, with a guess of each line."""
        low = isinstance(rating, float) and rating < 4.5
        guesses = np.clip(np.round(guess + draws.normal(0, 0.6, 7)), 0, 10)
        counted = instrument("connection").scale("total").items
        warm = _held(float(guess) - 1 + draws.normal(0, 1))
        where = (client, session)
        return Reflection(
            connection=_held(guess + draws.normal(0, 0.7)),
            guess=dict(zip(counted, map(float, guesses), strict=True)),
            feelings={"warm": warm, **self.felt.get(where, {})},
            pull=("rescue",) if low else (),
            whose=self.whose.get(where),
            strain=("withdrew",) if low and draws.random() < 0.6 else (),
            tags=self.tags.get(where, ()),
            my_day=_held(self.day[where]) if where in self.day else None,
            words="A simulated reflection; nobody wrote it.",
        )


def _rows(table: pl.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return table.select("client", "session", *names).iter_rows()


def _held(value: float) -> float:
    """A whole point from 0 to 10."""
    return abs(float(np.clip(np.round(value), 0, 10)))
