"""An older copy of the folder, beside a database that has gone on: nothing that was written since is lost."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from cast import BEGAN, PHRASES, Cast, reflected, seen

from attunement.errors import Damaged, InputError, NotStored
from attunement.practice import Practice
from attunement.practice.house import reached
from attunement.practice.restoring import restore
from attunement.sessions import Reflection
from attunement.vault import carrying
from attunement.vault.backup import new_identity
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.schema import SchemaStore
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg


@pytest.fixture
def lived(in_files: Cast) -> Cast:
    seen(in_files.first, "K-01", 5)
    reflected(in_files.first, "K-01", 2)
    return in_files


def written(practice: Practice) -> list[int]:
    practice.unlock(PHRASES["T-1"])
    return [each.session for each in practice.reflections("K-01")]


def test_a_folder_put_back_from_before_finds_the_reflections_that_went_on_in_the_database(
    lived: Cast, address: str, tmp_path: Path
) -> None:
    lived.admin.move(address)
    folder = lived.first.house.folder
    shutil.copytree(folder, tmp_path / "kept", ignore=shutil.ignore_patterns(".lock"))
    lived.first.unlock(PHRASES["T-1"])
    for session in (3, 4, 5):
        lived.first.reflect("K-01", session, Reflection(words=f"about {session}"))
    lived.close()
    with Practice.open(tmp_path / "kept", "T-1", PHRASES["T-1"]) as practice:
        assert written(practice) == [1, 2, 3, 4, 5]
        assert practice.verify_reflections().whole


def test_a_folder_from_long_before_replaces_nothing(lived: Cast, address: str, tmp_path: Path) -> None:
    lived.admin.move(address)
    folder = lived.first.house.folder
    shutil.copytree(folder, tmp_path / "kept", ignore=shutil.ignore_patterns(".lock"))
    lived.first.unlock(PHRASES["T-1"])
    lived.admin.rotate_keys(PHRASES["A-1"], RecoveryCode.fresh(), cost=LEAST)
    lived.close()
    with pytest.raises(Damaged):
        Practice.open(tmp_path / "kept", "T-1", PHRASES["T-1"])
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        assert written(practice) == [1, 2]


def test_an_old_copy_does_not_move_over_the_database_that_went_on(
    lived: Cast, address: str, tmp_path: Path
) -> None:
    folder = lived.first.house.folder
    lived.close()
    shutil.copytree(folder, tmp_path / "old", ignore=shutil.ignore_patterns(".lock"))
    with Practice.open(folder, "A-1", PHRASES["A-1"]) as admin:
        admin.move(address)
        admin.sign_in("T-1", PHRASES["T-1"]).take_on("K-77")
    with (
        Practice.open(tmp_path / "old", "A-1", PHRASES["A-1"]) as admin,
        pytest.raises(Damaged, match="older copy"),
    ):
        admin.move(address)
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        assert [each.client.code for each in practice.clients()] == ["K-01", "K-77"]


def test_a_restored_backup_moves_nowhere_beside_the_living_practice(
    lived: Cast, address: str, tmp_path: Path
) -> None:
    lived.admin.move(address)
    secret, public = new_identity()
    lived.admin.back_up(tmp_path / "b.age", public)
    folder = lived.first.house.folder
    lived.close()
    restore(tmp_path / "b.age", secret, tmp_path / "restored", "A-1", PHRASES["A-1"])
    with (
        Practice.open(tmp_path / "restored", "A-1", PHRASES["A-1"]) as admin,
        pytest.raises(Damaged, match="older copy"),
    ):
        admin.move(address)
    Practice.open(tmp_path / "restored", "A-1", PHRASES["A-1"]).close()
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        assert written(practice) == [1, 2]


def test_an_old_keys_json_costs_no_reflections_in_files_either(lived: Cast, address: str) -> None:
    folder = lived.first.house.folder
    lived.admin.move(address)
    lived.first.unlock(PHRASES["T-1"])
    lived.admin.move()
    before = (folder / "keys.json").read_bytes()
    lived.first.unlock(PHRASES["T-1"])  # from .sealed to .vault
    lived.close()
    after = (folder / "keys.json").read_bytes()
    assert before != after
    (folder / "keys.json").write_bytes(before)
    Practice.open(folder, "A-1", PHRASES["A-1"]).close()
    (folder / "keys.json").write_bytes(after)
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        assert written(practice) == [1, 2]


def test_what_is_sealed_is_compared_to_the_last_byte_before_it_counts(
    lived: Cast, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.admin.move(address)
    lived.first.unlock(PHRASES["T-1"])
    lived.first.lock()
    filled = carrying._rows  # noqa: SLF001 - what a bug would be in

    def flipped(read: object, written: object, table: object) -> int:
        digest = filled(read, written, table)  # type: ignore[arg-type]
        if getattr(table, "name", "") == "reflection":
            written.exec_driver_sql("UPDATE reflection SET body = zeroblob(length(body))")  # type: ignore[attr-defined]
        return digest

    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_rows", flipped)
        with pytest.raises(Damaged, match="not as the original"):
            lived.admin.move()
    assert written(lived.first) == [1, 2]


@pytest.fixture
def reader(lived: Cast, address: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody who reads every table for a long time, as `pg_dump` does."""
    lived.admin.move(address)
    database = lived.first.house.database
    assert database is not None
    with database.connected("record_2") as connection:
        connection.execute("SET ROLE attunement_backup")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        for schema, table in (("record_2", "client"), ("identity_2", "person")):
            connection.execute(f"SELECT count(*) FROM {schema}.{table}")  # noqa: S608
        yield connection


def test_new_keys_are_in_force_though_somebody_reads_what_was_under_the_old(
    lived: Cast, reader: psycopg.Connection[tuple[object, ...]]
) -> None:
    lived.admin.rotate_keys(PHRASES["A-1"], code := RecoveryCode.fresh(), cost=LEAST)
    folder, database = lived.first.house.folder, lived.first.house.database
    assert database is not None
    assert database.schemas(lived.first.house.keyfile.install)["record_2"] == "over"
    lived.close()
    reader.close()
    with Practice.open_with_code(folder, "A-1", code) as practice:
        assert practice.verify()["record"].whole
        there = practice.house.database
        assert there is not None
        assert "record_2" not in there.schemas(practice.house.keyfile.install)


def test_a_move_back_says_what_could_not_be_removed_yet(
    lived: Cast, address: str, reader: psycopg.Connection[tuple[object, ...]]
) -> None:
    said = lived.admin.move()
    assert [each for each in said if "its administrator can drop it" in each]
    reader.close()
    said = lived.admin.move(address)  # what is over is in nobody's way
    assert lived.first.clients()


def test_an_init_that_fails_half_way_leaves_room_for_the_next(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(name: str) -> Practice:
        return Practice.found(
            tmp_path / name, "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST, database=address
        )

    make = SchemaStore.make

    def failing(self: SchemaStore, kind: str) -> None:
        if kind == "identity":
            raise NotStored("The database's disk is full.")
        make(self, kind)

    with monkeypatch.context() as patch:
        patch.setattr(SchemaStore, "make", failing)
        with pytest.raises(NotStored):
            found("first")
    found("second").close()


def test_a_copy_while_others_write_is_of_one_state(in_database: Cast, tmp_path: Path) -> None:
    seen(in_database.first, "K-01")
    rows = carrying._rows  # noqa: SLF001 - in the middle of the copy

    def meanwhile(read: object, written: object, table: object) -> int:
        if getattr(table, "name", "") == "account":
            in_database.first.log_contact("K-01", BEGAN, kind="call", begun_by="client")
        return rows(read, written, table)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carrying, "_rows", meanwhile)
        in_database.admin.back_up(tmp_path / "b.age", new_identity()[1])
    assert len(in_database.first.contacts("K-01")) >= 1


def test_a_character_that_a_database_cannot_keep_is_named_and_not_the_disk(lived: Cast, address: str) -> None:
    house = lived.first.house
    with house.record.store.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE client SET code = 'K' || char(0) || '1'")
    source = Vault(house.place(house.keyfile.files["record"]), house.keys["record"], "record", house.clock)
    house.database = reached(address)
    try:
        with pytest.raises(InputError, match="NUL"):
            carrying.carry(source, house.place("record-9.schema"), house.keys["record"], house.clock)
    finally:
        source.close()
        house.leave_database()
