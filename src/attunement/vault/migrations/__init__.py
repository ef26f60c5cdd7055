"""Making a vault's tables, and bringing an older vault to the present ones (Alembic).

A new vault goes through the same revisions as an old one, so that the two cannot differ; a test compares what they
make with `attunement.vault.tables`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from attunement.errors import Damaged, NewerVersion, VaultProblem

if TYPE_CHECKING:
    from alembic.config import Config

HERE: Final = Path(__file__).parent
Then = Callable[["sa.Connection"], None]
HEADS: Final = {"record": "record_5", "reflections": "reflections_1", "identity": "identity_1"}
"""The present revision of each vault."""


class Outdated(VaultProblem):
    """An earlier version of this program wrote it; it is upgraded first."""


def create(engine: sa.Engine, kind: str) -> None:
    """Make the tables in an empty file."""
    upgrade(engine, kind)


def upgrade(engine: sa.Engine, kind: str, then: Then = lambda connection: None) -> None:  # noqa: ARG005
    """Bring a vault to the present revision, and do what follows, in one transaction."""
    from alembic import command  # noqa: PLC0415 - a fifth of a second, for new and old files alone

    _stepped(engine, lambda connection: command.upgrade(_config(connection, kind), "head"), then)


def downgrade(engine: sa.Engine, kind: str, then: Then) -> None:
    """Go one revision back, in one transaction; what was stored since stays."""
    from alembic import command  # noqa: PLC0415 - see above

    _stepped(engine, lambda connection: command.downgrade(_config(connection, kind), "-1"), then)


def previous(kind: str, revision: str) -> str | None:
    """Return the revision before one, or None for the first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    before = ScriptDirectory.from_config(_config(None, kind)).get_revision(revision).down_revision
    return before if isinstance(before, str) else None


def _stepped(engine: sa.Engine, step: Then, then: Then) -> None:
    """Do a step in one transaction.

    A changed table is made anew beside those that refer to it, so what refers to what is checked at the end.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            step(connection)
            _refuse_dangling(connection)
            then(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        finally:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _refuse_dangling(connection: sa.Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise Damaged("After this step rows would refer to what is not there; nothing was changed.")


def revision(engine: sa.Engine) -> str | None:
    """Return the revision of a vault."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def check(here: str | None, kind: str, name: str) -> None:
    """Refuse a vault whose revision is not the present one.

    Raises
    ------
    Outdated
        Where `attunement upgrade` would do.
    NewerVersion
        Where a later version of this program wrote it.
    Damaged
        Where it is another kind of vault, or none.
    """
    if here == HEADS[kind]:
        return
    if here is None or not here.startswith(f"{kind}_"):
        raise Damaged(f"{name} is not a {kind} vault; `attunement restore` puts a backup in its place.")
    if here in _known(kind):
        raise Outdated(
            f"{name} was written by an earlier version; `attunement upgrade` brings it up to date."
        )
    raise NewerVersion(
        f"A later version of attunement wrote {name}; please install that version. Nothing was changed."
    )


def _known(kind: str) -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    return {each.revision for each in ScriptDirectory.from_config(_config(None, kind)).walk_revisions()}


def _config(connection: sa.Connection | None, kind: str) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(HERE / kind))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
