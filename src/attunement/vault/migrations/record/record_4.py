"""What comes in from outside needs: instruments that a practice has loaded, and totals that were made elsewhere."""

import sqlalchemy as sa
from alembic import op

from attunement.errors import VaultProblem

revision = "record_4"
down_revision = "record_3"

_ADDED = ("instrument", "scale")
_KNOWN_BEFORE = ("background", "connection", "growth", "state")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "instrument",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("ended", sa.String(27)),
        sa.UniqueConstraint("name", "version"),
    )
    op.add_column("invitation", sa.Column("version", sa.String))
    with op.batch_alter_table("measure") as measure:
        measure.alter_column("established", existing_type=sa.Float, nullable=True)
        for column in _ADDED:
            measure.add_column(sa.Column(column, sa.String))


def downgrade() -> None:
    """Take them away, if nothing was stored in them."""
    kept = ["SELECT count(*) FROM instrument", "SELECT count(*) FROM measure WHERE established IS NULL"]
    kept += [f"SELECT count({column}) FROM measure" for column in _ADDED]  # noqa: S608 - our names
    kept.append(f"SELECT count(*) FROM check_in WHERE instrument NOT IN {_KNOWN_BEFORE}")  # noqa: S608 - our names
    for question in kept:
        if op.get_bind().execute(sa.text(question)).scalar_one():
            raise VaultProblem(
                "Something was stored since that the earlier version has no place for; nothing was changed. "
                "Keep this version, or put back the copy from before the upgrade."
            )
    op.drop_table("instrument")
    op.drop_column("invitation", "version")
    with op.batch_alter_table("measure") as measure:
        for column in _ADDED:
            measure.drop_column(column)
        measure.alter_column("established", existing_type=sa.Float, nullable=False)
