"""Whether a therapist keeps reflections shows nowhere.

All answers to others, and all that leaves, are the same bytes with 0 and with 1,000.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from cast import PHRASES, Cast, gathered, seen

from attunement.errors import AttunementError
from attunement.practice import Practice, Verb
from attunement.practice.doctor import examine
from attunement.sessions import Reflection
from attunement.vault import tables
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

REFLECTIONS = 1_000
SESSIONS = 40


def told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, reflections: int, database: str | None = None
) -> dict[str, str]:
    """Live through the same weeks with so many reflections, and write down every answer to anybody but their owner."""
    numbers = itertools.count()
    with monkeypatch.context() as same:
        same.setattr(tables, "new_id", lambda: f"{next(numbers):032d}")
        everybody = gathered(folder, database)
        try:
            for number in range(3):
                seen(everybody.first, f"K-{number}", SESSIONS if number == 0 else 2)
            seen(everybody.second, "K-0")
            _reflect(everybody, same, reflections)
            return dict(_answers(everybody))
        finally:
            everybody.close()


def _reflect(everybody: Cast, same: pytest.MonkeyPatch, reflections: int) -> None:
    """Reflect; ids and time that are used here are not missed elsewhere."""
    ids, seconds = itertools.count(10**9), everybody.hands.seconds
    with same.context() as own:
        own.setattr(tables, "new_id", lambda: f"{next(ids):032d}")
        everybody.first.unlock(PHRASES["T-1"])
        for number in range(reflections):
            words = Reflection(connection=3, feelings={"bored": 7}, words=f"private {number}")
            everybody.first.reflect("K-0", number % SESSIONS + 1, words)
        everybody.first.lock()
    everybody.hands.seconds = seconds


def _answers(everybody: Cast) -> Iterator[tuple[str, str]]:
    """Every answer of the practice to others, what leaves it, and what each refusal says."""
    others: dict[str, Practice] = {
        "T-2": everybody.second, "S-1": everybody.supervisor, "A-1": everybody.admin, "client": everybody.client,
    }  # fmt: skip
    reads = {
        "clients": lambda who: who.clients(),
        "sessions": lambda who: who.sessions("K-0"),
        "check-ins": lambda who: who.check_ins("K-0"),
        "consents": lambda who: who.consents("K-0"),
        "contacts": lambda who: who.contacts("K-0"),
        "steps": lambda who: who.steps("K-0"),
        "ratings": lambda who: who.ratings().write_json(),
        "reflections": lambda who: who.reflections("K-0"),
        "shares": lambda who: who.shares(),
        "norms": lambda who: who.norms_in_force(),
        "pooled": lambda who: who.pooled(),
        "published": lambda who: who.publish_norm("Elm House"),
        "signed out": lambda who: who.signed_out(),
        "fingerprint": lambda who: len(who.fingerprint("T-1")),
        "accounts": lambda who: who.accounts(),
        "identity": lambda who: who.identity("K-0"),
        "export": lambda who: who.export("K-0").hex(),
        "hold": lambda who: who.hold("K-0", "a court"),
        "release": lambda who: who.release("K-0"),
        "end": lambda who: who.end_account("T-1"),
        "invitation": lambda who: who.invitation("no token"),
        "journal": lambda who: json.dumps(who.journal(), default=str),
        "verify": lambda who: [(each.entries, each.problems) for each in who.verify().values()],
    }
    for name, who in others.items():
        for what, read in reads.items():
            if (name, what) != ("A-1", "end"):
                yield f"{name} {what}", said(read, who)
    yield "the owner's export", said(lambda who: who.export("K-0").hex(), everybody.first)
    yield "the owner's entries", said(lambda who: who.entries("K-0"), everybody.first)
    yield "the owner's instruments", said(lambda who: sorted(who.shelf()), everybody.first)
    yield "the owner's record", said(lambda who: (who.clients(), who.sessions("K-0")), everybody.first)
    yield "the owner's de-identified table", said(lambda who: who.deidentify(), everybody.first)
    yield "doctor", str([(each.what, each.well) for each in examine(everybody.admin)])
    yield "erase", said(lambda who: who.erase("K-0"), everybody.first)
    yield "journal at the end", said(reads["journal"], everybody.admin)


def said(read: Any, who: Practice) -> str:  # noqa: ANN401 - a function of a practice
    try:
        return repr(read(who))
    except AttunementError as problem:
        return f"{type(problem).__name__}: {problem}"


def different(one: dict[str, str], other: dict[str, str]) -> list[str]:
    assert one.keys() == other.keys()
    return [what for what in one if one[what] != other[what]]


def count_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a bug: that something was reflected is noted where others read."""
    reflect = Practice.reflect

    def telling(self: Practice, client: str, session: int, reflection: Reflection) -> object:
        self.house.record.do(lambda rows: rows.note(self.who.code, Verb.REFLECT, ""), KEEPER)
        return reflect(self, client, session, reflection)

    monkeypatch.setattr(Practice, "reflect", telling)


def test_every_answer_to_others_is_the_same_with_none_and_with_a_thousand_reflections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none, many = told(tmp_path / "none", monkeypatch, 0), told(tmp_path / "many", monkeypatch, REFLECTIONS)
    assert len(none) > 75
    assert different(none, many) == []
    assert not any("private" in answer for answer in many.values())


def test_a_practice_that_counts_reflections_in_the_record_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_in_the_record(monkeypatch)
    none, few = told(tmp_path / "none", monkeypatch, 0), told(tmp_path / "few", monkeypatch, 3)
    assert "A-1 journal" in different(none, few)


def test_the_record_refers_to_nothing_in_the_reflections() -> None:
    assert not {column.name for table in tables.RECORD.sorted_tables for column in table.c} & {
        "reflection",
        "words",
    }
    for kind, metadata in tables.KINDS.items():
        for table in metadata.sorted_tables:
            assert all(key.column.table.metadata is metadata for key in table.foreign_keys), kind
