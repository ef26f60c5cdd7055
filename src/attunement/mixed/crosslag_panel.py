"""Two measures of each client at each session, laid out so that a likelihood can be summed over them.

Clients who lack the same values share their algebra: they are one *pattern*. Of a pattern with many clients
only the sums of squares and products matter, so its rows are exchanged for few that have the same sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.mixed.design import as_polars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.intp]

FEWEST = 10  # clients that a session, or the whole model, needs
_SHORTEST = 3  # sessions of a client that can tell a level from what moves around it
_LONGEST = 400  # sessions; the covariance is dense
_GATHERED = 4_000_000  # numbers gathered at once
_ROUNDING = 1e-9  # share of a variance
_SAME = 1e-5  # share of the variance within clients that the other measure leaves


@dataclass(frozen=True, slots=True)
class Panel:
    """Clients by sessions by the two measures.

    Parameters
    ----------
    values
        (clients, sessions, 2) in units of `scale` around `center`; NaN where there is no value.
    center, scale
        (2,) mean and standard deviation within clients of each measure, in its own units.
    names
        What the two measures are called.
    first
        Number of the session that comes first here.
    """

    values: Array
    center: Array
    scale: Array
    names: tuple[str, str]
    first: int

    @property
    def sessions(self) -> int:
        """How many sessions the longest series spans."""
        return int(self.values.shape[1])

    @property
    def known(self) -> Flags:
        """(clients, sessions, 2) whether there is a value."""
        return ~np.isnan(self.values)

    @property
    def transitions(self) -> Flags:
        """(clients, sessions - 1) whether this and the very next session have both measures."""
        both: Flags = np.all(self.known, axis=2)
        return both[:, :-1] & both[:, 1:]


def panel(frame: Any, client: str, session: str, x: str, y: str) -> Panel:  # noqa: ANN401 - any eager frame
    """Lay a long table out by client and session; clients without any value are left out.

    The first session is the first that ten clients have with both measures: before it, nothing could be said
    about where the series start.

    Raises
    ------
    ModelProblem
        When a column is missing or no number, a session stands twice, or there is too little to fit.
    """
    table = _checked(as_polars(frame), client, session, x, y)
    first, last = _span(table, (x, y))
    table = table.filter(pl.col(session) >= first).sort(client, session)
    who = table[client].rank("dense").to_numpy() - 1
    values = np.full((int(who.max()) + 1, last - first + 1, 2), np.nan)
    values[who, table[session].to_numpy() - first] = table.select(x, y).to_numpy()
    center = np.nanmean(values, axis=(0, 1))
    bare = Panel(values - center, center, np.ones(2), (x, y), first)
    _refuse_too_little(bare)
    scale = np.sqrt(np.diagonal(within(bare.values)))
    return Panel(bare.values / scale, center, scale, (x, y), first)


def _checked(table: pl.DataFrame, client: str, session: str, x: str, y: str) -> pl.DataFrame:
    """The four columns, typed: sessions whole, what is not finite missing, rows without a value left out."""
    for name in (client, session, x, y):
        if name not in table.columns:
            raise ModelProblem(f"The table has no column {name!r}; it has {', '.join(table.columns)}.")
    for name in (session, x, y):
        if not table[name].dtype.is_numeric() and table[name].dtype != pl.Null:
            raise ModelProblem(f"The column {name!r} is not a number.")
    if x == y:
        raise ModelProblem(f"The two measures are both {x!r}; the model needs two.")
    number = [
        pl.when(pl.col(name).cast(pl.Float64).is_finite()).then(pl.col(name).cast(pl.Float64)).alias(name)
        for name in (x, y)
    ]
    kept = table.select(client, session, *number).filter(pl.any_horizontal(pl.col(x, y).is_not_null()))
    if kept.is_empty():
        raise ModelProblem(f"No row has a value of {x!r} or {y!r}.")
    if kept.select(client, session).null_count().sum_horizontal().item():
        raise ModelProblem(f"Some rows have a value, but no {client!r} or no {session!r}.")
    whole = kept[session].cast(pl.Int64, strict=False)
    if whole.null_count() or not (whole == kept[session]).all():
        raise ModelProblem(f"The column {session!r} counts sessions, and some of its values are not whole.")
    kept = kept.with_columns(whole.alias(session))
    twice = kept.filter(kept.select(client, session).is_duplicated())
    if not twice.is_empty():
        raise ModelProblem(
            f"Client {twice[client][0]} has session {twice[session][0]} more than once; "
            "give a column that names the series, such as therapist and client together."
        )
    return kept


def _span(table: pl.DataFrame, measures: tuple[str, str]) -> tuple[int, int]:
    """The first session that enough clients have with both measures, and the last of all."""
    session = table.columns[1]
    counts = (
        table.filter(pl.all_horizontal(pl.col(measures).is_not_null())).group_by(session).len().sort(session)
    )
    enough = counts.filter(pl.col("len") >= FEWEST)[session]
    if enough.is_empty():
        raise ModelProblem(
            f"No session has both {measures[0]!r} and {measures[1]!r} of {FEWEST} clients or more; "
            "the model cannot be fitted to so few."
        )
    first, last = enough[0], int(table[session].to_numpy().max())
    if last - first >= _LONGEST:
        raise ModelProblem(
            f"Sessions run from {first} to {last}; the model takes {_LONGEST}, so keep the earlier ones."
        )
    return first, last


def _refuse_too_little(laid: Panel) -> None:
    x, y = laid.names
    long = (laid.known.sum(axis=1) >= _SHORTEST).all(axis=1).sum()
    if long < FEWEST:
        raise ModelProblem(
            f"{_clients(long)} {x!r} and {y!r} at {_SHORTEST} sessions or more, counted from session "
            f"{laid.first} on; the model needs {FEWEST}."
        )
    following = laid.transitions.any(axis=1).sum()
    if following < FEWEST:
        raise ModelProblem(
            f"{_clients(following)} {x!r} and {y!r} at two sessions in a row; the model needs {FEWEST}."
        )
    moved, total = within(laid.values), np.nanvar(laid.values, axis=(0, 1))
    for place, name in enumerate(laid.names):
        if not moved[place, place] > _ROUNDING * total[place]:
            raise ModelProblem(f"{name!r} does not vary within clients, so nothing can go with it.")
    if np.linalg.det(moved) <= _SAME * moved[0, 0] * moved[1, 1]:
        raise ModelProblem(f"{x!r} and {y!r} say the same within clients; the model needs two measures.")


def _clients(count: int) -> str:
    return {0: "No client has", 1: "One client has"}.get(int(count), f"{count} clients have")


def within(values: Array) -> Array:
    """(2, 2) covariance around the clients' own means, over sessions that have both measures."""
    both = ~np.isnan(values).any(axis=2)
    who = np.nonzero(both)[0]
    around = centered(values[both], who)
    spare = max(who.size - np.unique(who).size, 1)
    return np.asarray(around.T @ around / spare)


def centered(rows: Array, who: Places) -> Array:
    """Rows less the mean of all rows of the same client."""
    size = np.maximum(np.bincount(who), 1)
    mean = np.column_stack([np.bincount(who, column) / size for column in rows.T])
    return np.asarray(rows - mean[who])


def session_groups(counts: Places) -> Places:
    """Which sessions share a mean: each its own where it has ten values, else with the sessions beside it.

    Parameters
    ----------
    counts
        (sessions,) how many values the scarcer measure has there.
    """
    group, gathered, groups = 0, 0, np.empty(counts.size, dtype=np.intp)
    for place, count in enumerate(counts):
        groups[place] = group
        gathered += count
        if gathered >= FEWEST:
            group, gathered = group + 1, 0
    last = group - 1 if gathered < FEWEST and group else group
    return np.minimum(groups, last)


@dataclass(frozen=True, slots=True)
class Stack:
    """Patterns with as many sessions and as many values missing among them, so that they stack to arrays.

    Parameters
    ----------
    missing
        (patterns, m) which of the 2 x sessions values are missing, sessions in order, x before y.
    clients
        (patterns,) how many clients have the pattern.
    of
        (rows,) the pattern of each row.
    values, weight
        (rows, 2 x sessions) and (rows,): sums over rows of (value, weight) products are the clients'; a
        client is a row of weight 1 as long as there are few. Missing values are 0.
    """

    missing: Places
    clients: Array
    of: Places
    values: Array
    weight: Array

    @property
    def size(self) -> int:
        """Twice the sessions up to the last with a value."""
        return int(self.values.shape[1])


def stacks(values: Array, *, compressed: bool = True) -> tuple[Stack, ...]:
    """Sort clients into patterns; `compressed` gives frequent ones no more rows than their sums need."""
    flat = values.reshape(values.shape[0], -1)
    known = ~np.isnan(flat)
    codes = np.packbits(known, axis=1)
    _, example, pattern, clients = np.unique(
        np.ascontiguousarray(codes).view(f"V{codes.shape[1]}").ravel(),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    known = known[example]
    held: Flags = np.any(known.reshape(-1, *values.shape[1:]), axis=2)
    sizes = 2 * (values.shape[1] - np.argmax(held[:, ::-1], axis=1))
    rows, weight, of = _rows(np.nan_to_num(flat), known, pattern, clients, compressed=compressed)
    absent = sizes - known.sum(axis=1)
    made = []
    for chosen in _alike(sizes, absent):
        size, lacking = int(sizes[chosen[0]]), int(absent[chosen[0]])
        place = np.full(sizes.size, -1)
        place[chosen] = np.arange(chosen.size)
        mine = place[of] >= 0
        missing = np.nonzero(~known[chosen, :size])[1].reshape(chosen.size, lacking)
        made.append(
            Stack(
                missing=missing,
                clients=clients[chosen].astype(float),
                of=place[of[mine]],
                values=np.ascontiguousarray(rows[mine, :size]),
                weight=weight[mine],
            )
        )
    return tuple(made)


def _alike(sizes: Places, absent: Places) -> list[Places]:
    """Patterns of the same size that lack as much, no more at once than memory likes."""
    found: list[Places] = []
    for size, lacking in sorted(set(zip(sizes.tolist(), absent.tolist(), strict=True))):
        chosen = np.flatnonzero((sizes == size) & (absent == lacking))
        pieces = 1 + chosen.size * lacking**2 // _GATHERED
        found += np.array_split(chosen, pieces)
    return found


def _rows(
    flat: Array, known: Flags, pattern: Places, clients: Places, *, compressed: bool
) -> tuple[Array, Array, Places]:
    """Rows, their weight and pattern: the clients of frequent patterns by the triangle of their QR."""
    frequent = clients > known.sum(axis=1) + 1 if compressed else np.zeros(clients.size, dtype=bool)
    alone = np.flatnonzero(~frequent[pattern])
    order = np.argsort(pattern, kind="stable")
    ends = np.cumsum(clients)
    triangles, belong = [flat[alone]], [pattern[alone]]
    weights = [np.ones(alone.size)]
    for each in np.flatnonzero(frequent):
        members = order[ends[each] - clients[each] : ends[each]]
        augmented = np.column_stack([flat[members][:, known[each]], np.ones(members.size)])
        triangle: Array = np.linalg.qr(augmented)[1]
        filled = np.zeros((triangle.shape[0], flat.shape[1]))
        filled[:, known[each]] = triangle[:, :-1]
        triangles.append(filled)
        weights.append(triangle[:, -1])
        belong.append(np.full(triangle.shape[0], each))
    return np.concatenate(triangles), np.concatenate(weights), np.concatenate(belong)
