"""What comes after: the therapist's positive and negative feelings, and how the client rates the very next session.

Two parts that are told apart. The *momentary* part is what a session had beyond what is usual in the dyad: by how much
the next rating lies higher after it, this session's rating being held. Centring each dyad and adding the rating before
is biased at the lengths of therapies (Nickell 1981, Econometrica 49:1417), so it is the random-intercept cross-lagged
panel model of the engine. The *elicited* part is what is usual with this client, against the therapist's other clients:
an association between clients, over which much else differs too.

The course that all clients share is taken out beforehand: feelings and ratings that both rise as therapies go on would
else be taken to answer one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy.stats import t as student

from attunement import frames
from attunement.errors import ColumnProblem, ModelProblem, TooLittle
from attunement.findings import Estimate, Finding, NotYet
from attunement.mixed import cross_lagged
from attunement.trajectories import measure_of
from attunement.wording import not_yet, number, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.instruments.description import Language
    from attunement.trajectories import Measure

    Array = NDArray[np.float64]

DYAD: Final = 4
"""Sessions with feelings, a rating and a rated session right after, from which a dyad counts."""
CLIENTS: Final = 12
"""Such dyads, from which anything is told; measured from 12 on."""
PAIRS: Final = 60
"""Such sessions of all dyads together [judgement]."""
_KEY = ("therapist", "client", "session")
_DIGITS = 2
_ENDS = {"": "value", "_low": "low", "_high": "high"}
ROW: Final = {"rated": pl.String, "feelings": pl.String, "part": pl.String} | dict.fromkeys(
    ("value", "low", "high"), pl.Float64
)
"""The columns of `NextSession.frame`; points of the rating a point of feeling."""


@dataclass(frozen=True, slots=True)
class NextSession:
    """What comes after the therapist's feelings; nothing compares therapists.

    Parameters
    ----------
    positive, negative
        What came after sessions with more of them than is usual in the dyad: the momentary part.
    usual_positive, usual_negative
        How the next ratings lie with clients with whom they are usually stronger: the elicited part.
    safety
        The same of the client's answer to the item ``safe``, where the ratings have it.
    """

    positive: Finding | NotYet
    negative: Finding | NotYet
    usual_positive: Finding | NotYet
    usual_negative: Finding | NotYet
    safety: NextSession | None = field(default=None, repr=False)

    def frame(self) -> pl.DataFrame:
        """A row for each of the findings, with the columns of `ROW`; the numbers are missing where it is not yet."""
        rows = self._rows("score") + (self.safety._rows("safe") if self.safety else [])  # noqa: SLF001 - its own kind
        return pl.DataFrame(rows, schema=ROW)

    def _rows(self, rated: str) -> list[dict[str, Any]]:
        told = {
            ("positive", "momentary"): self.positive,
            ("negative", "momentary"): self.negative,
            ("positive", "usual"): self.usual_positive,
            ("negative", "usual"): self.usual_negative,
        }
        rows: list[dict[str, Any]] = []
        for (feelings, part), each in told.items():
            row: dict[str, Any] = {"rated": rated, "feelings": feelings, "part": part}
            if isinstance(each, Finding):
                row |= {name: getattr(each.estimate, name) for name in ("value", "low", "high")}
            rows.append(row)
        return rows


def next_session(
    reflections: Any,  # noqa: ANN401 - any eager frame narwhals knows
    ratings: Any,  # noqa: ANN401 - see above
    measure: Measure | None = None,
    *,
    positive: Sequence[str],
    negative: Sequence[str],
    language: Language = "en",
) -> NextSession:
    """Hold the ratings of the very next sessions against what the therapist felt in these.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`.
    ratings
        `frames.RATINGS`, with a column ``safe`` where the client was asked how safe it was.
    measure
        The scale of the score.
    positive, negative
        Names of feelings; of each kind the mean over those that were given is taken.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When a table breaks its contract, or the feelings named are none, are not there, or are both.
    TooLittle
        When a score lies outside the scale.
    """
    felt, rated = frames.reflections(reflections), frames.ratings(ratings)
    _refuse_names(felt, positive, negative)
    _refuse_outside(rated, measure_of(ratings, measure))
    laid = _laid_out(felt, rated, {"positive": positive, "negative": negative})
    words = {"positive": ", ".join(positive), "negative": ", ".join(negative)}
    found = _found(laid, "score", words, language)
    return replace(found, safety=_found(laid, "safe", words, language)) if "safe" in laid.columns else found


def _found(laid: pl.DataFrame, rated: str, words: dict[str, str], language: Language) -> NextSession:
    asked = {kind: _Asked(laid, kind, rated, words[kind], language) for kind in words}
    return NextSession(
        positive=asked["positive"].momentary(),
        negative=asked["negative"].momentary(),
        usual_positive=asked["positive"].usual(),
        usual_negative=asked["negative"].usual(),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One kind of feelings, and one rating: the tables that are needed, and the words for what is found."""

    laid: pl.DataFrame
    kind: str
    rated: str
    feelings: str
    language: Language

    def momentary(self) -> Finding | NotYet:
        about = self._about("")
        missing = self._missing(about)
        if missing is not None:
            return missing
        clients = self._counted().height
        table = self.laid.select("dyad", "session", feeling=pl.col(self.kind), rating=pl.col(self.rated))
        try:
            told = _lagged(_without_course(table), clients)
        except ModelProblem:
            return not_yet(about, self._say("next_unsettled"), self._say("next_more"), self.language)
        limits = [self._say("next_limit_after"), self._say("next_limit_held")]
        try:
            left_in = _lagged(table, clients)["next rating"]
        except ModelProblem:
            pass
        else:
            told["next rating, course left in"] = left_in
            limits.append(self._say("next_limit_course", **self._numbers(left_in)))
        return self._told(
            about, "", told["next rating"], _evidence(told), (*limits, self._say("next_limit_each"))
        )

    def usual(self) -> Finding | NotYet:
        about = self._about("_usual")
        missing = self._missing(about)
        if missing is not None:
            return missing
        means = _means(self.laid, self.kind, self.rated)
        told = _between(means)
        if told is None:
            return not_yet(about, self._say("next_unsettled"), self._say("next_more"), self.language)
        limits = tuple(
            self._say(name) for name in ("next_limit_after", "next_limit_usual", "next_limit_each")
        )
        return self._told(about, "_usual", told, means, limits)

    def _told(
        self, about: str, part: str, told: Estimate, evidence: pl.DataFrame, limits: tuple[str, ...]
    ) -> Finding:
        side = int(told.low > 0) - int(told.high < 0)
        shown = Estimate(-told.value, -told.high, -told.low, told.unit) if side < 0 else told
        name = _SENTENCES[part, self.rated][side]
        sentence = self._say(name, feelings=self.feelings, **self._numbers(shown))
        return Finding(about, sentence, told, evidence, limits)

    def _counted(self) -> pl.DataFrame:
        """Dyads that count, and how many pairs of a session and the very next each has."""
        pair = pl.all_horizontal(pl.col(self.kind, self.rated, f"next_{self.rated}").is_not_null())
        return self.laid.group_by("dyad").agg(pair.sum().alias("pairs")).filter(pl.col("pairs") >= DYAD)

    def _missing(self, about: str) -> NotYet | None:
        counted = self._counted()
        pairs = int(counted["pairs"].sum())
        if counted.height < CLIENTS:
            had = self._say("next_few_clients", number=DYAD, clients=counted.height)
            return not_yet(about, had, self._say("next_from", number=CLIENTS), self.language)
        if pairs < PAIRS:
            return not_yet(
                about,
                self._say("next_few_pairs", sessions=pairs),
                self._say("next_from", number=PAIRS),
                self.language,
            )
        return None

    def _about(self, part: str) -> str:
        return self._say(_ABOUT[self.rated][f"{part}_{self.kind}".removeprefix("_")])

    def _numbers(self, told: Estimate) -> dict[str, str]:
        ends = {"points": told.value, "low": told.low, "high": told.high}
        return {name: number(each, _DIGITS, self.language) for name, each in ends.items()}

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


_SENTENCES: Final = {
    ("", "score"): {1: "next_higher", -1: "next_lower", 0: "next_unclear"},
    ("", "safe"): {1: "next_safer", -1: "next_less_safe", 0: "next_safe_unclear"},
    ("_usual", "score"): {1: "next_usual_higher", -1: "next_usual_lower", 0: "next_usual_unclear"},
    ("_usual", "safe"): {1: "next_usual_safer", -1: "next_usual_less_safe", 0: "next_usual_safe_unclear"},
}
_ABOUT: Final = {
    "score": {
        "positive": "next_about_positive",
        "negative": "next_about_negative",
        "usual_positive": "next_about_usual_positive",
        "usual_negative": "next_about_usual_negative",
    },
    "safe": {
        "positive": "next_about_safe_positive",
        "negative": "next_about_safe_negative",
        "usual_positive": "next_about_safe_usual_positive",
        "usual_negative": "next_about_safe_usual_negative",
    },
}


def _laid_out(felt: pl.DataFrame, rated: pl.DataFrame, kinds: dict[str, Sequence[str]]) -> pl.DataFrame:
    """A row a session: dyad, therapist, session, the mean of each kind of feelings, ratings, and the very next ones."""
    columns = [name for name in ("score", "safe") if name in rated.columns]
    table = rated.select(
        *_KEY, *(pl.col(name).cast(pl.Float64, strict=False).fill_nan(None) for name in columns)
    )
    for kind, names in kinds.items():
        means = (
            felt.filter(pl.col("feeling").is_in(names))
            .group_by(_KEY)
            .agg(pl.col("strength").mean().alias(kind))
        )
        table = table.join(means, on=_KEY, how="full", coalesce=True)
    following = table.select(
        "therapist",
        "client",
        pl.col("session") - 1,
        *(pl.col(name).alias(f"next_{name}") for name in columns),
    )
    length = pl.col("therapist").str.len_chars()  # so that no two dyads share a name whatever the codes
    dyad = pl.concat_str(length, "therapist", "client", separator=" ").alias("dyad")
    return table.join(following, on=_KEY, how="left").with_columns(dyad).sort(_KEY)


def _lagged(table: pl.DataFrame, clients: int) -> dict[str, Estimate]:
    """What goes with the next rating, in points a point.

    The variance is halfway between the likelihood's, which is right where ratings are normal, and the one clustered by
    dyad, which is right where they are not, and is short with a dozen dyads; with two fewer degrees of freedom than
    dyads. The larger of the two held 98 of 100.
    """
    found = cross_lagged(table, client="dyad", x="feeling", y="rating")
    reach = float(student.ppf(0.975, clients - 2))
    told = {}
    for name, term in {"next rating": "x_to_y", "of this rating, in the next": "y_to_y"}.items():
        value = found.estimates[term]
        half = reach * float(np.sqrt((found.se[term] ** 2 + found.robust_se[term] ** 2) / 2.0))
        told[name] = Estimate(value, value - half, value + half, unit="points a point")
    return told


def _without_course(table: pl.DataFrame) -> pl.DataFrame:
    """Take out the course that feelings, and ratings, share over all dyads, along session and log2(session)."""
    for name in ("feeling", "rating"):
        known = table.drop_nulls(name)
        course = _course(known["session"])
        around = np.column_stack([course, known[name].to_numpy()])
        around = around - _mean_of(known["dyad"], around)
        slope = np.linalg.lstsq(around[:, :2], around[:, 2], rcond=None)[0]
        table = table.with_columns(pl.col(name) - pl.Series(_course(table["session"]) @ slope))
    return table


def _course(session: pl.Series) -> Array:
    numbers = session.to_numpy().astype(np.float64)
    return np.column_stack([numbers / 10.0, np.log2(numbers)])


def _mean_of(group: pl.Series, values: Array) -> Array:
    """(n, columns) the mean of each row's group."""
    place = group.rank("dense").to_numpy().astype(np.int64) - 1
    counts = np.bincount(place)
    means = np.column_stack([np.bincount(place, each) / counts for each in values.T])
    return np.asarray(means[place])


def _means(laid: pl.DataFrame, kind: str, rated: str) -> pl.DataFrame:
    """``therapist, client, pairs, feeling, rating``: what is usual in each dyad, the shared course taken out."""
    following = laid.select(
        "therapist", "client", "dyad", "session", feeling=pl.col(kind), rating=pl.col(f"next_{rated}")
    )
    table = _without_course(following.drop_nulls(["feeling", "rating"]))
    means = table.group_by("therapist", "client").agg(
        pl.len().alias("pairs"), pl.col("feeling", "rating").mean()
    )
    return means.filter(pl.col("pairs") >= DYAD).sort("therapist", "client")


def _between(means: pl.DataFrame) -> Estimate | None:
    """The slope of usual ratings on usual feelings, over the clients of each therapist.

    Least squares about the therapists' means, with standard errors that hold where dyads differ in how well they are
    known (HC3: MacKinnon & White 1985, Journal of Econometrics 29:305).
    """
    about = means.select("feeling", "rating").to_numpy()
    about = about - _mean_of(means["therapist"], about)
    feeling, rating = about.T
    therapists = means["therapist"].n_unique()
    spare = means.height - therapists - 1
    size = float(feeling @ feeling)
    if spare < CLIENTS - 2 or size <= 1e-9 * means.height:
        return None
    slope = float(feeling @ rating / size)
    members = means.select(pl.len().over("therapist")).to_series().to_numpy()
    pull = 1.0 / members + feeling**2 / size
    known = pull < 1.0 - 1e-9
    left = (rating - slope * feeling)[known] / (1.0 - pull[known])
    half = float(student.ppf(0.975, spare)) * float(np.sqrt(((feeling[known] * left) ** 2).sum())) / size
    return Estimate(slope, slope - half, slope + half, unit="points a point")


def _evidence(told: dict[str, Estimate]) -> pl.DataFrame:
    """``part, value, low, high, unit``."""
    rows = [
        {"part": name, "value": each.value, "low": each.low, "high": each.high, "unit": each.unit}
        for name, each in told.items()
    ]
    return pl.DataFrame(rows)


def _refuse_names(felt: pl.DataFrame, positive: Sequence[str], negative: Sequence[str]) -> None:
    both = sorted(set(positive) & set(negative))
    if both:
        raise ColumnProblem(f"The feeling {both[0]!r} is named as positive and as negative; name it once.")
    known = felt["feeling"].unique().sort().to_list()
    for kind, names in {"positive": positive, "negative": negative}.items():
        if not names:
            raise ColumnProblem(
                f"No {kind} feeling is named; these reflections have {', '.join(known) or 'none'}."
            )
        if known and not set(names) & set(known):
            raise ColumnProblem(
                f"None of the {kind} feelings {', '.join(names)} is in these reflections; they have {', '.join(known)}."
            )


def _refuse_outside(rated: pl.DataFrame, measure: Measure) -> None:
    outside = rated.filter(~pl.col("score").is_between(measure.low, measure.high))
    if not outside.is_empty():
        first = outside.row(0, named=True)
        raise TooLittle(
            f"{outside.height} of the column score outside the scale {measure.low:g} to {measure.high:g}, first "
            f"{first['score']:g} (client {first['client'][:24]!r}, session {first['session']}); give the scale's ends."
        )
