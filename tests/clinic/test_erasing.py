"""What was erased is nowhere, or it is said: whoever reads an older state keeps it on the disk until they end."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa
from cast import BEGAN, PHRASES, reflected, seen

from attunement.errors import InUse, VaultProblem
from attunement.practice import Practice
from attunement.sessions import Purpose
from attunement.vault import tables
from attunement.vault.file import FileStore
from attunement.vault.schema import SchemaStore
from attunement.vault.store import VARIABLE
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cast import Cast
    from server import Server

    from attunement.practice import Practice as Opened

PLANTED = "planted where it is to be erased"


def erasures(practice: Opened) -> list[Any]:
    """When each was swept."""
    with practice.house.record.reading(KEEPER) as rows:
        return [row["swept"] for row in rows.all(sa.select(tables.erased.c.swept))]


@contextlib.contextmanager
def an_older_state(server: Server, address: str) -> Iterator[None]:
    """Somebody who reads from the database as it was, such as a dump."""
    name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
    with psycopg.connect(server.admin, dbname=str(name), autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SELECT count(*) FROM pg_class")
        yield
        connection.execute("ROLLBACK")


def test_an_erased_client_whom_an_older_snapshot_still_sees_is_not_told_to_be_swept(
    in_database: Cast, server: Server
) -> None:
    practice = in_database.first
    seen(practice, "K-01")
    practice.identify("K-01", PLANTED)
    with an_older_state(server, os.environ[VARIABLE]):
        with pytest.raises(VaultProblem, match="K-01 is erased from the record") as told:
            practice.erase("K-01")
        assert "nothing was stored" not in str(told.value)
        assert practice.clients() == ()
        assert erasures(practice) == [None]
        assert not practice.finish_erasing()
    assert practice.finish_erasing()
    assert None not in erasures(practice)
    assert practice.verify()["record"].whole


def test_an_erased_client_whom_a_reader_of_the_file_still_sees_is_not_told_to_be_swept(
    in_files: Cast,
) -> None:
    practice = in_files.first
    seen(practice, "K-01")
    with practice.house.record.reading(KEEPER) as rows:
        rows.one(sa.select(tables.client))
        with pytest.raises(VaultProblem, match="K-01 is erased from the record"):
            practice.erase("K-01")
    assert erasures(practice) == [None]
    assert practice.finish_erasing()
    assert None not in erasures(practice)


@pytest.mark.parametrize("store", ["in_files", "in_database"])
def test_what_was_destroyed_is_told_as_destroyed_where_its_traces_could_not_be_swept(
    request: pytest.FixtureRequest, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = request.getfixturevalue(store)
    practice, folder = cast.first, cast.first.house.folder
    seen(practice, "K-01")
    practice.identify("K-01", PLANTED)
    reflected(practice, "K-01", 1)

    def busy(_: object) -> bool:
        raise InUse("It is busy; nothing was stored.")

    with monkeypatch.context() as held:
        held.setattr(SchemaStore, "sweep", busy)
        held.setattr(FileStore, "sweep", busy)
        practice.unlock(PHRASES["T-1"])
        with pytest.raises(VaultProblem, match=r"^The reflection is destroyed\.") as told:
            practice.destroy_reflection("K-01", 1)
        assert "nothing was stored" not in str(told.value)
        assert not practice.reflections("K-01")
        with pytest.raises(VaultProblem, match="is erased from the record"):
            practice.erase("K-01")
        assert practice.clients() == ()
        practice.close()
        with Practice.open(folder, "T-1", PHRASES["T-1"]) as again:  # which tries, and goes on
            assert erasures(again) == [None]
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as again:
        assert None not in erasures(again)
        assert again.verify()["identity"].whole


def test_the_record_does_not_name_a_reflection_that_was_shared_and_then_destroyed(in_files: Cast) -> None:
    practice = in_files.first
    seen(practice, "K-01")
    reflected(practice, "K-01", 1)
    practice.unlock(PHRASES["T-1"])
    practice.pin("S-1", practice.fingerprint("S-1"))
    practice.give_consent("K-01", Purpose.SUPERVISION)
    practice.share("K-01", 1, "S-1", until=BEGAN + timedelta(days=20))
    [reflection] = practice.reflections("K-01")
    practice.destroy_reflection("K-01", 1)
    assert not practice.shares()
    entries = practice.house.record.entries()
    assert "revoke share" in {each["verb"] for each in entries}
    assert not any(reflection.id in f"{each['about']} {each['touched']}" for each in entries)
