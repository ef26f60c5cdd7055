"""From files into a database and back: the same practice, verified, whenever it is stopped."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from cast import PHRASES, Cast, reflected, seen
from psycopg.conninfo import conninfo_to_dict

from attunement.errors import Damaged, InputError, NotStored, VaultProblem
from attunement.practice import Practice, moving
from attunement.practice.restoring import restore
from attunement.vault import carrying
from attunement.vault.backup import new_identity
from attunement.vault.keyfile import KeyFile
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.store import VARIABLE
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from server import Server


@pytest.fixture
def lived(in_files: Cast) -> Cast:
    """A practice in files in which something happened; T-2's reflections are locked."""
    for who, client in ((in_files.first, "K-01"), (in_files.second, "K-02")):
        seen(who, client, 3)
        who.choose_step(client, "name it")
        who.raise_concern(client, "quiet")
        who.identify(client, "Somebody Somewhere", "by telephone")
        reflected(who, client, 2)
    in_files.second.hold("K-02", "a court")
    return in_files


def named(address: str) -> str:
    return str(conninfo_to_dict(address)["dbname"])


def schemas(server: Server, address: str) -> list[str]:
    asked = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(record|identity|reflections)_'"
    return [row[0] for row in server.run(asked, database=named(address))]


def everything(cast: Cast, *, reflections: bool = True) -> dict[str, Any]:
    """All that its people can read of a practice."""
    told: dict[str, Any] = {}
    for who, client in ((cast.first, "K-01"), (cast.second, "K-02")):
        name = who.who.code
        told |= {
            f"{name} sessions": who.sessions(client),
            f"{name} check-ins": who.check_ins(client),
            f"{name} steps": who.steps(client),
            f"{name} concerns": who.concerns(client),
            f"{name} consents": who.consents(client),
            f"{name} identity": who.identity(client),
            f"{name} clients": who.clients(),
            f"{name} export": who.export(client),
        }
    if reflections:
        for who, client in ((cast.first, "K-01"), (cast.second, "K-02")):
            who.unlock(PHRASES[who.who.code])
            told[f"{who.who.code} reflections"] = who.reflections(client)
            tables = who.own_tables()
            told[f"{who.who.code} own tables"] = {
                each: getattr(tables, each).write_json() for each in tables.__dataclass_fields__
            }
            who.lock()
    told["accounts"] = cast.admin.accounts()
    return told


def test_a_practice_moved_into_a_database_and_back_reads_the_same(lived: Cast, address: str) -> None:
    before, tip = everything(lived), lived.first.tip
    said = lived.admin.move(address)
    assert "in the database" in said[0]
    assert everything(lived) == before
    assert lived.admin.verify(tip)["record"].whole
    folder = lived.first.house.folder
    assert [path.name for path in folder.glob("*.vault")] == [
        f"{_family(lived, 'S-1')}-1.vault"
    ]  # still locked

    lived.admin.move()
    assert lived.first.house.database is None
    assert everything(lived) == before
    assert lived.admin.verify(tip)["record"].whole
    assert lived.admin.journal()[-1]["verb"] == "verify journal"


def test_nothing_is_left_in_the_database_that_it_moved_out_of(
    lived: Cast, address: str, server: Server
) -> None:
    lived.admin.move(address)
    for who in (lived.first, lived.second, lived.supervisor):
        who.unlock(PHRASES[who.who.code])
    name = named(address)
    assert server.run(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(record|identity|reflections)_'", database=name
    )
    lived.admin.move()
    assert not server.run(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(record|identity|reflections)_'", database=name
    )


def test_reflections_that_are_locked_stay_in_their_file_until_their_owner_opens_them(
    lived: Cast, address: str
) -> None:
    said = lived.admin.move(address)
    assert any("come when they next unlock them" in sentence for sentence in said)
    folder, keyfile = lived.first.house.folder, lived.first.house.keyfile
    files = {code: account.own.file for code, account in keyfile.accounts.items() if account.own}
    assert set(files) == {"T-1", "T-2", "S-1"}
    assert {path.name for path in folder.glob("reflections-*.vault")} == set(files.values())
    lived.second.unlock(PHRASES["T-2"])
    assert [each.reflection.words for each in lived.second.reflections("K-02")] == ["private 1", "private 2"]
    assert not (folder / files["T-2"]).exists()
    assert lived.second.verify_reflections().whole


def test_reflections_of_one_who_has_left_are_said_to_stay_and_not_to_come(lived: Cast, address: str) -> None:
    lived.admin.end_account("T-2")
    said = lived.admin.move(address)
    assert "reflections of T-2: stay in their file: nobody can open them any more." in said
    assert sum("come when they next unlock them" in sentence for sentence in said) == 2


def test_reflections_that_are_locked_come_back_as_they_are_sealed(lived: Cast, address: str) -> None:
    lived.admin.move(address)
    for who in (lived.first, lived.second):
        who.unlock(PHRASES[who.who.code])
        who.lock()
    lived.admin.move()
    folder = lived.first.house.folder
    assert len(list(folder.glob("reflections-*.sealed"))) == 2
    lived.admin.move(address)  # there again without anybody's key
    assert not list(folder.glob("reflections-*.sealed"))
    lived.second.unlock(PHRASES["T-2"])
    assert len(lived.second.reflections("K-02")) == 2
    lived.admin.move()
    lived.second.unlock(PHRASES["T-2"])
    assert len(lived.second.reflections("K-02")) == 2
    assert not list(folder.glob(f"{_family(lived, 'T-2')}*.sealed"))


def _family(cast: Cast, account: str) -> str:
    own = cast.first.house.keyfile.account(account).own
    assert own is not None
    return own.file.rpartition("-")[0]


def test_a_practice_goes_on_in_the_database_and_opens_again_there(lived: Cast, address: str) -> None:
    lived.admin.move(address)
    seen(lived.first, "K-03")
    lived.first.unlock(PHRASES["T-1"])
    folder, tip = lived.first.house.folder, lived.first.tip
    lived.close()
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        assert [dyad.client.code for dyad in practice.clients()] == ["K-01", "K-03"]
        assert practice.verify(tip)["record"].whole


def test_moving_twice_or_back_from_nowhere_is_a_sentence(lived: Cast, address: str) -> None:
    with pytest.raises(InputError, match="in files already"):
        lived.admin.move()
    lived.admin.move(address)
    with pytest.raises(InputError, match="in a database already"):
        lived.admin.move(address)


def test_a_practice_that_was_tampered_with_is_not_moved(lived: Cast, address: str) -> None:
    house = lived.first.house
    with house.record.store.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE session SET number = 9 WHERE number = 1")
    with pytest.raises(Damaged, match="Nothing was moved"):
        lived.admin.move(address)
    assert house.keyfile.suffix == ".vault"
    assert lived.first.clients()


@pytest.mark.parametrize("moment", ["before the first copy", "between the copies", "before the keys"])
def test_a_move_that_was_stopped_can_be_done_again(
    lived: Cast, address: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, folder = everything(lived), lived.first.house.folder
    carry, calls = carrying.carry, iter(range(10))

    def stopped(*given: Any) -> None:  # noqa: ANN401 - as `carry`
        if next(calls) == {"before the first copy": 0, "between the copies": 1}.get(moment, 9):
            raise NotStored("The machine was switched off.")
        carry(*given)

    with monkeypatch.context() as patch:
        patch.setattr(moving, "carry", stopped)
        if moment == "before the keys":
            patch.setattr(KeyFile, "save", lambda *_: (_ for _ in ()).throw(NotStored("switched off")))
        with pytest.raises(NotStored):
            lived.admin.move(address)
    assert {path.name for path in folder.glob("record-*.vault")} == {"record-1.vault"}
    after = everything(lived, reflections=False)
    assert after == {name: before[name] for name in after}
    lived.admin.move(address)
    assert everything(lived) == before


def test_a_copy_that_is_not_as_the_original_does_not_count(
    lived: Cast, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = carrying._rows  # noqa: SLF001 - what a bug would be in

    def forgetful(read: Any, written: Any, table: Any) -> int:  # noqa: ANN401 - as `_rows`
        return 0 if table.name == "step" else rows(read, written, table)

    monkeypatch.setattr(carrying, "_rows", forgetful)
    with pytest.raises(Damaged, match="not as the original"):
        lived.admin.move(address)
    assert lived.first.house.keyfile.suffix == ".vault"
    assert lived.first.steps("K-01")


def test_a_backup_of_a_database_opens_as_files_on_a_machine_without_one(
    lived: Cast, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.admin.move(address)
    lived.first.unlock(PHRASES["T-1"])
    lived.first.lock()
    before = everything(lived)
    secret, public = new_identity()
    lived.admin.back_up(tmp_path / "clinic.age", public)
    monkeypatch.delenv(VARIABLE)
    restore(tmp_path / "clinic.age", secret, tmp_path / "restored", "T-1", PHRASES["T-1"])
    with Practice.open(tmp_path / "restored", "T-1", PHRASES["T-1"]) as practice:
        assert practice.sessions("K-01") == before["T-1 sessions"]
        assert practice.identity("K-01") == before["T-1 identity"]
        for account, client in (("T-1", "K-01"), ("T-2", "K-02")):
            who = practice.sign_in(account, PHRASES[account])
            who.unlock(PHRASES[account])
            assert who.reflections(client) == before[f"{account} reflections"]


def test_new_keys_in_a_database_open_it_and_the_old_ones_nothing(lived: Cast, address: str) -> None:
    lived.admin.move(address)
    before, house = everything(lived), lived.first.house
    old = dict(house.keys)
    lived.admin.rotate_keys(PHRASES["A-1"], RecoveryCode.fresh(), cost=LEAST)
    assert everything(lived) == before
    assert old["record"].reveal() != house.keys["record"].reveal()
    with pytest.raises(Damaged):
        Vault(house.place(house.keyfile.files["record"]), old["record"], "record", house.clock)


def test_a_program_that_was_told_another_database_opens_nothing(
    lived: Cast, address: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.admin.move(address)
    folder = lived.first.house.folder
    lived.close()
    another = server.fresh()
    monkeypatch.setenv(VARIABLE, server.address(another))
    with pytest.raises(Damaged):
        Practice.open(folder, "T-1", PHRASES["T-1"])
    server.drop(another)


def test_a_schema_put_back_from_before_is_found_by_the_tip(
    lived: Cast, address: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.admin.move(address)
    folder = lived.first.house.folder
    lived.close()
    like = named(address)
    earlier = server.fresh(like)
    shutil.copytree(folder, tmp_path / "earlier")
    with Practice.open(folder, "T-1", PHRASES["T-1"]) as practice:
        practice.take_on("K-09")
        tip = practice.tip
    monkeypatch.setenv(VARIABLE, server.address(earlier))
    with Practice.open(tmp_path / "earlier", "A-1", PHRASES["A-1"]) as practice:
        verdict = practice.verify(tip)["record"]
        assert not verdict.whole
        assert "cut off or put back" in verdict.problems[0]
    server.drop(earlier)


def test_somebody_without_the_key_cannot_change_a_sealed_field_unseen(
    lived: Cast, address: str, server: Server
) -> None:
    lived.admin.move(address)
    name = named(address)
    server.run("UPDATE record_2.check_in SET answers = answers || '\\x00'::bytea", database=name)
    with pytest.raises(Damaged, match="not as it was written"):
        lived.first.check_ins("K-01")
    with pytest.raises(VaultProblem):
        lived.admin.verify()


def test_an_answer_given_in_files_or_in_a_database_is_kept_and_found_alike(
    in_files: Cast, in_database: Cast
) -> None:
    """Two practices live through the same; what is worked out from them agrees to 1e-9."""
    for everybody in (in_files, in_database):
        for client in ("K-01", "K-02"):
            seen(everybody.first, client, 9)
        reflected(everybody.first, "K-01", 9)
        everybody.first.unlock(PHRASES["T-1"])
    tables = [everybody.first.own_tables() for everybody in (in_files, in_database)]
    for name in tables[0].__dataclass_fields__:
        one, other = (json.loads(getattr(each, name).write_json()) for each in tables)
        assert len(one) == len(other)
        for before, after in zip(one, other, strict=True):
            assert {key: value for key, value in before.items() if "at" not in key} == {
                key: value for key, value in after.items() if "at" not in key
            }
    courses = [everybody.first.trajectories() for everybody in (in_files, in_database)]
    assert str(courses[0]) == str(courses[1])
