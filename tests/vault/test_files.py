"""Damaged, foreign and replayed vault files: all are found, each is one sentence, and nothing is changed."""

from __future__ import annotations

import os
import random
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from attunement.errors import AttunementError, Damaged, NewerVersion, VaultProblem
from attunement.practice import Practice
from attunement.sessions import Purpose, Reflection
from attunement.vault import cipher, tables
from attunement.vault.clock import Clock
from attunement.vault.journal import Tip
from attunement.vault.keyfile import KeyFile
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.sealing import Key
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.vault.rows import Rows

PHRASE = "glacier pencil tomorrow violin"
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = 4096
FLIPS = 1_000


def filled(path: Path, key: Key) -> list[sa.Row[tuple[object, ...]]]:
    """Make a vault of a few hundred kilobytes, and return all that is in it."""
    vault = Vault(path, key, "record", Clock(), create=True)

    def work(rows: Rows) -> None:
        for number in range(500):
            rows.add(tables.client, code=f"K-{number}", since=BEGAN, held="a reason of some length " * 8)
        rows.note("T-1", "take on", "")

    vault.do(work)
    vault.close()
    return read(path, key)


def read(path: Path, key: Key) -> list[sa.Row[tuple[object, ...]]]:
    """Read everything, as a program would."""
    vault = Vault(path, key, "record", Clock())
    try:
        with vault.reading() as rows:
            content = [tuple(row.values()) for row in rows.all(sa.select(tables.client))]
        content += [tuple(row.values()) for row in vault.entries()]
        if vault.problems():
            raise Damaged("found by checking the pages")
    finally:
        vault.close()
    return content  # type: ignore[return-value]


def test_every_one_of_a_thousand_flipped_bits_is_found(tmp_path: Path) -> None:
    key, path, draws = Key.fresh(), tmp_path / "record-1.vault", random.Random(1)  # noqa: S311
    filled(path, key)
    good, unseen = path.read_bytes(), 0
    for _ in range(FLIPS):
        path.write_bytes(flipped(good, draws))
        try:
            read(path, key)
        except AttunementError:
            continue
        unseen += 1
    assert unseen == 0


def test_plain_sqlite_gives_wrong_data_in_silence_for_most_of_them(tmp_path: Path) -> None:
    path, draws = tmp_path / "plain.db", random.Random(1)  # noqa: S311
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE client (id INTEGER PRIMARY KEY, held TEXT)")
        values = [(f"{number} a reason of some length" * 8,) for number in range(500)]
        connection.executemany("INSERT INTO client (held) VALUES (?)", values)
    connection.close()
    good, silent = path.read_bytes(), 0
    truth = plainly(path)
    for _ in range(FLIPS):
        path.write_bytes(flipped(good, draws))
        found = plainly(path)
        silent += found is not None and found != truth
    assert silent > FLIPS / 2


def plainly(path: Path) -> list[tuple[object, ...]] | None:
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    try:
        return connection.execute("SELECT * FROM client").fetchall()
    except sqlite3.Error:
        return None
    finally:
        connection.close()


def flipped(good: bytes, draws: random.Random) -> bytes:
    changed = bytearray(good)
    changed[draws.randrange(len(good))] ^= 1 << draws.randrange(8)
    return bytes(changed)


# -- other files in its place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "practice"
    with Practice.found(where, "T-1", PHRASE, RecoveryCode.fresh(), cost=LEAST) as practice:
        practice.take_on("K-07", agreed=[Purpose.CHECK_INS])
        practice.log_session("K-07", BEGAN)
        practice.unlock(PHRASE)
        practice.reflect("K-07", 1, Reflection(words="first writing"))
    return where


def keys(folder: Path) -> dict[str, Key]:
    return KeyFile.load(folder).open_record("T-1", PHRASE).keys


@pytest.mark.parametrize(
    "content",
    ["cut short", "empty", "random", "of another practice", "of another kind", "missing"],
)
def test_a_file_that_is_not_the_vault_is_one_sentence_and_stays_as_it_is(
    folder: Path, tmp_path: Path, content: str
) -> None:
    path = folder / "record-1.vault"
    good = path.read_bytes()
    Practice.found(tmp_path / "other", "T-1", PHRASE, RecoveryCode.fresh(), cost=LEAST).close()
    put = {
        "cut short": good[: len(good) // 2 + 100],
        "empty": b"",
        "random": os.urandom(len(good)),
        "of another practice": (tmp_path / "other" / "record-1.vault").read_bytes(),
        "of another kind": (folder / "identity-1.vault").read_bytes(),
        "missing": None,
    }[content]
    path.unlink()
    if put is not None:
        path.write_bytes(put)
    with pytest.raises(VaultProblem) as said:
        read_all(folder)
    assert "\n" not in str(said.value)
    assert "restore" in str(said.value)
    if put is not None:
        assert path.read_bytes() == put


def read_all(folder: Path) -> None:
    with Practice.open(folder, "T-1", PHRASE) as practice:
        practice.sessions("K-07")
        practice.check_ins("K-07")
        practice.consents("K-07")


def test_a_wal_of_another_vault_is_not_taken_in(folder: Path, tmp_path: Path) -> None:
    other = Practice.found(tmp_path / "other", "T-1", PHRASE, RecoveryCode.fresh(), cost=LEAST)
    other.take_on("K-99")
    foreign = (tmp_path / "other" / "record-1.vault-wal").read_bytes()
    other.close()
    good, wal = (folder / "record-1.vault").read_bytes(), folder / "record-1.vault-wal"
    wal.write_bytes(foreign)
    with pytest.raises(Damaged, match="do not belong together"):
        Practice.open(folder, "T-1", PHRASE)
    assert (folder / "record-1.vault").read_bytes() == good
    assert wal.read_bytes() == foreign
    wal.unlink()
    with Practice.open(folder, "T-1", PHRASE) as practice:
        assert [dyad.client.code for dyad in practice.clients()] == ["K-07"]
        assert practice.verify()["record"].whole


def test_a_file_of_a_later_version_is_left_to_that_version(folder: Path) -> None:
    connection = cipher.connected(folder / "record-1.vault", keys(folder)["record"])
    connection.execute("UPDATE alembic_version SET version_num = 'record_99'")
    connection.close()
    with pytest.raises(NewerVersion, match="later version"):
        Practice.open(folder, "T-1", PHRASE)


def test_an_sqlite_that_can_corrupt_a_wal_is_refused() -> None:
    with pytest.raises(VaultProblem, match=r"3\.51\.2 can corrupt"):
        cipher.refuse_old((3, 51, 2))
    cipher.refuse_old((3, 51, 3))


# -- old pages, validly encrypted, put back


def changed_pages(before: bytes, after: bytes) -> Iterator[int]:
    for place in range(0, len(before), PAGE):
        if before[place : place + PAGE] != after[place : place + PAGE]:
            yield place


def test_a_withdrawn_consent_that_an_old_page_gives_again_is_found(folder: Path) -> None:
    path = folder / "record-1.vault"
    before = path.read_bytes()
    with Practice.open(folder, "T-1", PHRASE) as practice:
        practice.withdraw_consent("K-07", Purpose.CHECK_INS)
    after, key = path.read_bytes(), keys(folder)["record"]
    replayed = 0
    for place in changed_pages(before, after):
        path.write_bytes(after[:place] + before[place : place + PAGE] + after[place + PAGE :])
        vault = Vault(path, key, "record", Clock())
        with vault.reading() as rows:
            again = rows.all(sa.select(tables.consent).where(tables.consent.c.withdrawn.is_(None)))
        if again:
            replayed += 1
            assert vault.problems() == []
            assert any("consent" in problem for problem in vault.verify().problems)
        vault.close()
    assert replayed == 1


def test_a_whole_vault_put_back_is_found_with_a_tip_from_elsewhere(folder: Path) -> None:
    path = folder / "record-1.vault"
    before = path.read_bytes()
    with Practice.open(folder, "T-1", PHRASE) as practice:
        practice.take_on("K-08")
        tip = Tip.read(str(practice.tip))
    path.write_bytes(before)
    with Practice.open(folder, "T-1", PHRASE) as practice:
        assert practice.verify()["record"].whole
        assert not practice.verify(tip)["record"].whole


def test_whole_reflections_put_back_are_found_with_a_tip_from_elsewhere(folder: Path) -> None:
    (path,) = folder.glob("reflections-*.vault")
    before = path.read_bytes()
    with Practice.open(folder, "T-1", PHRASE) as practice:
        practice.unlock(PHRASE)
        practice.destroy_reflection("K-07", 1)
        tip = Tip.read(str(practice.verify_reflections().tip))
    path.write_bytes(before)
    with Practice.open(folder, "T-1", PHRASE) as practice:
        practice.unlock(PHRASE)
        assert practice.verify_reflections().whole
        assert not practice.verify_reflections(tip).whole


def test_an_old_writing_of_a_reflection_put_back_is_not_opened(folder: Path) -> None:
    own = KeyFile.load(folder).open_own("T-1", PHRASE)
    (path,) = folder.glob("reflections-*.vault")
    connection = cipher.connected(path, own.file)
    old = connection.execute("SELECT revision, at, body, key FROM reflection").fetchone()
    connection.close()
    with Practice.open(folder, "T-1", PHRASE) as practice:
        practice.unlock(PHRASE)
        practice.reflect("K-07", 1, Reflection(words="second writing"))
    connection = cipher.connected(path, own.file)
    connection.execute("UPDATE reflection SET revision = ?, at = ?, body = ?, key = ?", old)
    connection.close()
    with Practice.open(folder, "T-1", PHRASE) as practice:
        with pytest.raises(Damaged, match="not as their journal says"):
            practice.unlock(PHRASE)
        assert not practice.unlocked


# -- the journal, edited by one who has the file's key


EDITS = {
    "an entry edited": "UPDATE journal SET verb = 'see clients' WHERE seq = {0}",
    "its time edited": "UPDATE journal SET at = '2026-01-01T00:00:00.000000Z' WHERE seq = {0}",
    "what it touched edited": 'UPDATE journal SET touched = \'[["client","x",""]]\' WHERE seq = {0}',
    "an entry deleted": "DELETE FROM journal WHERE seq = {0}",
    "two entries in another order": "UPDATE journal SET seq = CASE seq WHEN {0} THEN -{0} ELSE seq END; "
    "UPDATE journal SET seq = {0} WHERE seq = {0} + 1; UPDATE journal SET seq = {0} + 1 WHERE seq = -{0}",
    "the end cut off": "DELETE FROM journal WHERE seq >= {0}",
}


@pytest.mark.parametrize("edit", list(EDITS))
def test_whatever_is_done_to_any_entry_of_a_journal_is_found(tmp_path: Path, edit: str) -> None:
    key, path = Key.fresh(), tmp_path / "record-1.vault"
    vault = Vault(path, key, "record", Clock(), create=True)
    for number in range(40):
        vault.do(lambda rows, number=number: added(rows, f"K-{number}"))  # type: ignore[misc]
    tip, length = vault.tip, vault.tip.seq
    vault.close()
    good = path.read_bytes()
    for place in range(1, length + (edit != "two entries in another order")):
        path.write_bytes(good)
        connection = cipher.connected(path, key)
        connection.executescript(EDITS[edit].format(place))
        connection.close()
        tampered = Vault(path, key, "record", Clock())
        assert not tampered.verify(tip).whole, f"entry {place}"
        tampered.close()


def added(rows: Rows, code: str) -> None:
    row = rows.add(tables.client, code=code, since=BEGAN)
    rows.note("T-1", "take on", row["id"])


@pytest.mark.parametrize("table", ["client", "consent", "session", "dyad", "account"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET id = 'x' || id", "DELETE FROM {0}", "INSERT"])
def test_a_row_that_was_edited_deleted_or_added_is_found(folder: Path, table: str, change: str) -> None:
    connection = cipher.connected(folder / "record-1.vault", keys(folder)["record"])
    connection.execute("PRAGMA foreign_keys=OFF")
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    copied = ", ".join(
        "'x'" if name == "id" else "number + 1" if name == "number" else name for name in columns
    )
    insert = f"INSERT INTO {table} SELECT {copied} FROM {table} LIMIT 1"  # noqa: S608 - our own tables
    connection.execute(insert if change == "INSERT" else change.format(table))
    connection.close()
    vault = Vault(folder / "record-1.vault", keys(folder)["record"], "record", Clock())
    assert any(f"of {table}" in problem for problem in vault.verify().problems)
    vault.close()


# -- what SQLCipher and SQLite let through


def test_a_hole_in_a_text_that_is_longer_than_a_page_is_found(tmp_path: Path) -> None:
    key, path = Key.fresh(), tmp_path / "record-1.vault"
    vault = Vault(path, key, "record", Clock(), create=True)

    def work(rows: Rows) -> None:
        rows.add(tables.client, code="K-1", since=BEGAN, held="a long reason " * 2_000)
        rows.note("T-1", "hold", "")

    vault.do(work)
    vault.close()
    good, silent = path.read_bytes(), 0
    for place in range(0, len(good), PAGE):
        path.write_bytes(good[: place + 100] + bytes([good[place + 100] ^ 1]) + good[place + 101 :])
        try:
            silent += read_rows(path, key) != ["a long reason " * 2_000]
        except AttunementError:
            continue
    assert silent == 0


def read_rows(path: Path, key: Key) -> list[str]:
    vault = Vault(path, key, "record", Clock())
    try:
        with vault.reading() as rows:
            return [row["held"] for row in rows.all(sa.select(tables.client.c.held))]
    finally:
        vault.close()


NONSENSE = {
    "no time": "UPDATE journal SET at = 'yesterday'",
    "a time that is a number": "UPDATE journal SET steady = 7",
    "no JSON": "UPDATE journal SET touched = '{'",
    "JSON of another shape": "UPDATE journal SET touched = '[1]'",
    "JSON nested deeply": "UPDATE journal SET touched = replace(hex(zeroblob(50000)), '00', '[')",
    "a MAC that is text": "UPDATE journal SET mac = 'text'",
    "letters that are none": 'UPDATE journal SET touched = \'[["client", "x", "\u00e9"]]\'',
}


@pytest.mark.parametrize("nonsense", list(NONSENSE))
def test_nonsense_in_a_journal_is_one_sentence(folder: Path, nonsense: str) -> None:
    connection = cipher.connected(folder / "record-1.vault", keys(folder)["record"])
    connection.execute(NONSENSE[nonsense])
    connection.close()
    try:
        with Practice.open(folder, "T-1", PHRASE) as practice:
            assert not practice.verify()["record"].whole
    except AttunementError as problem:
        said = str(problem)
    else:
        said = ""
    assert "\n" not in said
