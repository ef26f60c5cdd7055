"""Keeping a practice: erasing, exporting, de-identifying, backing up, restoring, new keys, doctor."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from attunement.errors import (
    AttunementError,
    Damaged,
    InputError,
    InUse,
    Locked,
    NotStored,
    Refused,
    VaultProblem,
    WrongKey,
)
from attunement.practice import Practice, Role
from attunement.practice import house as houses
from attunement.practice.doctor import examine
from attunement.practice.release import DEIDENTIFIED, EXPORTED, as_csv
from attunement.practice.restoring import restore
from attunement.practice.unlocked import IDLE
from attunement.sessions import Credential, Purpose, Reflection
from attunement.vault import places
from attunement.vault.backup import new_identity
from attunement.vault.clock import Clock
from attunement.vault.journal import Tip
from attunement.vault.keyfile import NAME, KeyFile
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSPHRASE, OTHER = "glacier pencil tomorrow violin", "harbour candle eleven mosquito"
CODE = RecoveryCode.fresh()
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANSWERS = {
    "safe": 8, "understood": 9, "supported": 8, "not_judged": 10, "could_say": 7, "contact": 6,
    "matters": None, "hindering": 2,
}  # fmt: skip


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    founded = Practice.found(
        tmp_path / "practice", "T-1", PASSPHRASE, CODE, cost=LEAST, credential=Credential.PSYCHOLOGIST
    )
    yield founded
    founded.close()


def seen(practice: Practice, client: str, sessions: int = 2, *agreed: Purpose) -> None:
    """Take a client on, and let them answer after each session."""
    practice.take_on(client, agreed=agreed or [Purpose.CHECK_INS])
    for number in range(1, sessions + 1):
        practice.log_session(client, BEGAN + timedelta(days=7 * number, minutes=number))
        token = practice.invite(client, number).token
        practice.for_client().receive(token, {**ANSWERS, "safe": number}, f"sending-of-{client}-{number}")


def reopened(practice: Practice, passphrase: str = PASSPHRASE) -> Practice:
    practice.close()
    return Practice.open(practice.house.folder, "T-1", passphrase)


# -- opening


def test_a_practice_opens_again_with_all_that_was_kept(practice: Practice) -> None:
    seen(practice, "K-07")
    with reopened(practice) as opened:
        assert [check_in.session for check_in in opened.check_ins("K-07")] == [1, 2]


def test_a_wrong_passphrase_and_an_unknown_account_read_alike(practice: Practice) -> None:
    practice.close()
    with pytest.raises(AttunementError) as wrong:
        Practice.open(practice.house.folder, "T-1", OTHER)
    assert "\n" not in str(wrong.value)
    with pytest.raises(Refused, match="no such account, or the passphrase"):
        Practice.open(practice.house.folder, "T-9", OTHER)


def test_two_programs_do_not_open_one_practice(practice: Practice) -> None:
    with pytest.raises(InUse, match="open in another program"):
        Practice.open(practice.house.folder, "T-1", PASSPHRASE)


def test_a_practice_is_not_made_where_something_is(practice: Practice, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not empty"):
        Practice.found(practice.house.folder, "T-1", PASSPHRASE, CODE, cost=LEAST)
    with pytest.raises(VaultProblem, match="attunement init"):
        Practice.open(tmp_path / "nowhere", "T-1", PASSPHRASE)


def test_a_founding_that_fails_leaves_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise NotStored("The disk is full.")

    with monkeypatch.context() as failing:
        failing.setattr(houses.House, "set_keys", full)
        with pytest.raises(NotStored):
            Practice.found(tmp_path / "p", "T-1", PASSPHRASE, CODE, cost=LEAST)
    Practice.found(tmp_path / "p", "T-1", PASSPHRASE, CODE, cost=LEAST).close()


def test_reflections_lock_themselves_after_five_idle_minutes(tmp_path: Path) -> None:
    seconds = [0.0]
    clock = Clock(lambda: BEGAN + timedelta(seconds=seconds[0]), lambda: seconds[0])
    with Practice.found(tmp_path / "p", "T-1", PASSPHRASE, CODE, cost=LEAST, clock=clock) as practice:
        practice.take_on("K-07")
        practice.log_session("K-07", BEGAN)
        practice.unlock(PASSPHRASE)
        for _ in range(3):
            seconds[0] += IDLE - 1
            practice.reflect("K-07", 1, Reflection(connection=5))
        seconds[0] += IDLE
        assert not practice.unlocked
        with pytest.raises(Locked, match="locked themselves"):
            practice.reflections("K-07")
        practice.unlock(PASSPHRASE)
        assert practice.reflections("K-07")[0].revision == 3


def test_changed_passphrases_open_and_the_old_ones_do_not(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.change_passphrase(PASSPHRASE, OTHER, cost=LEAST)
    practice.unlock(OTHER)
    with reopened(practice, OTHER) as opened:
        opened.unlock(OTHER)
    with pytest.raises(WrongKey):
        Practice.open(practice.house.folder, "T-1", PASSPHRASE)


def test_a_recovery_code_opens_everything_and_sets_a_new_passphrase(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.unlock(PASSPHRASE)
    practice.reflect("K-07", 1, Reflection(words="mine"))
    practice.close()
    with Practice.open_with_code(practice.house.folder, "T-1", CODE) as opened:
        opened.unlock_with_code(CODE)
        assert opened.reflections("K-07")[0].reflection.words == "mine"
        opened.reset_passphrase(CODE, OTHER, cost=LEAST)
    with Practice.open(practice.house.folder, "T-1", OTHER) as opened:
        opened.unlock(OTHER)


# -- erasing


def test_an_erased_client_is_nowhere_and_the_journal_is_whole(practice: Practice) -> None:
    seen(practice, "K-07")
    seen(practice, "K-08")
    practice.identify("K-07", "Somebody")
    practice.unlock(PASSPHRASE)
    practice.reflect("K-07", 1, Reflection(words="about the erased"))
    practice.erase("K-07")
    assert [dyad.client.code for dyad in practice.clients()] == ["K-08"]
    with pytest.raises(Refused):
        practice.sessions("K-07")
    assert all(verdict.whole for verdict in practice.verify().values())
    assert len(practice.check_ins("K-08")) == 2


def test_reflections_that_were_locked_are_destroyed_when_they_are_next_unlocked(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.unlock(PASSPHRASE)
    practice.reflect("K-07", 1, Reflection(words="about the erased"))
    practice.lock()
    practice.erase("K-07")
    practice.unlock(PASSPHRASE)
    own, _ = practice.house.reflections["T-1"].use()
    assert own.verify().whole
    assert [row["verb"] for row in own.entries()][-1] == "erase client"


def test_a_hold_forbids_erasing_until_it_is_released(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.hold("K-07", "subpoena of 3 May")
    with pytest.raises(InputError, match="hold forbids"):
        practice.erase("K-07")
    assert practice.clients()[0].client.held == "subpoena of 3 May"
    practice.release("K-07")
    practice.erase("K-07")


def test_an_erasure_that_was_interrupted_is_finished_at_the_next_opening(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(practice, "K-07")
    practice.identify("K-07", "Somebody")
    with monkeypatch.context() as interrupted:
        interrupted.setattr(Practice, "finish_erasing", lambda _: True)
        practice.erase("K-07")
    with reopened(practice) as opened:
        people = opened.house.identity
        with people.reading() as rows:
            assert not rows.all(people.metadata.tables["person"].select())
        assert all(verdict.whole for verdict in opened.verify().values())


# -- what leaves


def test_an_export_holds_the_allowed_columns_and_no_others(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.choose_step("K-07", "=cmd(1) name it next time")
    practice.log_contact("K-07", BEGAN, kind="call", begun_by="client")
    archive = zipfile.ZipFile(io.BytesIO(practice.export("K-07")))
    record = json.loads(archive.read("record.json"))
    for name, columns in EXPORTED.items():
        assert archive.read(f"{name}.csv").decode().splitlines()[0] == ",".join(columns)
        assert all(tuple(row) == columns for row in record[name])
    assert len(record["check_ins"]) == 2 * len(ANSWERS)
    assert "'=cmd(1)" in archive.read("steps.csv").decode()


def test_the_same_record_is_exported_to_the_same_bytes(practice: Practice) -> None:
    seen(practice, "K-07")
    assert practice.export("K-07") == practice.export("K-07")


def test_no_export_is_made_while_a_key_to_reflections_is_at_hand(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.unlock(PASSPHRASE)
    with pytest.raises(Locked, match="without a key"):
        practice.export("K-07")


def test_a_de_identified_table_has_no_code_no_date_and_no_text(practice: Practice) -> None:
    for number in range(6):
        seen(practice, f"SECRET-{number}", 3, Purpose.CHECK_INS, Purpose.RESEARCH)
    seen(practice, "SECRET-not-agreed", 3)
    rows = practice.deidentify()
    text = as_csv(rows, DEIDENTIFIED)
    assert "SECRET" not in text
    assert "2026" not in text
    assert {row["day"] for row in rows} == {0, 7, 14}
    assert len({row["client"] for row in rows}) == 6
    assert {row["client"] for row in rows}.isdisjoint({row["client"] for row in practice.deidentify()})


def test_fewer_than_five_clients_are_not_de_identified(practice: Practice) -> None:
    for number in range(4):
        seen(practice, f"K-{number}", 1, Purpose.CHECK_INS, Purpose.RESEARCH)
    with pytest.raises(InputError, match="fewer than 5"):
        practice.deidentify()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1"])
def test_no_cell_of_a_table_is_a_formula(text: str) -> None:
    cell = next(csv.DictReader(io.StringIO(as_csv([{"a": text}], ["a"]), newline="")))["a"]
    assert cell.startswith("'")
    assert as_csv([{"a": -1.5}], ["a"]).splitlines()[1] == "-1.5"


# -- backups


def test_a_backup_restores_on_another_machine_by_passphrase_and_by_code(
    practice: Practice, tmp_path: Path
) -> None:
    seen(practice, "K-07")
    practice.unlock(PASSPHRASE)
    practice.reflect("K-07", 1, Reflection(words="mine"))
    hidden, public = new_identity()
    manifest = practice.back_up(tmp_path / "b.age", public)
    practice.lock()
    practice.back_up(tmp_path / "locked.age", public)
    practice.close()
    opened_by: list[tuple[str, str | RecoveryCode]] = [("b.age", PASSPHRASE), ("locked.age", CODE)]
    for place, (archive, secret) in enumerate(opened_by):
        into = tmp_path / f"restored-{place}"
        found = restore(tmp_path / archive, f"# a comment\n{hidden}\n", into, "T-1", secret)
        with Practice.open(into, "T-1", PASSPHRASE) as again:
            again.unlock(PASSPHRASE)
            assert again.reflections("K-07")[0].reflection.words == "mine"
            assert again.verify(Tip.read(found.tips["record"]))["record"].whole
    assert Tip.read(manifest.tips["record"]).seq > 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_backup_opens_with_the_offline_key_alone(practice: Practice, tmp_path: Path) -> None:
    hidden, public = new_identity()
    practice.back_up(tmp_path / "b.age", public)
    other, _ = new_identity()
    with pytest.raises(WrongKey, match="another key"):
        restore(tmp_path / "b.age", other, tmp_path / "again", "T-1", PASSPHRASE)
    with pytest.raises(WrongKey):
        restore(tmp_path / "b.age", hidden, tmp_path / "again", "T-1", OTHER)
    with pytest.raises(WrongKey, match="typing error"):
        restore(tmp_path / "b.age", "no key", tmp_path / "again", "T-1", PASSPHRASE)
    assert not (tmp_path / "again").exists()


def test_a_damaged_backup_restores_nothing(practice: Practice, tmp_path: Path) -> None:
    hidden, public = new_identity()
    practice.back_up(tmp_path / "b.age", public)
    good = (tmp_path / "b.age").read_bytes()
    for bad in (good[:-1], good[:200], b"", good[:-100] + b"x" * 100, b"age-encryption.org/v1\n"):
        (tmp_path / "bad.age").write_bytes(bad)
        with pytest.raises(AttunementError) as said:
            restore(tmp_path / "bad.age", hidden, tmp_path / "again", "T-1", PASSPHRASE)
        assert "\n" not in str(said.value)
        assert not (tmp_path / "again").exists()


def test_nothing_is_restored_over_what_is_there(practice: Practice, tmp_path: Path) -> None:
    hidden, public = new_identity()
    practice.back_up(tmp_path / "b.age", public)
    with pytest.raises(VaultProblem, match="not empty"):
        restore(tmp_path / "b.age", hidden, practice.house.folder, "T-1", PASSPHRASE)


def test_a_backup_is_sealed_to_a_key_or_not_made(practice: Practice, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="age1"):
        practice.back_up(tmp_path / "b.age", "no key")
    assert not (tmp_path / "b.age").exists()


# -- new keys


def test_after_new_keys_all_is_there_and_keys_copied_before_do_not_open_it(practice: Practice) -> None:
    seen(practice, "K-07")
    practice.unlock(PASSPHRASE)
    practice.reflect("K-07", 1, Reflection(words="mine"))
    tip, old_keys = practice.tip, (practice.house.folder / NAME).read_bytes()
    fresh = RecoveryCode.fresh()
    practice.rotate_keys(PASSPHRASE, fresh, cost=LEAST)
    practice.unlock(PASSPHRASE)
    assert practice.reflections("K-07")[0].reflection.words == "mine"
    assert practice.verify(tip)["record"].whole
    practice.close()
    names = {path.name for path in practice.house.folder.iterdir()}
    assert {"record-2.vault", "identity-2.vault"} <= names
    assert not any(name.endswith("-1.vault") for name in names)
    with pytest.raises(WrongKey):
        Practice.open_with_code(practice.house.folder, "T-1", CODE)
    Practice.open_with_code(practice.house.folder, "T-1", fresh).close()

    stolen = KeyFile.load(practice.house.folder)
    (practice.house.folder / NAME).write_bytes(old_keys)
    with pytest.raises(Damaged):
        Practice.open(practice.house.folder, "T-1", PASSPHRASE)
    stolen.save(practice.house.folder)
    Practice.open(practice.house.folder, "T-1", PASSPHRASE).close()


def test_new_keys_that_were_interrupted_leave_the_old_in_force(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(practice, "K-07")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(houses.House, "set_keys", interrupted)
        with pytest.raises(KeyboardInterrupt):
            practice.rotate_keys(PASSPHRASE, RecoveryCode.fresh(), cost=LEAST)
    assert len(practice.check_ins("K-07")) == 2
    with reopened(practice) as opened:
        assert len(opened.check_ins("K-07")) == 2
        opened.unlock(PASSPHRASE)
        assert not any(path.name.startswith("record-2") for path in opened.house.folder.iterdir())


def test_new_keys_whose_folder_does_not_sync_are_in_force_all_the_same(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(practice, "K-07")

    def failing(folder: Path) -> None:
        raise OSError(5, "Input/output error", str(folder))

    with monkeypatch.context() as failed:
        failed.setattr(places, "sync_folder", failing)
        with pytest.raises(NotStored):
            practice.rotate_keys(PASSPHRASE, RecoveryCode.fresh(), cost=LEAST)
    practice.take_on("K-08")
    with reopened(practice) as opened:
        assert [dyad.client.code for dyad in opened.clients()] == ["K-07", "K-08"]


def test_who_was_shut_out_cannot_open_the_record_by_old_or_new_keys(practice: Practice) -> None:
    practice.add_account("A-1", OTHER, RecoveryCode.fresh(), roles=frozenset({Role.ADMIN}), cost=LEAST)
    practice.sign_in("A-1", OTHER)
    practice.end_account("A-1")
    with pytest.raises(WrongKey):
        practice.sign_in("A-1", OTHER)
    practice.rotate_keys(PASSPHRASE, RecoveryCode.fresh(), cost=LEAST)
    practice.close()
    with pytest.raises(Refused):
        Practice.open(practice.house.folder, "A-1", OTHER)


def test_the_last_admin_stays(practice: Practice) -> None:
    with pytest.raises(InputError, match="last admin"):
        practice.end_account("T-1")


# -- doctor


def test_doctor_finds_all_well_but_the_missing_backup(practice: Practice, tmp_path: Path) -> None:
    assert [check.what for check in examine(practice) if not check.well] == ["backup"]
    practice.back_up(tmp_path / "b.age", new_identity()[1])
    assert all(check.well for check in examine(practice))


def test_doctor_sees_that_others_can_read_a_file(practice: Practice) -> None:
    (practice.house.folder / "record-1.vault").chmod(0o644)
    assert "files" in [check.what for check in examine(practice) if not check.well]


def test_the_trajectories_of_a_practice_are_those_of_its_check_ins(practice: Practice) -> None:
    for number in range(3):
        seen(practice, f"K-{number}", 4)
    assert practice.ratings().height == 12
    assert {each.client for each in practice.trajectories().trajectories} == {"K-0", "K-1", "K-2"}
