"""Where ratings differ: between therapists, between clients, between pairings, from session to session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.findings import Estimate, Finding, NotYet
from attunement.trajectories.model import LEAST
from attunement.wording import not_yet, number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.mixed import Fit

_DRAWS = 4_000
_SEED = 20
_WHOM: Final = {
    "client": "trajectory_whom_client",
    "dyad": "trajectory_whom_dyad",
    "therapist": "trajectory_whom_therapist",
    "session": "trajectory_whom_session",
}


def shares(rated: pl.DataFrame, levels: Fit | NotYet, *, language: Language = "en") -> Finding | NotYet:
    """Split the variance of ratings by whose it is, sessions on log2 taken out; `levels` is `intercepts(rated)`.

    The intervals come from the likelihood's curvature (normal in lme4's theta, folded at zero). A therapist's
    share is one figure of the whole table; no therapist is compared with another.
    """
    about = say("trajectory_about_shares", language)
    if isinstance(levels, NotYet):
        return not_yet(about, levels.missing, say("trajectory_from_shares", language, number=LEAST), language)
    terms = [component.group for component in levels.varcorr]
    table = _table(levels, terms)
    first = table.row(0, named=True)
    return Finding(
        about=about,
        sentence=_sentence(table, language),
        estimate=Estimate(first["share"], first["low"], first["high"], unit="share"),
        evidence=table,
        limits=_limits(rated, terms, language),
    )


def _table(fitted: Fit, terms: list[str]) -> pl.DataFrame:
    """A row a source, the largest share first."""
    variance = np.array([component.covariance[0, 0] for component in fitted.varcorr] + [fitted.sigma**2])
    drawn = np.array(
        [[relative[0, 0] for relative in draw] + [1.0] for draw in fitted.theta_draws(_DRAWS, _SEED)]
    )
    share = variance / variance.sum()
    low, high = np.quantile(drawn / drawn.sum(axis=1, keepdims=True), (0.025, 0.975), axis=0)
    table = pl.DataFrame(
        {
            "source": [*terms, "session"],
            "share": share,
            "low": np.minimum(low, share),
            "high": np.maximum(high, share),
            "variance": variance,
        }
    )
    return table.sort("share", descending=True)


def _sentence(table: pl.DataFrame, language: Language) -> str:
    parts = [
        say(
            "trajectory_share_next" if place else "trajectory_share_first",
            language,
            whom=say(_WHOM[row["source"]], language),
            **{name: number(100 * row[name], 0, language) for name in ("share", "low", "high")},
        )
        for place, row in enumerate(table.iter_rows(named=True))
    ]
    return say("trajectory_shares", language, parts="; ".join(parts))


def _limits(rated: pl.DataFrame, terms: list[str], language: Language) -> tuple[str, ...]:
    limits = [say("trajectory_limit_where", language)]
    if "dyad" not in terms:
        limits.append(say("trajectory_limit_pairing", language, number=LEAST))
    if "therapist" not in terms and rated["therapist"].n_unique() > 1:
        limits.append(say("trajectory_limit_therapists", language, number=LEAST))
    return tuple(limits)
