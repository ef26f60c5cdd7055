"""What therapists here sign out of their reflections: sums over five of one's clients, and of no client one.

They wait in the record under the therapist's account, shown to nobody else, until five therapists or more have signed
out. Then an admin adds them, and each one's numbers are taken out of the record: the sum alone is kept. What was added
grows by five more or not at all, so that the difference of two looks is never one therapist's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import sqlalchemy as sa

from attunement.errors import InputError, TooLittle
from attunement.practice.normed import OWN, own_norms
from attunement.practice.policy import Verb
from attunement.practice.reflecting import WAITING, Reflecting
from attunement.sessions import UNDATED
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attunement.findings import Finding, NotYet
    from attunement.instruments.description import Language
    from attunement.norms import Contribution, Norms
    from attunement.sessions import Reflected
    from attunement.vault.rows import Row, Rows

ADDED: Final = "added"
_OVERTAKEN: Final = (
    sa.exists()
    .where(
        tables.signed.c.kind == WAITING,
        tables.erased.c.therapist == tables.signed.c.therapist,
        tables.erased.c.at >= tables.signed.c.at,
    )
    .correlate(tables.signed)
)
"""What waits and was summed before a client of that therapist was erased: nobody knows if that client is in it."""
_SCHEMA: Final = {
    "therapist": pl.String, "client": pl.String, "session": pl.Int64, "feeling": pl.String, "strength": pl.Float64
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedOut:
    """One's own sums of one measure, signed out.

    Parameters
    ----------
    id
        Random.
    measure
        ``positive`` or ``negative``.
    at
        When.
    numbers
        What waits; None where it was added to those of others, for then one's own are kept no more.
    """

    id: str
    measure: str
    at: datetime
    numbers: Contribution | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pooled:
    """What is known of all who signed out, together.

    Parameters
    ----------
    findings
        One a measure; told of five therapists or more, or not yet.
    norms
        The practice's own, as far as they were added; None where they were not.
    ready
        Whether there are five or more waiting on a measure, who can be added.
    id
        Of the norms.
    """

    findings: tuple[Finding | NotYet, ...]
    norms: Norms | None = field(repr=False)
    ready: bool
    id: str = ""


class Signing(Reflecting):
    """Verbs around what therapists give to the practice's own norms."""

    def to_sign_out(self, seed: int | None = None) -> tuple[Contribution, ...]:
        """Return what one could sign out: sums over five of one's clients by lot, one a measure; nothing is kept.

        Reflections that one has signed out before are not in it. What was added to the norms in force is not offered
        again, for there a therapist counts once.

        Parameters
        ----------
        seed
            Of the lot, for a test.
        """
        from attunement.countertransference import FACTORS  # noqa: PLC0415 - most of a second, for norms alone
        from attunement.norms import contributions  # noqa: PLC0415 - see above

        self._own(Verb.SEE_REFLECTIONS)
        with self._reading() as rows:
            before = [row for row in rows.all(self._signed()) if row["kind"] == ADDED]
            own, today = own_norms(rows), rows.now().at.date()
        again = {_measure(row) for row in before if own is not None and _norm(row) == own["id"]}
        since = {each: _after(row for row in before if _measure(row) == each) for each in FACTORS}
        found: list[Contribution] = []
        for start in sorted({since[each] for each in FACTORS if each not in again}):
            reflected = self.reflected(since=start)
            first = min((each.at.date() for each in reflected.values()), default=today)
            felt = _felt(self.who.code, reflected)
            found += [
                each
                for each in contributions(felt, since=first, until=today, seed=seed)
                if each.measure not in again and since[each.measure] == start
            ]
        return tuple(found)

    def sign_out(self, numbers: Iterable[Contribution]) -> tuple[SignedOut, ...]:
        """Let sums of one's own feelings out of one's reflections, to be added to those of four others or more.

        What waits already of the same measure is taken back for it. Until they are added they can be taken back.

        Parameters
        ----------
        numbers
            As `to_sign_out` has them.

        Raises
        ------
        InputError
            Where there is nothing, or one's own are in the practice's norms already.
        """
        given = tuple(numbers)
        self._own(Verb.SIGN_OUT)

        def work(rows: Rows) -> tuple[str, tuple[SignedOut, ...]]:
            if not given or len({each.measure for each in given}) < len(given):
                raise InputError("There is nothing to sign out, or one feeling twice.")
            own, before = own_norms(rows), rows.all(self._signed())
            kept = [self._sign(rows, each, before, own) for each in given]
            return "", tuple(kept)

        return self._act(Verb.SIGN_OUT, work)

    def signed_out(self) -> tuple[SignedOut, ...]:
        """Return what one has signed out oneself."""
        found = self._see(Verb.SEE_SIGNED, lambda rows: ("", rows.all(self._signed().where(~_OVERTAKEN))))
        return tuple(_as_signed(row) for row in found)

    def take_back_signed(self, signed: str) -> None:
        """Take back what one has signed out, as long as it was not added.

        Raises
        ------
        Refused
            Where there is no such thing, or it is somebody else's.
        InputError
            Where it was added: in a sum, nobody's can be found again.
        """

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.signed, signed)
            self._refuse_unless(Verb.TAKE_BACK_SIGNED, owner=row["therapist"])
            if row["kind"] != WAITING:
                raise InputError("This was added to those of others; in a sum, nobody's can be found again.")
            rows.remove(tables.signed, [signed])
            return signed, None

        self._act(Verb.TAKE_BACK_SIGNED, work)
        self._sweep(self.house.record, "It is taken back.")

    # -- together

    def publish_norm(self, site: str) -> Norms:
        """Add what five therapists or more have signed out, forget each one's numbers, and return the practice's norms.

        A measure on which fewer are waiting stays as it is.

        Parameters
        ----------
        site
            The name that the practice goes by.

        Raises
        ------
        TooLittle
            Where fewer than five are waiting on every measure.
        """
        from attunement.norms import dump, load  # noqa: PLC0415 - see above
        from attunement.norms.signing import gathered, grown  # noqa: PLC0415 - see above

        def work(rows: Rows) -> tuple[str, Norms]:
            waiting = self._waiting(rows)
            part = gathered((_numbers(row) for row in waiting), site)
            if part is None:
                raise TooLittle(
                    "Fewer than five therapists have signed out whose sums are not added yet; nothing is told."
                )
            own = own_norms(rows)
            norms = grown(None if own is None else load(own["body"]), part)
            values = {"body": dump(norms), "at": rows.now().at, "by": self.who.code}
            kept = (
                rows.change(tables.norm, own, **values) if own else rows.add(tables.norm, name=OWN, **values)
            )
            rows.remove(tables.signed, [row["id"] for row in _all_waiting(rows) if row not in waiting])
            for row in waiting:
                if _measure(row) in part.sums:
                    rows.change(tables.signed, row, kind=ADDED, body=_trace(row, kept["id"]))
            return str(kept["id"]), norms

        published = self._act(Verb.PUBLISH_NORM, work)
        self._sweep(self.house.record, "The norms are published.")
        return published

    def pooled(self, language: Language = "en") -> Pooled:
        """Return what all who signed out tell together; nothing of fewer than five, and nothing of any one.

        Parameters
        ----------
        language
            Of the sentences.
        """
        from attunement.countertransference import FACTORS  # noqa: PLC0415 - see above
        from attunement.norms import load, told  # noqa: PLC0415 - see above
        from attunement.norms.norms import LEAST_THERAPISTS  # noqa: PLC0415 - see above

        def query(rows: Rows) -> tuple[str, tuple[Row | None, list[str]]]:
            return "", (own_norms(rows), [_measure(row) for row in self._waiting(rows)])

        own, waiting = self._see(Verb.SEE_POOLED, query)
        norms = None if own is None else load(own["body"])
        number = {measure: waiting.count(measure) for measure in FACTORS}
        findings = tuple(told(norms, measure, number[measure], language) for measure in FACTORS)
        ready = max(number.values()) >= LEAST_THERAPISTS
        return Pooled(findings, norms, ready, "" if own is None else str(own["id"]))

    # -- inside

    def _signed(self) -> sa.Select[Any]:
        table = tables.signed
        return sa.select(table).where(table.c.therapist == self.who.code).order_by(table.c.at, table.c.id)

    def _waiting(self, rows: Rows) -> list[Row]:
        """What can be added: whoever has left can take nothing back, so it ends with them."""
        return [row for row in _all_waiting(rows, ~_OVERTAKEN) if self.house.admits(row["therapist"])]

    def _sign(self, rows: Rows, each: Contribution, before: list[Row], own: Row | None) -> SignedOut:
        same = [row for row in before if _measure(row) == each.measure]
        if own is not None and any(row["kind"] == ADDED and _norm(row) == own["id"] for row in same):
            raise InputError("Your sums are in the practice's norms already; there a therapist counts once.")
        rows.remove(tables.signed, [row["id"] for row in same if row["kind"] == WAITING])
        row = rows.add(
            tables.signed, therapist=self.who.code, kind=WAITING, body=each.as_json(), at=rows.now().at
        )
        return _as_signed(row)


def _all_waiting(rows: Rows, *which: sa.ColumnElement[bool]) -> list[Row]:
    return rows.all(sa.select(tables.signed).where(tables.signed.c.kind == WAITING, *which))


def _felt(therapist: str, reflected: dict[tuple[str, int], Reflected]) -> pl.DataFrame:
    """What was felt after each hour, as `frames.REFLECTIONS` has it."""
    rows = [
        (therapist, *where, feeling, strength)
        for where, each in sorted(reflected.items())
        if each.reflection.finished
        for feeling, strength in each.reflection.feelings.items()
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _numbers(row: Row) -> Contribution:
    from attunement.norms import Contribution  # noqa: PLC0415 - see above

    return Contribution.from_json(row["body"])


def _as_signed(row: Row) -> SignedOut:
    numbers = _numbers(row) if row["kind"] == WAITING else None
    return SignedOut(row["id"], _measure(row), row["at"], numbers)


def _trace(row: Row, norm: str) -> str:
    """What is left of what was added: of which feeling, until when, to which norms. No number."""
    return json.dumps({"measure": _measure(row), "until": _until(row).isoformat(), "norm": norm})


def _measure(row: Row) -> str:
    return str(json.loads(row["body"])["measure"])


def _norm(row: Row) -> str:
    return str(json.loads(row["body"])["norm"])


def _until(row: Row) -> date:
    return date.fromisoformat(json.loads(row["body"])["until"])


def _after(added: Iterable[Row]) -> datetime:
    """From when on reflections were in no sum yet."""
    latest = max((_until(row) for row in added), default=None)
    return UNDATED if latest is None else datetime.combine(latest, time.min, UTC) + timedelta(days=1)
