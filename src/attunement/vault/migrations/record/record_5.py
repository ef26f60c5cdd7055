"""What a clinic needs: clients handed over or covered, norms, and what a therapist signs out."""

import sqlalchemy as sa
from alembic import op

from attunement.errors import VaultProblem

revision = "record_5"
down_revision = "record_4"

_MADE = ("handover", "norm", "signed")
_OF_DYAD = {"until": sa.String(27), "known_as": sa.String()}


def upgrade() -> None:
    """Make them."""
    for name, kind in _OF_DYAD.items():
        op.add_column("dyad", sa.Column(name, kind))
    op.create_table(
        "handover",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dyad", sa.String(32), sa.ForeignKey("dyad.id"), nullable=False),
        sa.Column("recipient", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("course", sa.String, nullable=False),
        sa.Column("offered", sa.String(27), nullable=False),
        sa.Column("until", sa.String(27)),
        sa.Column("accepted", sa.String(27)),
        sa.Column("made", sa.String(32), sa.ForeignKey("dyad.id")),
    )
    for column in ("dyad", "recipient", "made"):
        op.create_index(f"ix_handover_{column}", "handover", [column])
    op.create_table(
        "norm",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("ended", sa.String(27)),
    )
    op.create_table(
        "signed",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("therapist", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
    )
    op.create_index("ix_signed_therapist", "signed", ["therapist"])


def downgrade() -> None:
    """Take them away, if nothing was stored in them."""
    kept = [f"SELECT count(*) FROM {table}" for table in _MADE]  # noqa: S608 - our names
    kept += [f"SELECT count({column}) FROM dyad" for column in _OF_DYAD]  # noqa: S608 - our names
    for question in kept:
        if op.get_bind().execute(sa.text(question)).scalar_one():
            raise VaultProblem(
                "Something was stored since that the earlier version has no place for; nothing was changed. "
                "Keep this version, or put back the copy from before the upgrade."
            )
    for table in _MADE:
        op.drop_table(table)
    for column in _OF_DYAD:
        op.drop_column("dyad", column)
