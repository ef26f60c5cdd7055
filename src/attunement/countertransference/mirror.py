"""The mirror: what is habitual, what each client stirs, what is of the hour and of one's own day, in words.

Each is a `Finding`, or a `NotYet` that says what would supply it; what can be told apart depends on who reflected on
whom, and nothing is told beyond that:

==========================  ======================================================================================
one client                  the hour against what is usual with them, from 4 reflections
one therapist's clients     what a client stirs, against one's own others: 5 clients reflected on twice, and a
                            reliability of .6 for this one
the same, with norms        what is habitual, against published figures: 5 clients with 4 reflections each
a clinic                    what is habitual, against colleagues: 5 therapists, each with two clients
a client of two therapists  what is theirs and what is the pairing's: 5 such clients, this one among them
==========================  ======================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from attunement import frames
from attunement.countertransference.feelings import NEGATIVE, POSITIVE, called, strengths
from attunement.countertransference.gates import few_clients, few_here, too_few, untold
from attunement.countertransference.prior import published_prior, vague_prior
from attunement.countertransference.sources import CLIENTS, REFLECTIONS, SHARED, THERAPISTS, Sources, split
from attunement.countertransference.words import ends, in_hundreds, sided, table_of
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Estimate, Finding, NotYet
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attunement.countertransference.elsewhere import Elsewhere
    from attunement.instruments.description import Language
    from attunement.mixed import Prior

FAR: Final = 0.2
"""The share of hours as far off, below which an hour is called more or less than usual: a convention."""
LITTLE: Final = 0.05
"""Points below which what a day accounts for is not worth a sentence."""
DAYS: Final = 10
"""Reflections with the therapist's day from which it is told whether a feeling goes with it."""
PARTS: Final = ("habitual", "elicited", "client", "pairing", "day", "momentary")
"""What differences in a feeling may go with, in the order in which they are told."""
HOURS: Final = ("more", "less", "usual")
"""What an hour may be called, against what is usual with the client."""
_NUMBERS: Final = ("elicited", "elicited_low", "elicited_high", "reliability")
ROW: Final = (
    dict.fromkeys(("therapist", "client", "feeling"), pl.String)
    | {"reflected": pl.Int64}
    | dict.fromkeys(_NUMBERS, pl.Float64)
)


@dataclass(frozen=True, slots=True)
class Countertransference:
    """A practice's feelings, split into their sources and ready to be asked.

    Parameters
    ----------
    sources
        By feeling; the two factors are ``positive`` and ``negative``.
    norms
        By feeling, published figures.
    language
        Of the sentences.
    """

    sources: dict[str, Sources] = field(repr=False)
    norms: Mapping[str, Elsewhere]
    language: Language

    def shares(self, feeling: str = "negative") -> Finding | NotYet:
        """Say what the differences in a feeling go with: the therapist, the client, one's own day, the hour."""
        about = self._about("feelings_about_shares", feeling)
        missing = self._untold(about, feeling)
        if missing is not None:
            return missing
        found = self.sources[feeling]
        if not found.design.shares:
            return few_clients(about, found.design.clients, self.language)
        shares = {name: each for name in PARTS if (each := found.shares().get(name)) is not None}
        first = "elicited" if "elicited" in shares else "client"
        said = [self._share(name, shares[name], feeling) for name in dict.fromkeys((first, *shares))]
        limits = [
            self._say("feelings_limit_rough"),
            *self._of_prior(found),
            self._say("feelings_limit_yours"),
        ]
        return Finding(about, " ".join(said), shares[first], table_of(shares), tuple(limits))

    @property
    def all(self) -> Finding | NotYet:
        """The shares of the unpleasant feelings; where those are not told, of the pleasant ones, or of another."""
        told = [self.shares(each) for each in dict.fromkeys(("negative", "positive", *self.sources))]
        return next((each for each in told if isinstance(each, Finding)), told[0])

    def elicited(
        self, client: str, therapist: str | None = None, feeling: str = "negative"
    ) -> Finding | NotYet:
        """Say what one client stirs, against the therapist's other clients."""
        therapist = self._therapist_of(client, therapist)
        about = self._about("feelings_about_client", feeling, name=client)
        missing = self._untold(about, feeling)
        if missing is not None:
            return missing
        found = self.sources[feeling]
        missing = too_few(about, found, (therapist, client), self.language)
        if missing is not None:
            return missing
        part = found.parts[therapist, client]["elicited"]
        sentence = self._sided("feelings", part, {"name": client, "feeling": self._called(feeling)})
        limits = ("feelings_limit_whose", "feelings_limit_caseload", "feelings_limit_rough")
        said = (*(self._say(each) for each in limits), *self._of_prior(found))
        return Finding(about, sentence, part, table_of({"elicited": part}), said)

    def whose(self, client: str, therapist: str | None = None, feeling: str = "negative") -> Finding | NotYet:
        """Say how much of what a client stirs is theirs, whoever sits there, and how much the pairing's."""
        therapist = self._therapist_of(client, therapist)
        about = self._about("feelings_about_whose", feeling, name=client)
        missing = self._untold(about, feeling)
        if missing is not None:
            return missing
        found = self.sources[feeling]
        met = found.design.dyads.filter(pl.col("reflected") >= REFLECTIONS, client=client).height
        if not found.design.crossed or met < 2:
            return self._lacking(
                about,
                self._say("feelings_one_therapist", name=client),
                self._say("feelings_from_two", name=client, number=SHARED),
            )
        parts = found.parts[therapist, client]
        own, pair = parts["own"], parts["pair"]
        said = [
            self._say("feelings_whose_client", name=client, **self._numbers(own)),
            self._say("feelings_whose_pair", **self._numbers(pair)),
        ]
        limits = (self._say("feelings_limit_rough"), *self._of_prior(found))
        return Finding(about, " ".join(said), own, table_of({"client": own, "pairing": pair}), limits)

    def habitual(self, therapist: str | None = None, feeling: str = "negative") -> Finding | NotYet:
        """Say what a therapist brings to every hour, against colleagues or published figures, and labelled so."""
        therapist = self._therapist(therapist)
        about = self._about("feelings_about_habit", feeling)
        missing = self._untold(about, feeling)
        if missing is not None:
            return missing
        found = self.sources[feeling]
        often = found.design.often(therapist, REFLECTIONS)
        if often < CLIENTS:
            return self._lacking(
                about,
                self._say("feelings_few_often", least=REFLECTIONS, clients=often),
                self._say("feelings_from_often", number=CLIENTS),
            )
        against = self._against(found, therapist, feeling)
        if against is None:
            return self._lacking(
                about, self._say("feelings_no_peers"), self._say("feelings_from_peers", number=THERAPISTS)
            )
        part, whom, spread = against
        told = {"feeling": self._called(feeling), "whom": whom}
        said = [self._sided("feelings_habit", part, told)]
        limits = [self._say("feelings_limit_rough"), *self._of_prior(found)]
        parts = {"habitual": part}
        if spread is not None:
            said.append(self._say("feelings_habit_spread", **self._numbers(spread)))
            limits.append(self._say("feelings_limit_norm", number=REFLECTIONS))
            parts["spread"] = spread
        limits.append(self._say("feelings_limit_yours"))
        return Finding(about, " ".join(said), part, table_of(parts), tuple(limits))

    def momentary(
        self, client: str, session: int, therapist: str | None = None, feeling: str = "negative"
    ) -> Finding | NotYet:
        """Say whether one hour was unlike what is usual with this client.

        Raises
        ------
        ColumnProblem
            Where there is no reflection on that session.
        """
        therapist = self._therapist_of(client, therapist)
        about = self._about("feelings_about_hour", feeling, name=client, session=session)
        missing = self._untold(about, feeling) or few_here(
            about, self.sources[feeling], (therapist, client), self.language
        )
        if missing is not None:
            return missing
        moments = self.sources[feeling].moments(therapist, client)
        hour = moments.filter(session=session)
        if hour.is_empty():
            raise ColumnProblem(f"There is no reflection on session {session} with the client {client!r}.")
        row = hour.row(0, named=True)
        part = Estimate(row["value"], row["low"], row["high"], unit="points")
        kind = (
            "usual"
            if row["far"] > FAR or part.low <= 0 <= part.high
            else "more"
            if part.value > 0
            else "less"
        )
        told = {"name": client, "session": session, "feeling": self._called(feeling)}
        said = [
            self._say(f"feelings_hour_{kind}", **told, **self._numbers(part, turned=kind == "less")),
            self._say("feelings_hour_far", far=in_hundred(row["far"])),
        ]
        if row["day"] and (of_day := self._of_day(feeling, row["day"])):
            said.append(of_day)
        return Finding(about, " ".join(said), part, moments, (self._say("feelings_limit_rough"),))

    def day(self, feeling: str = "negative") -> Finding | NotYet:
        """Say whether a feeling goes with how the therapist's own day was."""
        about = self._about("feelings_about_day", feeling)
        missing = self._untold(about, feeling)
        if missing is not None:
            return missing
        slope = self.sources[feeling].day()
        if slope is None or self.sources[feeling].rows.height < DAYS:
            return self._lacking(
                about, self._say("feelings_no_day"), self._say("feelings_from_day", number=DAYS)
            )
        sentence = self._sided("feelings_day", slope, {"feeling": self._called(feeling)}, digits=2)
        return Finding(about, sentence, slope, table_of({"day": slope}), (self._say("feelings_limit_rough"),))

    def frame(self) -> pl.DataFrame:
        """One row a dyad and feeling, with the columns of `ROW`; what is not told is missing."""
        rows = [
            self._row(found, row)
            for found in self.sources.values()
            for row in found.design.dyads.iter_rows(named=True)
        ]
        return pl.DataFrame(rows, schema=ROW)

    # -- inside

    def _untold(self, about: str, feeling: str) -> NotYet | None:
        return untold(about, self.sources.get(feeling), self._called(feeling), self.language)

    def _lacking(self, about: str, missing: str, supply: str) -> NotYet:
        return not_yet(about, missing, supply, self.language)

    def _against(
        self, found: Sources, therapist: str, feeling: str
    ) -> tuple[Estimate, str, Estimate | None] | None:
        """The habitual part, against whom, and how far those lie apart; None where there is nobody.

        Colleagues in the table come first, else what is known from elsewhere.
        """
        if found.design.peers:
            return found.habits[therapist], self._say("feelings_whom_peers"), None
        if feeling not in self.norms:
            return None
        norm = self.norms[feeling]
        off = norm.off(found.rows.filter(therapist=therapist), found.usual(therapist))
        mean = number(norm.mean, 1, self.language)
        whom = self._say("feelings_whom_norm", mean=mean, where=norm.where(self.language))
        return off, whom, norm.spread()

    def _of_day(self, feeling: str, day: float) -> str | None:
        """What a session's own day accounts for, where the feeling surely goes with the day."""
        slope = self.sources[feeling].day()
        if slope is None or slope.low <= 0 <= slope.high or abs(day) < LITTLE:
            return None
        low, high = sorted((day * slope.low / slope.value, day * slope.high / slope.value))
        told = self._numbers(Estimate(day, low, high, unit="points"))
        return self._say("feelings_hour_day", day=told.pop("value"), **told)

    def _numbers(self, part: Estimate, *, turned: bool = False) -> dict[str, str]:
        return ends(part, self.language, turned=turned)

    def _sided(self, prefix: str, part: Estimate, told: dict[str, str], *, digits: int = 1) -> str:
        return sided(prefix, part, told, self.language, digits=digits)

    def _share(self, name: str, share: Estimate, feeling: str) -> str:
        return self._say(f"feelings_share_{name}", feeling=self._called(feeling), **in_hundreds(share))

    def _of_prior(self, found: Sources) -> tuple[str, ...]:
        source = found.model.source
        return (self._say("feelings_limit_prior", source=source),) if source else ()

    def _about(self, sentence: str, feeling: str, /, **told: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return self._say(sentence, feeling=self._called(feeling), **told)

    def _called(self, feeling: str) -> str:
        return called(feeling, self.language)

    def _say(self, name: str, /, **told: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **told)

    def _row(self, found: Sources, row: dict[str, Any]) -> dict[str, Any]:
        who = (row["therapist"], row["client"])
        known = {**row, "feeling": found.feeling}
        if not found.design.varies or too_few("", found, who, self.language) is not None:
            return known
        part = found.parts[who]["elicited"]
        return known | dict(
            zip(_NUMBERS, (part.value, part.low, part.high, found.reliability[who]), strict=True)
        )

    def _dyads(self) -> pl.DataFrame:
        each = [found.design.dyads.select("therapist", "client") for found in self.sources.values()]
        return pl.concat(each).unique(maintain_order=True)

    def _therapist(self, therapist: str | None) -> str:
        known = self._dyads()["therapist"].unique(maintain_order=True).to_list()
        if therapist is None and len(known) == 1:
            return str(known[0])
        if therapist is None:
            raise ColumnProblem(f"{len(known)} therapists are in these reflections; name one.")
        if therapist not in known:
            raise ColumnProblem(f"There is no reflection by the therapist {therapist!r}.")
        return therapist

    def _therapist_of(self, client: str, therapist: str | None) -> str:
        met = self._dyads().filter(client=client)["therapist"].to_list()
        if therapist in met:
            return str(therapist)
        if therapist is None and len(met) == 1:
            return str(met[0])
        if not met or therapist is not None:
            raise ColumnProblem(f"There is no reflection on the client {client!r} by that therapist.")
        raise ColumnProblem(f"{len(met)} therapists reflected on the client {client!r}; name one.")


def countertransference(  # noqa: PLR0913 - each a table or a choice
    reflections: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    days: Any = None,  # noqa: ANN401 - any eager frame narwhals knows
    positive: Sequence[str] = POSITIVE,
    negative: Sequence[str] = NEGATIVE,
    only: Sequence[str] | None = None,
    norms: Mapping[str, Elsewhere] | None = None,
    prior: Prior | Literal["published"] | None = "published",
    language: Language = "en",
) -> Countertransference:
    """Split a therapist's feelings into what is habitual, what a client stirs, one's own day and the hour.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`: how strong each feeling was after each session, 0 to 10.
    days
        `frames.DAYS`: how the therapist's own day was.
    positive, negative
        Which feelings make the two factors.
    only
        What to split; the two factors and each feeling, if left out.
    norms
        By feeling, what is usual elsewhere.
    prior
        What is known before: published figures (`prior.published_prior`), another prior, or None for next to nothing.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When a table breaks its contract.
    TooLittle
        When a strength lies outside 0 to 10.
    """
    table = frames.reflections(reflections)
    _refuse_outside(table)
    of_days = None if days is None else frames.days(days)
    known = published_prior() if prior == "published" else prior or vague_prior()
    laid = strengths(table, positive, negative)
    names = [each for each in laid["feeling"].unique(maintain_order=True) if only is None or each in only]
    return Countertransference(
        {name: split(name, laid, of_days, known) for name in names}, norms or {}, language
    )


def _refuse_outside(table: pl.DataFrame) -> None:
    outside = table.filter(~pl.col("strength").is_between(0, 10))
    if not outside.is_empty():
        first = outside.row(0, named=True)
        raise TooLittle(
            f"{outside.height} of the column strength outside 0 to 10, first {first['strength']:g} (client "
            f"{first['client'][:24]!r}, session {first['session']}); put feelings on a scale from 0 to 10."
        )
