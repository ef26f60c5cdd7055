"""The journal of a vault, and its tip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from attunement.errors import Damaged
from attunement.vault import tables
from attunement.vault.clock import Clock
from attunement.vault.journal import Tip
from attunement.vault.sealing import Key
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.vault.rows import Rows


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    opened = Vault(tmp_path / "record-1.vault", Key.fresh(), "record", Clock(), create=True)
    yield opened
    opened.close()


def add(vault: Vault, code: str) -> str:
    def work(rows: Rows) -> str:
        row = rows.add(tables.client, code=code, since=rows.now().at)
        rows.note("T-1", "take on", row["id"])
        return str(row["id"])

    return vault.do(work)


def test_a_journal_agrees_with_what_was_done(vault: Vault) -> None:
    for number in range(20):
        add(vault, f"K-{number}")
    assert vault.verify(vault.tip).whole
    assert vault.tip.seq == 20


def test_a_printed_tip_is_read_again_and_agrees_later_too(vault: Vault) -> None:
    add(vault, "K-1")
    printed = str(vault.tip)
    add(vault, "K-2")
    assert vault.verify(Tip.read(printed.lower())).whole


def test_a_tip_of_another_journal_does_not_agree(vault: Vault) -> None:
    add(vault, "K-1")
    verdict = vault.verify(Tip(1, b"\1" * 32))
    assert not verdict.whole
    assert "does not lead to this tip" in verdict.problems[0]


@pytest.mark.parametrize("text", ["", "12", "x:ABC", "1:ABCDEF-???"])
def test_what_is_no_tip_is_said(text: str) -> None:
    with pytest.raises(Damaged, match="A tip reads as"):
        Tip.read(text)


def test_a_short_tip_is_not_taken_for_the_whole() -> None:
    assert not Tip(1, b"ab").agrees(b"ab" + b"\0" * 30)


def test_work_without_an_entry_is_undone(vault: Vault) -> None:
    def forgetful(rows: Rows) -> None:
        rows.add(tables.client, code="K-1", since=rows.now().at)

    with pytest.raises(RuntimeError, match="no entry"):
        vault.do(forgetful)
    with vault.reading() as rows:
        assert rows.all(sa.select(tables.client)) == []
    assert vault.verify().whole


def test_work_that_fails_takes_nothing_with_it(vault: Vault) -> None:
    def failing(rows: Rows) -> None:
        rows.add(tables.client, code="K-9", since=rows.now().at)
        rows.note("T-1", "take on", "")
        raise ValueError

    futures = [vault.submit(failing) for _ in range(5)]
    kept = add(vault, "K-1")
    assert all(isinstance(future.exception(), ValueError) for future in futures)
    with vault.reading() as rows:
        assert [row["id"] for row in rows.all(sa.select(tables.client))] == [kept]
    assert vault.verify(vault.tip).whole


def test_under_a_new_key_of_the_chain_old_tips_agree_still(vault: Vault) -> None:
    add(vault, "K-1")
    old = vault.tip
    vault.renew_chain_key()
    vault.renew_chain_key()
    add(vault, "K-2")
    assert vault.verify(old).whole
    assert vault.verify(vault.tip).whole


def test_an_entry_holds_nothing_that_was_written(vault: Vault) -> None:
    add(vault, "SECRETCODE")
    assert "SECRETCODE" not in str(vault.entries())
