r"""Who was at risk of leaving after which session, and what was known of them by then: person-sessions.

Everything in a row is as of its own session: the connection as filtered from the ratings so far, never smoothed by
later ones. With the model of courses, the ratings so far and the connection at the next session are jointly normal; one
Cholesky factor a dyad gives :math:`E[\text{connection at } s + 1 \mid y_1, …, y_s]` for all s at once. It is told from
what is expected of a new client at that session, in standard deviations of the connection between clients there: so a
slope on it is one on the true connection, whatever noise the ratings have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.errors import ColumnProblem
from attunement.ruptures.foreseen import foreseen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.ruptures import Ruptures
    from attunement.ruptures.foreseen import Foreseen
    from attunement.trajectories.model import CourseModel

    Array = NDArray[np.float64]

EARLY: Final = 3
"""Sessions that count as early: dropout is most frequent after these."""
_LONGEST_GAP = 2.0  # doublings of the usual gap, beyond which it counts no more
_KEY = ["therapist", "client", "session"]
_DYAD = _KEY[:2]


def at_risk(
    table: pl.DataFrame,
    endings: pl.DataFrame,
    sessions: pl.DataFrame | None,
    model: CourseModel,
    torn: Ruptures,
) -> pl.DataFrame:
    """Lay out a row a session after which somebody might have left.

    Parameters
    ----------
    table, endings, sessions
        As `frames` holds them.
    model
        The practice's courses.
    torn
        Its ruptures.

    Returns
    -------
    polars.DataFrame
        ``therapist, client, session, left`` (1, 0; missing after the present session of those still here) and
        ``connection, fall, rupture, early``; with `sessions` also ``late, absent, gap``. Dyads without an ending, and
        the last session of those whose ending was agreed, have no row.

    Raises
    ------
    ColumnProblem
        Where somebody was met after what is called the last session.
    """
    met = _met(table, endings, sessions)
    rows = met.join(_filtered(table, met, model), on=_KEY, how="left", maintain_order="left")
    rows = rows.with_columns(rupture=_open(rows, torn), early=(pl.col("session") <= EARLY).cast(pl.Float64))
    if sessions is not None:
        rows = rows.join(_attended(sessions), on=_KEY, how="left", maintain_order="left").with_columns(
            pl.col("late", "absent", "gap").fill_null(0.0)
        )
    return rows.filter(~(pl.col("present") & (pl.col("ending") == "agreed"))).drop("ending", "present")


def _met(table: pl.DataFrame, endings: pl.DataFrame, sessions: pl.DataFrame | None) -> pl.DataFrame:
    """Every session of a dyad whose ending is known, from the first that is in a table up to the last."""
    seen = pl.concat([table.select(_KEY), *([] if sessions is None else [sessions.select(_KEY)])])
    dyads = seen.group_by(_DYAD).agg(first=pl.col("session").min(), seen=pl.col("session").max())
    dyads = dyads.join(endings, on=_DYAD).sort(_DYAD)
    last = pl.col("last") if "last" in dyads.columns else pl.lit(None, dtype=pl.Int64)
    dyads = dyads.with_columns(last=pl.coalesce(last, "seen"))
    _refuse_after(dyads)
    rows = dyads.with_columns(session=pl.int_ranges("first", pl.col("last") + 1)).explode("session")
    present = pl.col("session") == pl.col("last")
    went = pl.when(~present).then(0.0).when(pl.col("ending") == "left").then(1.0)
    return rows.select(*_KEY, "ending", left=went, present=present)


def _refuse_after(dyads: pl.DataFrame) -> None:
    after = dyads.filter(pl.col("seen") > pl.col("last"))
    if not after.is_empty():
        first = after.row(0, named=True)
        raise ColumnProblem(
            f"endings: the last session of the client {first['client'][:24]!r} is {first['last']}, and there is a "
            f"session {first['seen']} in the other tables."
        )


def _filtered(table: pl.DataFrame, met: pl.DataFrame, model: CourseModel) -> pl.DataFrame:
    """The connection and the fall after each session that was met, from ratings up to it."""
    grid = met.group_by(_DYAD, maintain_order=True).agg(last=pl.col("session").max())
    grid = grid.select(*_DYAD, session=pl.int_ranges(1, pl.col("last") + 2)).explode("session")
    grid = grid.join(table.select(*_KEY, "score"), on=_KEY, how="left", maintain_order="left")
    length = pl.col("therapist").str.len_chars()
    named = grid.with_columns(dyad=pl.concat_str(length, "therapist", "client", separator=" "))
    found = [_after_each(each, model) for each in foreseen(named, model)]
    return pl.concat(found)


def _after_each(dyad: Foreseen, model: CourseModel) -> pl.DataFrame:
    """One dyad, its grid running one session beyond the last; unrated sessions hold no rating."""
    rated = np.flatnonzero(~np.isnan(dyad.score))
    root = np.linalg.inv(np.linalg.cholesky(dyad.covariance[:, rated[:, None], rated]))
    surprise = np.einsum("vij,vj->vi", root, dyad.score[rated] - dyad.mean[:, rated])
    weight = np.einsum("vij,vjt->vit", root, dyad.covariance[:, rated[:, None], np.arange(dyad.session.size)])
    target = np.arange(1, dyad.session.size)
    known = rated[:, None] < target
    ahead = (dyad.mean[:, 1:] + np.einsum("vi,vit,it->vt", surprise, weight[:, :, 1:], known)).mean(axis=0)
    fall = np.zeros(dyad.session.size)
    fall[rated[1:]] = surprise.mean(axis=0)[1:]
    session = dyad.session[:-1].astype(np.int64)
    return pl.DataFrame(
        {
            "therapist": [dyad.therapist] * session.size,
            "client": [dyad.client] * session.size,
            "session": session,
            "connection": (ahead - model.expected(dyad.session[1:], 0.5)) / _spread(model, dyad.session[1:]),
            "fall": fall[:-1],
        }
    )


def _spread(model: CourseModel, session: Array) -> Array:
    """(n,) standard deviation of the connection between new clients, in points."""
    return np.asarray(model.expected(session, 0.841345) - model.expected(session, 0.5))


def points(model: CourseModel) -> float:
    """One standard deviation of the connection between clients early in therapy, in points."""
    return float(_spread(model, np.array([float(EARLY)]))[0])


def _open(rows: pl.DataFrame, torn: Ruptures) -> pl.Series:
    """Whether an episode was open after the session, as far as was known by then."""
    episodes = torn.episodes.select(*_DYAD, "alerted", "closed")
    during = rows.select(_KEY).join(episodes, on=_DYAD).filter(
        pl.col("session") >= pl.col("alerted"),
        pl.col("closed").is_null() | (pl.col("session") < pl.col("closed")),
    )  # fmt: skip
    seen = during.select(_KEY).unique().with_columns(rupture=pl.lit(1.0))
    return rows.join(seen, on=_KEY, how="left", maintain_order="left")["rupture"].fill_null(0.0)


def _attended(sessions: pl.DataFrame) -> pl.DataFrame:
    """Whether it began late, or the client did not come; and the gap before it, in doublings of the usual one."""
    word = pl.col("attendance")
    told = sessions.sort(_KEY).with_columns(
        late=(word == "late").cast(pl.Float64),
        absent=word.is_in(["cancelled by client", "missed"]).cast(pl.Float64),
    )
    if "time" not in sessions.columns:
        return told.select(*_KEY, "late", "absent", gap=pl.lit(0.0))
    days = pl.col("time").diff().over(_DYAD).dt.total_hours() / 24.0
    told = told.with_columns(days=pl.when(days > 0).then(days))
    doublings = (pl.col("days") / pl.col("days").median()).log(2.0).clip(-_LONGEST_GAP, _LONGEST_GAP)
    return told.select(*_KEY, "late", "absent", gap=doublings)
