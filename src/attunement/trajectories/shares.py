"""Where ratings differ: between therapists, between clients, between pairings, from session to session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.findings import Estimate, Finding, NotYet
from attunement.trajectories.model import LEAST

if TYPE_CHECKING:
    from attunement.mixed import Fit

_DRAWS = 4_000
_SEED = 20
_NAMES = {
    "client": "who the client is",
    "dyad": "the pairing of the two",
    "therapist": "who the therapist is",
    "session": "what changes from session to session",
}


def shares(rated: pl.DataFrame, levels: Fit | NotYet) -> Finding | NotYet:
    """Split the variance of ratings by whose it is, sessions on log2 taken out; `levels` is `intercepts(rated)`.

    The intervals come from the likelihood's curvature (normal in lme4's theta, folded at zero). A therapist's
    share is one figure of the whole table; no therapist is compared with another.
    """
    if isinstance(levels, NotYet):
        return NotYet(
            "where ratings differ", levels.missing, f"from {LEAST} on it can be told where ratings differ"
        )
    terms = [component.group for component in levels.varcorr]
    table = _table(levels, terms)
    first = table.row(0, named=True)
    return Finding(
        about="where ratings differ",
        sentence=_sentence(table),
        estimate=Estimate(first["share"], first["low"], first["high"], unit="share"),
        evidence=table,
        limits=_limits(rated, terms),
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


def _sentence(table: pl.DataFrame) -> str:
    parts = [
        f"{100 * row['share']:.0f} % {'goes ' * (place == 0)}with {_NAMES[row['source']]} "
        f"({100 * row['low']:.0f} to {100 * row['high']:.0f})"
        for place, row in enumerate(table.iter_rows(named=True))
    ]
    return f"Of all the difference between ratings, {', '.join(parts[:-1])} and {parts[-1]}."


def _limits(rated: pl.DataFrame, terms: list[str]) -> tuple[str, ...]:
    limits = [
        "This tells where ratings differ, not why; a session's share holds the noise of the rating too."
    ]
    if "dyad" not in terms:
        limits.append(
            "The client's share holds the pairing's too: they can be told apart once "
            f"{LEAST} clients have met two therapists or more."
        )
    if "therapist" not in terms and rated["therapist"].n_unique() > 1:
        limits.append(f"With fewer than {LEAST} therapists, their share cannot be told from the clients'.")
    return tuple(limits)
