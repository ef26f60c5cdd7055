"""What the second half of the rooms needs: how it ended, what a step is about, tokens, reminders, reports."""

import sqlalchemy as sa
from alembic import op

from attunement.errors import VaultProblem

revision = "record_3"
down_revision = "record_2"

_NEW = ("reminded", "token")
_ADDED = (("account", "email"), ("dyad", "ending"), ("step", "about"), ("step", "repaired"))
_KIND = "reflection"


def upgrade() -> None:
    """Make them."""
    for table, column in _ADDED:
        op.add_column(table, sa.Column(column, sa.String))
    op.add_column("share", sa.Column("kind", sa.String, nullable=False, server_default=_KIND))
    op.create_table(
        "token",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("scopes", sa.String, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("made", sa.String(27), nullable=False),
        sa.Column("expires", sa.String(27), nullable=False),
    )
    op.create_index("ix_token_account", "token", ["account"])
    op.create_table(
        "reminded",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("session", sa.String(32), sa.ForeignKey("session.id")),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
    )
    for column in ("account", "session"):
        op.create_index(f"ix_reminded_{column}", "reminded", [column])


def downgrade() -> None:
    """Take them away, if nothing was stored in them."""
    kept = [f"SELECT count(*) FROM {table}" for table in _NEW]  # noqa: S608 - our names
    kept += [f"SELECT count({column}) FROM {table}" for table, column in _ADDED]  # noqa: S608 - our names
    kept.append(f"SELECT count(*) FROM share WHERE kind <> '{_KIND}'")  # noqa: S608 - our word
    for question in kept:
        if op.get_bind().execute(sa.text(question)).scalar_one():
            raise VaultProblem(
                "Something was stored since that the earlier version has no place for; nothing was changed. "
                "Keep this version, or put back the copy from before the upgrade."
            )
    for table in _NEW:
        op.drop_table(table)
    for table, column in (*_ADDED, ("share", "kind")):
        op.drop_column(table, column)
