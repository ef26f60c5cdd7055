"""The revisions make the tables; an older vault is upgraded with a copy kept, and the upgrade can be undone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from attunement.errors import AttunementError, Damaged
from attunement.practice import Practice
from attunement.practice.upgrading import COPIES, upgrade
from attunement.vault import migrations, tables
from attunement.vault.cipher import engine
from attunement.vault.clock import Clock
from attunement.vault.keyfile import KeyFile
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.sealing import Key
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "glacier pencil tomorrow violin"
HEAD = migrations.HEADS["record"]
NEXT = f'''"""A column more, for a test."""

import sqlalchemy as sa
from alembic import op

revision = "record_9"
down_revision = "{HEAD}"


def upgrade() -> None:
    """Add it."""
    with op.batch_alter_table("client") as table:
        table.add_column(sa.Column("colour", sa.String))


def downgrade() -> None:
    """Take it away."""
    with op.batch_alter_table("client") as table:
        table.drop_column("colour")
'''


@pytest.mark.parametrize("kind", list(tables.KINDS))
def test_what_the_revisions_make_is_what_the_tables_say(kind: str, tmp_path: Path) -> None:
    Vault(tmp_path / "made.vault", key := Key.fresh(), kind, Clock(), create=True).close()
    opened = engine(tmp_path / "made.vault", key)
    with opened.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.KINDS[kind]) == []
    opened.dispose()


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    folder = tmp_path / "practice"
    with Practice.found(folder, "T-1", PASSPHRASE, RecoveryCode.fresh(), cost=LEAST) as founded:
        founded.take_on("K-07")
    return folder


@pytest.fixture
def later_version(practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - made before
    """A version of this program whose record has another revision."""
    here = tmp_path / "migrations"
    shutil.copytree(migrations.HERE, here)
    (here / "record" / "record_9.py").write_text(NEXT)
    monkeypatch.setattr(migrations, "HERE", here)
    monkeypatch.setitem(migrations.HEADS, "record", "record_9")


def columns(folder: Path) -> set[str]:
    keyfile = KeyFile.load(folder)
    opened = engine(folder / keyfile.files["record"], keyfile.open_record("T-1", PASSPHRASE).keys["record"])
    with opened.connect() as connection:
        found = {column["name"] for column in sa.inspect(connection).get_columns("client")}
    opened.dispose()
    return found


@pytest.mark.usefixtures("later_version")
def test_an_older_vault_is_not_opened_but_told_what_would_do(practice: Path) -> None:
    with pytest.raises(AttunementError, match="attunement upgrade"):
        Practice.open(practice, "T-1", PASSPHRASE)


@pytest.mark.usefixtures("later_version")
def test_an_upgrade_keeps_a_copy_and_the_journal_and_can_be_undone(
    practice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = upgrade(practice, "T-1", PASSPHRASE)
    assert f"{HEAD} to record_9" in said[0]
    assert "colour" in columns(practice)
    assert [path.name for path in (practice / COPIES).iterdir()] == [f"{HEAD}-record-1.vault"]
    assert "up to date" in upgrade(practice, "T-1", PASSPHRASE)[0]

    assert f"record_9 to {HEAD}" in upgrade(practice, "T-1", PASSPHRASE, undo=True)[0]
    monkeypatch.setitem(migrations.HEADS, "record", HEAD)
    with Practice.open(practice, "T-1", PASSPHRASE) as opened:
        assert [dyad.client.code for dyad in opened.clients()] == ["K-07"]
        assert opened.verify()["record"].whole


@pytest.mark.usefixtures("later_version")
def test_a_vault_that_was_tampered_with_is_not_upgraded(practice: Path) -> None:
    keyfile = KeyFile.load(practice)
    opened = engine(practice / keyfile.files["record"], keyfile.open_record("T-1", PASSPHRASE).keys["record"])
    with opened.connect() as connection:
        connection.exec_driver_sql("UPDATE client SET code = 'K-08'")
    opened.dispose()
    with pytest.raises(Damaged, match="not as its journal says"):
        upgrade(practice, "T-1", PASSPHRASE)
    assert "colour" not in columns(practice)


def test_the_revision_before_comes_up_to_date_and_everything_is_still_there(practice: Path) -> None:
    before = f"record_{int(HEAD.removeprefix('record_')) - 1}"
    assert f"{HEAD} to {before}" in upgrade(practice, "T-1", PASSPHRASE, undo=True)[0]
    assert f"{before} to {HEAD}" in upgrade(practice, "T-1", PASSPHRASE)[0]
    with Practice.open(practice, "T-1", PASSPHRASE) as opened:
        assert [dyad.client.code for dyad in opened.clients()] == ["K-07"]
        assert opened.verify()["record"].whole
