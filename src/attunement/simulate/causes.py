"""A client with whom the bond does not form, for a reason that is known: one of eight, or none of them.

Around one planted client there is a practice of others, and everything that a therapist may have written down:
feelings, days, triggers, guesses, the client's word on their background, their state. Each cause leaves its mark where
it would in life, and nowhere else; how deep a mark varies from case to case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.simulate.practice import simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]

CAUSES: Final = ("forming", "torn", "theme", "day", "stirs", "style", "unsaid", "outside")
FEELINGS: Final = ("heavy", "tense", "bored")
_TRIGGERS: Final = ("silence", "criticism", "crying", "lateness")
_DEEP: Final = (0.2, 1.2)  # how deep a mark is, against what is usual for it [judgement]
_KEY = ("therapist", "client", "session")


@dataclass(frozen=True, slots=True, eq=False)
class NotConnecting:
    """A practice, with one client of whom it is known why.

    Parameters
    ----------
    practice
        The ratings, the planted client's among them.
    client, cause
        Who, and why; ``none`` where nothing of the eight was planted.
    feelings, days, triggers, background, states
        As `attunement.connecting.Known` has them.
    """

    practice: SimulatedPractice
    client: str
    cause: str
    ratings: pl.DataFrame = field(repr=False)
    feelings: pl.DataFrame = field(repr=False)
    days: pl.DataFrame = field(repr=False)
    triggers: pl.DataFrame = field(repr=False)
    background: pl.DataFrame = field(repr=False)
    states: pl.DataFrame = field(repr=False)


def not_connecting(cause: str, *, seed: int, clients: int = 30) -> NotConnecting:
    """Plant one cause in one client.

    Parameters
    ----------
    cause
        One of `CAUSES`, or ``none``.
    seed, clients
        As for `simulate`.

    Raises
    ------
    ModelProblem
        Where there is no such cause.
    """
    if cause not in (*CAUSES, "none"):
        raise ModelProblem(f"A planted cause is one of {', '.join(CAUSES)}, or none; {cause!r} is not.")
    course = {"forming": "slow", "torn": "falling", "outside": "falling"}.get(cause, "stalled")
    practice = simulate(1, clients, seed=seed, plant={course: 1})
    client = practice.clients.filter(pl.col("course") == course)["client"][0]
    return _Marked(practice, client, cause, np.random.default_rng([seed, 2])).whole()


class _Marked:
    """Draws each table in turn, with the planted mark in it."""

    def __init__(
        self, practice: SimulatedPractice, client: str, cause: str, rng: np.random.Generator
    ) -> None:
        self.practice, self.client, self.cause, self.rng = practice, client, cause, rng
        self.rows = practice.ratings.select(_KEY)
        self.own = (self.rows["client"] == client).to_numpy()
        self.deep = float(rng.uniform(*_DEEP))
        self.trigger = _TRIGGERS[int(rng.integers(len(_TRIGGERS)))]

    def whole(self) -> NotConnecting:
        triggers = self._triggers()
        strain = np.clip(self.rng.normal(4.0, 2.0, self.rows.height), 0, 10)
        return NotConnecting(
            practice=self.practice,
            client=self.client,
            cause=self.cause,
            ratings=self._ratings(),
            feelings=self._feelings(triggers, strain),
            days=self.rows.with_columns(strain=pl.Series(strain)),
            triggers=triggers,
            background=self._background(),
            states=self._states(),
        )

    def _is(self, cause: str) -> bool:
        return self.cause == cause

    def _ratings(self) -> pl.DataFrame:
        """A rupture that never healed: all at once, instead of down a slope; a style that is misread, either way."""
        ratings = self.practice.ratings
        score = ratings["score"].to_numpy().copy()
        guess = ratings["guess"].to_numpy().copy()
        if self._is("torn"):
            score[self.own] = self._torn(int(self.own.sum()))
        if self._is("style"):
            guess[self.own] += self.deep * 5.0 * self.rng.choice([-1.0, 1.0])
        put = {"score": np.clip(np.round(score, 1), 0, 10), "guess": np.clip(np.round(guess, 1), 0, 10)}
        return ratings.with_columns(**{name: pl.Series(each).fill_nan(None) for name, each in put.items()})

    def _torn(self, many: int) -> Floats:
        settings = self.practice.settings
        at = int(self.rng.integers(many // 2, many - 2))
        level = np.where(np.arange(many) < at, settings.start + 0.3, settings.start - 2.2 - 0.8 * self.deep)
        return np.asarray(level + self.rng.normal(0.0, 0.6, many))

    def _triggers(self) -> pl.DataFrame:
        """Every client brings one of four, in about a third of the sessions; the planted one brings theirs."""
        names = self.rows["client"].unique(maintain_order=True)
        brings = dict(zip(names, self.rng.choice(_TRIGGERS, len(names)), strict=True)) | {
            self.client: self.trigger
        }
        for name in [each for each in names if each != self.client][:3]:
            brings[name] = self.trigger
        tags = pl.Series("tag", [str(brings[each]) for each in self.rows["client"]])
        return self.rows.with_columns(tags).filter(
            pl.Series(self.rng.random(self.rows.height) < 1 / 3) | pl.Series(self.own)
        )

    def _feelings(self, triggers: pl.DataFrame, strain: Floats) -> pl.DataFrame:
        """Three heavy feelings: the therapist's habit, what each client stirs, the session, and the mark."""
        rows = self.rows
        names = rows["client"].unique(maintain_order=True)
        stirred = dict(zip(names, self.rng.normal(0, 0.8, len(names)), strict=True))
        base = 3.0 + np.array([stirred[each] for each in rows["client"]])
        if self._is("stirs"):
            base[self.own] = 3.0 + 2.8 * self.deep
        if self._is("theme"):
            shares = set(triggers.filter(pl.col("tag") == self.trigger)["client"])
            base += np.array([1.7 * self.deep if each in shares else 0.0 for each in rows["client"]])
        if self._is("day"):
            base += np.where(self.own, 0.55 * self.deep * (strain - 4.0), 0.0)
        felt = []
        for name in FEELINGS:
            strength = np.clip(np.round(base + self.rng.normal(0, 1.2, rows.height)), 0, 10)
            felt.append(rows.with_columns(feeling=pl.lit(name), strength=pl.Series(strength)))
        return pl.concat(felt)

    def _background(self) -> pl.DataFrame:
        """Mostly nothing was missed; where it was, the client says so in most sessions."""
        usual = np.abs(self.rng.normal(0.0, 1.0, self.rows.height))
        said = 1.3 * self.deep * (self.rng.random(self.rows.height) < 0.75)
        missed = np.where(self.own & self._is("unsaid"), usual + said, usual)
        return self.rows.with_columns(missed=pl.Series(np.clip(np.round(missed), 0, 10)))

    def _states(self) -> pl.DataFrame:
        """Distress, 0 to 40: it goes down a little as therapies go on; from outside, it goes up."""
        names = self.rows["client"].unique(maintain_order=True)
        level = dict(zip(names, self.rng.normal(20.0, 4.0, len(names)), strict=True))
        session = self.rows["session"].to_numpy()
        rise = np.where(self.own & self._is("outside"), 1.0 * self.deep, 0.0)
        state = np.array([level[each] for each in self.rows["client"]]) + rise * session
        drawn = np.clip(np.round(state + self.rng.normal(0, 3.0, session.size)), 0, 40)
        return self.rows.with_columns(outcome=pl.Series(drawn)).select("client", "session", "outcome")
