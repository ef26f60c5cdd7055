"""The first tables of the identity vault."""

import sqlalchemy as sa
from alembic import op

revision = "identity_1"
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
        "person",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("contact", sa.String, nullable=False),
    )


def downgrade() -> None:
    """Refuse: there is nothing before."""
    raise NotImplementedError
