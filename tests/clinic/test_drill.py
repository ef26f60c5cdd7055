"""The stolen server: a clinic's whole disk, its database, its dumps, its backup and its drop box, and nothing to read.

Clients' codes are in clear, for the record is about them; no name is joined to one, and no word to either.
"""

from __future__ import annotations

import itertools
import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cast import BEGAN
from thief import Loot, steal

from attunement.errors import AttunementError, Damaged, NotStored, WrongKey
from attunement.practice import Practice
from attunement.vault import tables
from attunement.vault.sealed import Sealed
from attunement.vault.sealing import Key
from attunement.vault.seals import Seals
from attunement.vault.store import VARIABLE
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cast import Cast
    from server import Server

    from attunement.vault.rows import Rows

IN_CLEAR = {
    "code": "a client's code is no name",
    "last code": "see above",
    "at the box": "see above",
    "taken code": "see above",
    "site": "where norms that were loaded are from",
    "measure": "what a therapist calls a table that was taken in",
    "protocol": "what the practice says to everybody",
}
"""What may be read in a stolen database of all that was planted, and why; it does stand there."""

COLUMNS_IN_CLEAR = {
    "account": "id credential ended",
    "client": "id code since",
    "dyad": "id therapist client since ended ending until known_as",
    "session": "id dyad number began attendance lateness",
    "contact": "id dyad at kind begun_by",
    "invitation": "id session token_hash instrument expires used version",
    "check_in": "id session invitation at instrument version",
    "instrument": "id name version body at by ended",
    "step": "id dyad chosen repaired",
    "consent": "id client purpose given withdrawn",
    "share": "id sender recipient client revision expires box kind",
    "step_answer": "id step check_in talked",
    "own_curve": "id since",
    "concern": "id dyad session check_in at closed closed_by done_at",
    "protocol": "id at by help_en help_es number steps",
    "measure": "id therapist name low high established at instrument scale",
    "rating": "id session measure",
    "factor": "id account kind credential used added",
    "token": "id account scopes hash made expires",
    "reminded": "id account session kind at",
    "erased": "id therapist at swept",
    "handover": "id dyad recipient kind course offered until accepted made",
    "norm": "id name body at by ended",
    "signed": "id therapist kind at",
    "journal": "seq at steady who verb about outcome touched mac",
    "chain_key": "since",
    "reflection": "id body key",
    "person": "id",
}
"""Columns that are kept as they are: random ids, codes, times, words from a list of ours, hashes, and envelopes."""


@pytest.fixture(scope="module")
def loot(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loot]:
    """Whatever a thief of the server gets."""
    stolen = steal(server, tmp_path_factory.mktemp("stolen"), "box")
    yield stolen
    server.drop(stolen.database)


def test_all_of_a_server_was_taken(loot: Loot) -> None:
    taken = " ".join(loot.near)
    for part in (
        "disk as it was left/pg_wal", "disk as it was left/base", "disk as it was left/log", "disk tidied up/base",
        "dump by the superuser", "dump by the role for it", "practice/keys.json", "backup.age", "debug.log",
        "standard error", "box/drops", "box.log",
    ):  # fmt: skip
        assert part in taken, part
    assert not any(name.endswith((".vault", ".sealed")) for name in loot.near)
    for dump in ("dump by the superuser", "dump by the role for it"):
        assert ("last code", dump) in loot.found("last code")  # so that the search does find what is there


def test_on_a_stolen_server_no_name_no_reflection_and_no_answer_can_be_read(loot: Loot) -> None:
    assert sum(map(len, loot.planted.values())) > 300
    seen = loot.found()
    assert {field for field, _ in seen} == set(IN_CLEAR)
    in_database = ("disk ", "dump ")
    assert [each for each in seen if not each[1].startswith(in_database)] == []


def test_in_a_stolen_drop_box_nothing_at_all_can_be_read(loot: Loot) -> None:
    drops = [
        each for each in (loot.folder / "box" / "drops").glob("*.json") if b"sealed" in each.read_bytes()
    ]
    assert len(drops) == len(loot.planted["at the box"])
    assert len({each.stat().st_size for each in drops}) == 1
    assert len(loot.planted["token"]) == len(drops)
    read = b"".join(each.read_bytes() for each in (loot.folder / "box").rglob("*") if each.is_file())
    for secret in (*loot.planted["token"], *itertools.chain(*loot.planted.values())):
        assert secret.encode() not in read


def test_every_column_that_is_in_clear_is_named_here() -> None:
    kept: dict[str, set[str]] = {}
    for metadata in tables.KINDS.values():
        for table in metadata.sorted_tables:
            clear = {column.name for column in table.columns if not isinstance(column.type, Sealed)}
            kept[table.name] = kept.get(table.name, set()) | clear
    assert {name: columns for name, columns in kept.items() if columns} == {
        name: set(columns.split()) for name, columns in COLUMNS_IN_CLEAR.items()
    }


def test_with_sealing_off_the_same_search_finds_names_and_answers_and_still_no_reflection(
    server: Server, tmp_path: Path
) -> None:
    loot = steal(server, tmp_path, "open")
    fields = {field for field, _ in loot.found()}
    server.drop(loot.database)
    assert {"person", "contact", "name", "email", "step", "outcome", "reason", "concern", "done", "answers", "basis",
            "program", "factor"} <= fields  # fmt: skip
    envelopes = {"words", "feeling", "tag", "question", "pattern", "own words", "own feeling"}
    assert not (envelopes | {"passphrase", "recovery code"}) & fields


# -- what a thief could try


def test_a_name_that_is_joined_to_a_client_is_bytes(loot: Loot) -> None:
    joined = loot.ask(
        f"""SELECT code, name, contact FROM {loot.schema("identity")}.person
        JOIN {loot.schema("record")}.client USING (id)"""  # noqa: S608 - our own names
    )
    assert {str(code) for code, *_ in joined} >= set(loot.planted["last code"])
    people = [each.encode() for each in (*loot.planted["person"], *loot.planted["contact"])]
    for _, *fields in joined:
        assert all(isinstance(each, bytes) and not any(one in each for one in people) for each in fields)
    names = [name for _, name, _ in joined]
    assert len({len(bytes(name)) for name in names if isinstance(name, bytes)}) == 1
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("owner", ["T-1", "T-2"])
def test_no_reflection_can_be_joined_to_a_client_or_a_session(loot: Loot, owner: str) -> None:
    kept, record = f"{loot.schema(owner)}.reflection", loot.schema("record")
    assert loot.ask(f"SELECT count(*) FROM {kept}") != [(0,)]  # noqa: S608 - our own names
    ways = ("convert_to(whole.id, 'UTF8')", "decode(whole.id, 'hex')")
    for table, way in itertools.product(("client", "dyad", "session"), ways):
        looked_for = " OR ".join(
            f"position({way} in {kept}.{column}) > 0" for column in ("client", "session", "body", "key")
        )
        joined = f"SELECT count(*) FROM {kept} JOIN {record}.{table} AS whole ON {looked_for}"  # noqa: S608 - our own names
        assert loot.ask(joined) == [(0,)], (table, way)
    same = f"SELECT count(*) FROM {kept} AS one JOIN {kept} AS other ON one.client = other.session"  # noqa: S608 - our own names
    assert loot.ask(same) == [(0,)]


@pytest.mark.parametrize("owner", ["T-1", "T-2"])
def test_a_reflection_that_was_shared_is_not_found_in_the_record_by_its_id_its_bytes_or_the_journal(
    loot: Loot, owner: str
) -> None:
    record = loot.schema("record")
    kept = loot.ask(f"SELECT id, body, key FROM {loot.schema(owner)}.reflection")  # noqa: S608 - our own names
    assert kept
    assert loot.ask(f"SELECT count(*) FROM {record}.share WHERE kind = 'reflection'") != [(0,)]  # noqa: S608 - our own names
    for table in tables.RECORD.tables:
        for row in loot.ask(f"SELECT * FROM {record}.{table}"):  # noqa: S608 - our own names
            for row_id, body, key in kept:
                assert isinstance(row_id, str)
                assert isinstance(body, bytes)
                assert isinstance(key, bytes)
                for value in row:
                    assert not isinstance(value, str) or row_id not in value, table
                    assert not isinstance(value, bytes) or not any(
                        each in value for each in (row_id.encode(), bytes.fromhex(row_id), body, key)
                    ), table


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (tables.check_in.c.answers, ('{"hope":9.0}', '{"hope":10.0}', '{"hope":null}')),
        (tables.concern.c.item, ("state.safety", "state.of another item")),
        (tables.account.c.roles, ("admin", "admin supervisor therapist")),
    ],
)
def test_the_size_of_what_is_sealed_does_not_tell_what_it_is(
    column: sa.Column[str], texts: tuple[str, ...]
) -> None:
    kind, seals = column.type, Seals(Key.fresh())
    assert isinstance(kind, Sealed)
    sealed = [seals.seal(each, kind.about, lookup=kind.lookup, padded=kind.padded) for each in texts]
    assert len({len(each) for each in sealed}) == 1


def test_nothing_that_was_taken_opens_a_field(loot: Loot, monkeypatch: pytest.MonkeyPatch) -> None:
    [(code, sealed)] = loot.ask(
        f"""SELECT code, name FROM {loot.schema("identity")}.person JOIN {loot.schema("record")}.client USING (id)
        WHERE code = '{loot.planted["last code"][-1]}'"""  # noqa: S608 - our own names
    )
    assert isinstance(sealed, bytes)
    for key in _keys_to_try(loot):
        with pytest.raises(Damaged):
            Seals(Key(key)).open(sealed, "person.name", lookup=False, padded=True)
    monkeypatch.setenv(VARIABLE, loot.server.address(loot.database))
    folder = shutil.copytree(loot.folder / "practice", loot.folder / "copied")
    with pytest.raises(WrongKey):
        Practice.open(folder, "T-1", "a thief guesses this and that")
    with Practice.open(folder, "T-1", " ".join(loot.planted["passphrase"][:2])) as practice:
        assert (
            practice.identity(str(code))[0] in loot.planted["person"]
        )  # what a thief has not is the passphrase


def _keys_to_try(loot: Loot) -> set[bytes]:
    """Whatever could be a key: 32 bytes anywhere in keys.json, and in any column of the record or of identity."""
    stored = json.loads((loot.folder / "practice" / "keys.json").read_text())
    blobs = [*_bytes_in(stored)]
    for vault in ("record", "identity", "T-1"):
        for (key,) in loot.ask(f"SELECT key FROM {loot.schema(vault)}.chain_key"):  # noqa: S608 - our own names
            assert isinstance(key, bytes)
            blobs.append(key)
    return {blob[at : at + 32] for blob in blobs for at in range(len(blob) - 31)}


def _bytes_in(stored: object) -> Iterator[bytes]:
    if isinstance(stored, str):
        try:
            yield bytes.fromhex(stored)
        except ValueError:
            yield stored.encode()
    elif isinstance(stored, dict | list):
        for each in stored.values() if isinstance(stored, dict) else stored:
            yield from _bytes_in(each)


def test_the_programs_log_holds_nothing_of_two_errors_in_one_message(
    in_database: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    practice = in_database.first
    practice.take_on("K-01")
    practice.log_session("K-01", BEGAN)
    record = practice.house.record
    with record.reading(KEEPER) as rows:
        session = rows.all(tables.session.select())[0]

    def twice(rows: Rows) -> None:
        rows.add(tables.session, **{**session, "id": tables.new_id()})  # fails at the server
        rows._line.write("SELECT %s", (object(),))  # noqa: SLF001 - fails before it is sent
        rows.note("T-1", "tried", "")

    with pytest.raises(AttunementError) as refused:
        record.do(twice, KEEPER)
    for told in (str(refused.value), caplog.text):
        assert not told or session["dyad"] not in told
    assert not caplog.records
    assert len(practice.sessions("K-01")) == 1


def _noted(attempt: Callable[[Rows], Any], rows: Rows) -> None:
    attempt(rows)
    rows.note("T-1", "tried", "")


def test_the_servers_log_tells_of_an_error_and_not_what_was_answered(
    in_database: Cast, server: Server
) -> None:
    secret = "planted in an answer"
    practice = in_database.first
    practice.take_on("K-01")
    practice.log_session("K-01", BEGAN)
    record, before = practice.house.record, (server.data / "log").stat().st_size
    with record.reading(KEEPER) as rows:
        session = rows.all(tables.session.select())[0]
    twice = {**session, "id": tables.new_id()}
    nowhere = {"at": BEGAN, "instrument": "connection", "version": "1", "answers": secret}
    attempts: tuple[Callable[[Rows], Any], ...] = (
        lambda rows: rows.add(tables.session, **twice),
        lambda rows: rows.add(tables.check_in, session=None, **nowhere),
        lambda rows: rows.add(tables.check_in, session="nowhere", **nowhere),
        lambda rows: rows.execute(sa.text("SELECT at / 0 FROM check_in")),
    )
    told = []
    for attempt in attempts:
        with pytest.raises(AttunementError) as refused:
            record.do(partial(_noted, attempt), KEEPER)
        told.append(str(refused.value))
        assert isinstance(refused.value, NotStored)
    log = (server.data / "log").read_bytes()[before:]
    for said in (
        b"unique constraint",
        b"not-null constraint",
        b"foreign key constraint",
        b"operator does not exist",
    ):
        assert said in log, said
    assert b"Failing row contains" not in log  # where rows are held to whom they are for, none is quoted
    for kept in (log, *(each.encode() for each in told)):
        assert secret.encode() not in kept
        assert secret.encode().hex().encode() not in kept
