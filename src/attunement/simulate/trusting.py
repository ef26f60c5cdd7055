"""Check-ins line by line, and a diary, for a simulated practice: what is planted in them is known.

Trust, openness and depth are each the practice's connection with a part of their own; trust may lead openness and
openness depth, or the other way round, or neither::

    trust(s)     bond(s) + level + own_trust(s)
    openness(s)  bond(s) + level + own_openness(s)      own_openness(s) = keeps · itself(s − 1)
    depth(s)     bond(s) + level + own_depth(s)                          + strength · own_trust(s − 1) + new

The bond is the practice's connection, ruptures and walk and all, and a common drift beside it. An answer is its line
with noise. With no strength planted the bond is all that the lines share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.simulate.published import HIGH, LOW, within
from attunement.trust.lines import DEPTH, LINES, OPENNESS, TRUST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_LATENT: Final = {"trust": TRUST, "openness": OPENNESS, "depth": DEPTH}
_BEFORE = 20  # sessions that own moves have run before the first


@dataclass(frozen=True, slots=True)
class Trusting:
    """How lines move and diaries are kept; points are of the scale from 0 to 10, and all figures are judgements.

    Parameters
    ----------
    to_openness, to_depth
        Points that openness moves at the next session for a point of trust's own move, and depth for one of openness's.
    reversed_order
        Whether openness leads trust, and depth openness, by these strengths instead.
    bond_sd, bond_keeps
        A drift that all lines share beside the connection, and the share of it that is left a session later.
    own_sd, own_keeps
        Each line's own moves: their size without what leads them, and the share left a session later; one number, or
        one each for trust, openness and depth.
    own_tie
        The correlation of what is new in the lines' own moves.
    level_sd
        By how much a dyad's level of one line differs from its connection's.
    noise_sd
        Of one answer.
    step, ceiling
        Points to which answers are rounded (0 leaves them), and whether they are held on the scale.
    called_off, late, by_client
        Shares of the planned sessions that the therapist cancels, of those held that begin late, and of those that the
        client cancels or misses. The first two differ between dyads.
    steady
        How little they differ: the size of a beta distribution.
    """

    to_openness: float = 0.0
    to_depth: float = 0.0
    reversed_order: bool = False
    bond_sd: float = 0.5
    bond_keeps: float = 0.9
    own_sd: float = 0.6
    own_keeps: float | tuple[float, float, float] = 0.3
    own_tie: float = 0.0
    level_sd: float = 0.6
    noise_sd: float = 0.9
    step: float = 1.0
    ceiling: bool = True
    called_off: float = 0.06
    late: float = 0.08
    by_client: float = 0.08
    steady: float = 20.0

    def __post_init__(self) -> None:
        for name in ("bond_sd", "own_sd", "level_sd", "noise_sd", "step"):
            within(name, getattr(self, name), 0.0)
        for name in ("bond_keeps", "called_off", "late", "by_client"):
            within(name, getattr(self, name), 0.0, 0.99)
        for keeps in self.keeps:
            within("own_keeps", keeps, 0.0, 0.99)
        within("own_tie", self.own_tie, 0.0, 0.99)
        within("steady", self.steady, 0.01)

    @property
    def keeps(self) -> tuple[float, float, float]:
        """Of trust, openness and depth."""
        return self.own_keeps if isinstance(self.own_keeps, tuple) else (self.own_keeps,) * 3

    @property
    def lagged(self) -> Floats:
        """(3, 3) what each line's own move takes from those of the session before."""
        found = np.diag(self.keeps)
        ahead, behind = ((0, 1), (1, 2)) if self.reversed_order else ((1, 0), (2, 1))
        found[ahead], found[behind] = self.to_openness, self.to_depth
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Trusted:
    """A practice's check-ins and diary, and what these were made from.

    Parameters
    ----------
    check_ins, sessions
        `frames.CHECK_INS` and `frames.SESSIONS`. A session that was not held has no check-in.
    truth
        A row a dyad and line with an answer: therapist, client, line, level and change. The level is the line at the
        latest session answered, drift and all, but without ruptures (save what these take away on average) and without
        the line's own moves, which pass.
    kept
        A row a dyad: therapist, client, held and late, the expected shares.
    moves
        A row a session: therapist, client, session, trust, openness, depth as they are behind the answers.
    how
        What was planted.
    """

    check_ins: pl.DataFrame = field(repr=False)
    sessions: pl.DataFrame = field(repr=False)
    truth: pl.DataFrame = field(repr=False)
    kept: pl.DataFrame = field(repr=False)
    moves: pl.DataFrame = field(repr=False)
    how: Trusting


def trusting(practice: SimulatedPractice, how: Trusting | None = None, *, seed: int) -> Trusted:
    """Let the clients of a practice answer line by line, and keep its diary; the same seed gives the same."""
    how = how or Trusting()
    rng = np.random.default_rng([seed, 3])
    keys = ["therapist", "client"]
    dyads = practice.ratings.select(keys).unique(maintain_order=True).with_row_index("dyad")
    place = practice.ratings.join(dyads, on=keys, how="left", maintain_order="left")["dyad"].to_numpy()
    slow, fast = _bond(practice)
    session = practice.ratings["session"].to_numpy()
    slow = slow + _drift(rng, place, session, how)
    lasting = slow[:, None] + rng.normal(0.0, how.level_sd, (dyads.height, 3))[place]
    passing = fast[:, None] + _own(rng, session, how)
    diary, kept = _diary(rng, practice, dyads, place, how)
    asked = diary["attendance"].is_in(["held", "late"]) & practice.ratings["score"].is_not_null()
    answers = _answers(rng, lasting + passing, how)
    nothing = ~asked.to_numpy()
    columns = {
        name: pl.Series(np.where(nothing, np.nan, each)).fill_nan(None) for name, each in answers.items()
    }
    who = practice.ratings.select(*keys, "session", "time")
    named = {name: (lasting + passing)[:, at] for at, name in enumerate(_LATENT)}
    return Trusted(
        check_ins=who.with_columns(**columns),
        sessions=diary,
        truth=_truth(who.filter(asked), lasting[~nothing]),
        kept=kept,
        moves=who.drop("time").with_columns(**named),
        how=how,
    )


def _bond(practice: SimulatedPractice) -> tuple[Floats, Floats]:
    """The connection without its ruptures, but with what they take on average, and what remains of them.

    A first session has none, so that on average something is lost to them after it.
    """
    ruptures = practice.truth["of_rupture"].to_numpy()
    later = practice.ratings["session"].to_numpy() > 1
    usually = np.where(later, ruptures[later].mean() if later.any() else 0.0, 0.0)
    return practice.truth["connection"].to_numpy() - ruptures + usually, ruptures - usually


def _drift(rng: np.random.Generator, place: Ints, session: Ints, how: Trusting) -> Floats:
    """(n,) the drift that all lines share: autoregressive, at rest from the first session on."""
    new = rng.standard_normal(place.size)
    found, fresh = np.zeros(place.size), math.sqrt(1.0 - how.bond_keeps**2)
    for at in range(place.size):
        first = session[at] == 1
        found[at] = new[at] if first else how.bond_keeps * found[at - 1] + fresh * new[at]
    return how.bond_sd * found


def _own(rng: np.random.Generator, session: Ints, how: Trusting) -> Floats:
    """(n, 3) the lines' own moves."""
    tie = np.full((3, 3), how.own_tie) + (1.0 - how.own_tie) * np.eye(3)
    fresh = how.own_sd * np.sqrt(1.0 - np.square(how.keeps))
    root = fresh[:, None] * np.linalg.cholesky(tie)
    lagged, found = how.lagged, np.zeros((session.size, 3))
    now = np.zeros(3)
    for at in range(session.size):
        if session[at] == 1:
            now = np.zeros(3)
            for new in rng.standard_normal((_BEFORE, 3)):
                now = lagged @ now + root @ new
        now = lagged @ now + root @ rng.standard_normal(3)
        found[at] = now
    return found


def _answers(rng: np.random.Generator, lines: Floats, how: Trusting) -> dict[str, Floats]:
    found = {}
    for at, names in enumerate(_LATENT.values()):
        for name in names:
            exact = lines[:, at] + rng.normal(0.0, how.noise_sd, lines.shape[0])
            rounded = np.round(exact / how.step) * how.step if how.step else exact
            found[name] = np.clip(rounded, LOW, HIGH) if how.ceiling else rounded
    return found


def _diary(
    rng: np.random.Generator, practice: SimulatedPractice, dyads: pl.DataFrame, place: Ints, how: Trusting
) -> tuple[pl.DataFrame, pl.DataFrame]:
    off, late = (_shares(rng, mean, how.steady, dyads.height) for mean in (how.called_off, how.late))
    drawn = rng.random((3, place.size))
    by_client, cancels = drawn[0] < how.by_client, drawn[1] < off[place]
    begins_late = drawn[2] < late[place]
    attendance = np.select(
        [by_client & (drawn[1] < 0.5), by_client, cancels, begins_late],
        ["cancelled by client", "missed", "cancelled by therapist", "late"],
        "held",
    )
    minutes = np.where(attendance == "late", 5.0 + np.round(rng.exponential(8.0, place.size)), np.nan)
    diary = practice.ratings.select("therapist", "client", "session", "time").with_columns(
        attendance=pl.Series(attendance.tolist()), lateness=pl.Series(minutes).fill_nan(None)
    )
    return diary, dyads.drop("dyad").with_columns(held=1.0 - off, late=late)


def _shares(rng: np.random.Generator, mean: float, size: float, many: int) -> Floats:
    return rng.beta(mean * size, (1.0 - mean) * size, many) if mean else np.zeros(many)


def _truth(answered: pl.DataFrame, lasting: Floats) -> pl.DataFrame:
    """Level and change of the three lines. Empathy and non-judgment are both of trust."""
    of = dict(zip(LINES, (0, 0, 1), strict=True))
    pieces = []
    for line, at in of.items():
        laid = answered.select("therapist", "client", "session", pl.Series("value", lasting[:, at]))
        told = laid.group_by("therapist", "client", maintain_order=True).agg(
            level=pl.col("value").last(), first=pl.col("value").first()
        )
        pieces.append(
            told.with_columns(line=pl.lit(line), change=pl.col("level") - pl.col("first")).drop("first")
        )
    return pl.concat(pieces).select("therapist", "client", "line", "level", "change")
