r"""What one marks again and again: tags of Hayes's model, counted, and shrunk over clients.

Origins, triggers, manifestations, effects and management (Hayes's structural model of countertransference) are the
therapist's own words. A word that stands at three hours of one client is about that client; one that stands with many
is a pattern of one's own. Counts alone mistake the one for the other, so each client's rate is taken as drawn from a
Beta,

.. math:: k_c \sim \mathrm{Binomial}(n_c, p_c), \qquad p_c \sim \mathrm{Beta}(m\varphi, (1-m)\varphi),

and its mean m and its firmness :math:`\varphi` are integrated over on a grid. Nothing is diagnosed: it is said that a
pattern recurs across clients, never what it means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy.special import betaln

from attunement import frames
from attunement.countertransference.sources import CLIENTS, TWICE
from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.wording import in_hundred, not_yet, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.instruments.description import Language

    Array = NDArray[np.float64]

HOURS: Final = 10
"""Hours within which it is asked whether a client would bring a tag up."""
RECURS: Final = 3
"""Clients with whom a tag was marked, from which it may be called a pattern."""
AT_LEAST: Final = 0.2
"""The share of clients who would surely bring it up within those hours, from which it is called one: a convention."""
_MEANS: Final = (np.arange(1, 200) / 200.0) ** 2  # of the rate, closer together near zero
_FIRM: Final = np.exp(np.linspace(np.log(0.5), np.log(100.0), 40))  # log-uniform [judgement]
ROW: Final = {
    "kind": pl.String, "tag": pl.String, "hours": pl.Int64, "clients": pl.Int64, "of": pl.Int64,
    "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "recurs": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tags:
    """One therapist's tags, counted by client.

    Parameters
    ----------
    counted
        ``kind, tag, client, marked``: in how many hours.
    hours
        ``client, reflected``: of how many, clients reflected on twice or more.
    language
        Of the sentences.
    """

    counted: pl.DataFrame = field(repr=False)
    hours: pl.DataFrame = field(repr=False)
    language: Language

    def of(self, tag: str, kind: str = "trigger") -> Finding | NotYet:
        """Say with how many clients a tag comes up, and whether that is a pattern.

        Raises
        ------
        ColumnProblem
            Where it was never marked.
        """
        about = self._say("tags_about", tag=tag)
        if self.counted.filter(kind=kind, tag=tag).is_empty():
            raise ColumnProblem(f"No {kind} {tag[:24]!r} was marked.")
        if self.hours.height < CLIENTS:
            few = self._say("tags_few", clients=self.hours.height)
            return not_yet(about, few, self._say("tags_from", number=CLIENTS), self.language)
        each = self._each(kind, tag)
        share = shares(each["marked"].to_numpy(), each["reflected"].to_numpy())
        seen = each.filter(pl.col("marked") > 0)
        told = {
            name: in_hundred(end)
            for name, end in (("share", share.value), ("low", share.low), ("high", share.high))
        }
        said = [
            self._say("tags_counted", tag=tag, clients=seen.height, of=each.height),
            self._say("tags_share", hours=HOURS, **told),
            *self._pattern(each, share),
        ]
        evidence = seen.sort("marked", descending=True).select("client", "marked", "reflected")
        return Finding(about, " ".join(said), share, evidence, (self._say("tags_limit"),))

    def frame(self) -> pl.DataFrame:
        """One row a tag, with the columns of `ROW`, those of most clients first; with too few clients, none."""
        rows = [self._row(kind, tag) for kind, tag in self.counted.select("kind", "tag").unique().rows()]
        told = rows if self.hours.height >= CLIENTS else []
        return pl.DataFrame(told, schema=ROW).sort(
            ["clients", "hours", "tag"], descending=[True, True, False]
        )

    def _each(self, kind: str, tag: str) -> pl.DataFrame:
        """``client, reflected, marked``: every client, those without the tag too."""
        marked = self.counted.filter(kind=kind, tag=tag).select("client", "marked")
        return self.hours.join(marked, on="client", how="left").with_columns(pl.col("marked").fill_null(0))

    def _pattern(self, each: pl.DataFrame, share: Estimate) -> list[str]:
        most = each.sort("marked", descending=True).row(0, named=True)
        if _recurs(each, share):
            return [self._say("tags_recurs")]
        if 2 * most["marked"] > int(each["marked"].sum()) and most["marked"] > 1:
            return [self._say("tags_one", name=most["client"])]
        return []

    def _row(self, kind: str, tag: str) -> dict[str, Any]:
        each = self._each(kind, tag)
        share = shares(each["marked"].to_numpy(), each["reflected"].to_numpy())
        counted = each.filter(pl.col("marked") > 0)
        ends = {"share": share.value, "low": share.low, "high": share.high}
        numbers = {"hours": int(each["marked"].sum()), "clients": counted.height, "of": each.height}
        return {"kind": kind, "tag": tag, **numbers, **ends, "recurs": _recurs(each, share)}

    def _say(self, name: str, /, **told: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **told)


def tags(marked: Any, reflections: Any, *, language: Language = "en") -> Tags:  # noqa: ANN401 - any eager frame
    """Count one therapist's tags over their clients.

    Parameters
    ----------
    marked
        `frames.TAGS`.
    reflections
        `frames.REFLECTIONS`: which hours were reflected on, and so could have been marked.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When a table breaks its contract, or several therapists' tags are in it: a tag is somebody's own word.
    """
    table, reflected = frames.tags(marked), frames.reflections(reflections)
    therapists = table["therapist"].unique()
    if therapists.len() > 1:
        raise ColumnProblem(f"Tags of {therapists.len()} therapists are in this table; give those of one.")
    whose = reflected.filter(pl.col("therapist").is_in(therapists.implode()))
    sessions = pl.concat([each.select("client", "session") for each in (whose, table)]).unique()
    hours = sessions.group_by("client").agg(reflected=pl.len().cast(pl.Int64))
    hours = hours.filter(pl.col("reflected") >= TWICE).sort("client")
    counted = table.group_by("kind", "tag", "client").agg(marked=pl.col("session").n_unique().cast(pl.Int64))
    return Tags(counted.sort("kind", "tag", "client"), hours, language)


def shares(marked: Array, reflected: Array) -> Estimate:
    """Which share of clients would bring a tag up within `HOURS`, with its 95 % interval.

    Parameters
    ----------
    marked, reflected
        (clients,) hours with the tag, and all that were reflected on.

    Examples
    --------
    >>> import numpy as np
    >>> print(shares(np.array([3, 2, 4, 0, 3, 2]), np.array([8, 8, 9, 7, 8, 8])))
    0.9 (0.7 to 1.0)
    """
    mean, firm = (each.ravel() for each in np.meshgrid(_MEANS, _FIRM, indexing="ij"))
    a, b = mean * firm, (1.0 - mean) * firm
    likely = sum(betaln(a + k, b + n - k) - betaln(a, b) for k, n in zip(marked, reflected, strict=True))
    weight = np.exp(likely - np.max(likely)) * np.sqrt(mean)  # the grid is laid by the root of the mean
    weight /= weight.sum()
    share = -np.expm1(betaln(a, b + HOURS) - betaln(a, b))
    order = np.argsort(share)
    reached = np.cumsum(weight[order]) - weight[order] / 2.0
    low, high = np.interp((0.025, 0.975), reached, share[order])
    value = float(weight @ share)
    return Estimate(value, min(float(low), value), max(float(high), value), unit="share")


def _recurs(each: pl.DataFrame, share: Estimate) -> bool:
    return each.filter(pl.col("marked") > 0).height >= RECURS and share.low >= AT_LEAST
