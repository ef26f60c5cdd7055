"""20,000 malformed files: each is taken or is one sentence, none takes long or much, and a practice stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
import sqlalchemy as sa
from hostile import KINDS, hostile
from sound import DESCRIPTION

from attunement.errors import AttunementError
from attunement.exchange.apart import read_ratings_apart
from attunement.exchange.watching import environment
from attunement.instruments import loads, of_others, to_table
from attunement.trajectories import Measure

if TYPE_CHECKING:
    from cast import Cast
    from guest import Building

    from attunement.practice import Practice

SEED: Final = 8
FILES, AT_ONCE = 20_000, 2_500
LONGEST: Final = 5.0  # seconds
HIGHEST: Final = 512 * 1024  # kB
IMPORTED: Final = 24
READERS: Final[dict[str, dict[str, Any]]] = {
    "ratings": {"skip_bad": True}, "described": {}, "json": {}, "archive": {}, "fhir": {}, "tables": {},
    "questionnaire": {"right": "made up", "higher": "better"}, "redcap records": {},
    "redcap dictionary": {"right": "made up"}, "recipe": {"of": "ors_srs"},
}  # fmt: skip


@pytest.mark.parametrize("begin", range(0, FILES, AT_ONCE))
def test_a_malformed_file_is_one_sentence_and_takes_little(begin: int) -> None:
    asked = {
        "seed": SEED, "begin": begin, "end": begin + AT_ONCE, "seconds": 120, "readers": READERS,
        "shelf": [[each.id, to_table(each)] for each in (loads(DESCRIPTION.decode()), *of_others())],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-m", "hostile_child"], input=json.dumps(asked) + "\n", capture_output=True,
        text=True, check=False, timeout=300, env=environment(),
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each[0] for each in told] == list(range(begin, begin + AT_ONCE)), (done.returncode, told[-1:])
    for number, kind, outcome, said, seconds, _ in told:
        assert outcome in {"D", "S"}, (number, kind, outcome, said)
        assert seconds < LONGEST, (number, kind)
        if outcome == "S":
            held_to_one_sentence(said)
    assert told[-1][-1] < HIGHEST
    assert {outcome for _, _, outcome, *_ in told} == {"D", "S"}


def held_to_one_sentence(said: str) -> None:
    assert said.endswith((".", "…")), said
    assert len(said.splitlines()) == 1, said
    for trace in ("Traceback", "/proc", "/work", "/home", ".py", 'File "'):
        assert trace not in said, said


def test_every_kind_is_among_them() -> None:
    assert {hostile(SEED, number).kind for number in range(FILES)} == set(KINDS)


def test_a_file_is_the_same_whenever_it_is_asked_for() -> None:
    for number in (0, 250, 777, 1234):
        assert hostile(SEED, number) == hostile(SEED, number)


def test_a_practice_into_which_they_are_imported_is_as_it_was(house: Building) -> None:
    guest = house.guest("T-1")
    practice = house.cast.first
    before, entries = kept(practice), len(practice.house.record.entries())
    refused = 0
    for number in range(0, FILES, FILES // IMPORTED):
        file = hostile(SEED, number + 1)
        answer = guest.upload("/import", "totals.csv", file.content)
        assert "Traceback" not in answer.text
        if answer.status_code == 200:  # odd, and yet a table
            continue
        assert answer.status_code == 400, answer.text
        assert guest.post("/import/take", name="a", low="0", high="10").headers["location"] == "/import"
        refused += 1
    assert refused > IMPORTED // 2
    assert kept(practice) == before
    since = practice.house.record.entries(after=entries)
    assert {entry["verb"].partition(" ")[0] for entry in since} <= {"see"}  # its pages were looked at


def test_a_file_that_is_refused_leaves_the_journal_s_end_where_it_was(cast: Cast) -> None:
    before = cast.first.house.record.tip
    for number in range(IMPORTED // 4):
        content = hostile(SEED, 250 * number + 250).content
        with pytest.raises(AttunementError):
            cast.first.take_in(read_ratings_apart(content).ratings, "totals", Measure(0, 10))
    assert cast.first.house.record.tip == before


def kept(practice: Practice) -> tuple[Any, ...]:
    """The end of a practice's identities, and all rows of its record and identities."""
    found: list[Any] = []
    for vault in (practice.house.record, practice.house.identity):
        with vault.reading() as rows:
            found += [
                rows.all(sa.select(table))
                for table in vault.metadata.sorted_tables
                if table.name != "journal"
            ]
    return (*found, practice.house.identity.tip)
