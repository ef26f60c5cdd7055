"""The first tables of the reflections vault."""

import sqlalchemy as sa
from alembic import op

revision = "reflections_1"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "chain_key",
        sa.Column("since", sa.Integer, primary_key=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("steady", sa.String(27), nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("verb", sa.String, nullable=False),
        sa.Column("about", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("touched", sa.String, nullable=False),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "pin",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("sealing", sa.LargeBinary(32), nullable=False),
        sa.Column("signing", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
    )
    op.create_table(
        "reflection",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_reflection_client", "reflection", ["client"])
    op.create_index("ix_reflection_session", "reflection", ["session"])


def downgrade() -> None:
    """Refuse: there is nothing before."""
    raise NotImplementedError
