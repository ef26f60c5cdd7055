"""Sessions that have both: the therapist's feelings, and the client's own report of their state."""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import polars as pl

from attunement import frames
from attunement.errors import ColumnProblem

KEY: Final = ("therapist", "client", "session")
_STATES = (frames.OUTCOMES.column("outcome"), *(frames.RATINGS.column(name) for name in KEY))
STATES: Final = frames.Contract("states", tuple(each for each in _STATES if each), key=KEY)
"""What is taken as states: `frames.RATINGS` with an outcome, `frames.OUTCOMES`, or these columns alone."""


def paired(felt: pl.DataFrame, states: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The sessions with a feeling and a state, in dyads that have two or more, a column a feeling; and their names.

    Raises
    ------
    ColumnProblem
        Where a feeling has the name of another column.
    """
    known = felt.drop_nulls("strength")
    names = tuple(known["feeling"].unique().sort())
    clash = set(names) & {*KEY, "outcome"}
    if clash:
        raise ColumnProblem(f"reflections: a feeling cannot be called {min(clash)!r}.")
    wide = known.pivot("feeling", index=KEY, values="strength", maintain_order=True)
    if not names:
        wide = felt.select(KEY).clear()
    both = wide.join(states, on=KEY).select(*KEY, "outcome", *names)
    return both.filter(pl.len().over("therapist", "client") >= 2), names


def held_states(states: Any, felt: pl.DataFrame) -> pl.DataFrame:  # noqa: ANN401 - any eager frame
    """The clients' states by therapist, client and session, rows without one left out.

    Raises
    ------
    ColumnProblem
        Where there are several instruments, or no therapist while a client met several.
    """
    columns = _column_names(states)
    if "therapist" in columns:
        return frames.hold(states, STATES).select(*KEY, "outcome").drop_nulls("outcome")
    contract = frames.Contract(
        "states", tuple(c for c in STATES.columns if c.name != "therapist"), ("client", "session")
    )
    if "instrument" in columns:
        _refuse_several(frames.outcomes(states))
    held = frames.hold(states, contract).select("client", "session", "outcome").drop_nulls("outcome")
    dyads = felt.select("therapist", "client").unique(maintain_order=True)
    twice = dyads.filter(pl.len().over("client") > 1).join(held, on="client", how="semi")
    if not twice.is_empty():
        raise ColumnProblem(
            f"states: the column therapist is missing, and the client {twice['client'][0]!r} met several; "
            "say whose session each state belongs to."
        )
    return held.join(dyads, on="client").select(*KEY, "outcome")


def _column_names(states: Any) -> list[str]:  # noqa: ANN401 - any eager frame
    try:
        return list(nw.from_native(states, eager_only=True).columns)
    except TypeError:
        return []  # which `frames.hold` refuses in words


def _refuse_several(outcomes: pl.DataFrame) -> None:
    instruments = outcomes["instrument"].unique().sort().to_list()
    if len(instruments) > 1:
        raise ColumnProblem(
            f"states: {len(instruments)} instruments are in it ({', '.join(instruments)}); keep one."
        )
