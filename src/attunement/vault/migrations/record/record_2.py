"""What the rooms need: concerns, the protocol, a client's own curve, imported ratings, second factors."""

import sqlalchemy as sa
from alembic import op

from attunement.errors import VaultProblem

revision = "record_2"
down_revision = "record_1"

_NEW = ("factor", "rating", "measure", "protocol", "concern", "own_curve", "step_answer")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "step_answer",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("step", sa.String(32), sa.ForeignKey("step.id"), nullable=False),
        sa.Column("check_in", sa.String(32), sa.ForeignKey("check_in.id"), nullable=False),
        sa.Column("talked", sa.String, nullable=False),
        sa.Column("helped", sa.Float),
    )
    op.create_index("ix_step_answer_step", "step_answer", ["step"])
    op.create_index("ix_step_answer_check_in", "step_answer", ["check_in"])
    op.create_table(
        "own_curve",
        sa.Column("id", sa.String(32), sa.ForeignKey("dyad.id"), primary_key=True),
        sa.Column("since", sa.String(27), nullable=False),
    )
    op.create_table(
        "concern",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dyad", sa.String(32), sa.ForeignKey("dyad.id"), nullable=False),
        sa.Column("session", sa.String(32), sa.ForeignKey("session.id")),
        sa.Column("check_in", sa.String(32), sa.ForeignKey("check_in.id")),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("item", sa.String),
        sa.Column("answer", sa.Float),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("closed", sa.String(27)),
        sa.Column("closed_by", sa.String(32)),
        sa.Column("done", sa.String),
        sa.Column("done_at", sa.String(27)),
    )
    for column in ("dyad", "session", "check_in"):
        op.create_index(f"ix_concern_{column}", "concern", [column])
    op.create_table(
        "protocol",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("help_en", sa.String, nullable=False),
        sa.Column("help_es", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("steps", sa.String, nullable=False),
    )
    op.create_table(
        "measure",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("therapist", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("low", sa.Float, nullable=False),
        sa.Column("high", sa.Float, nullable=False),
        sa.Column("established", sa.Float, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
    )
    op.create_index("ix_measure_therapist", "measure", ["therapist"])
    op.create_table(
        "rating",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("session", sa.String(32), sa.ForeignKey("session.id"), nullable=False),
        sa.Column("measure", sa.String(32), sa.ForeignKey("measure.id"), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
    )
    op.create_index("ix_rating_session", "rating", ["session"])
    op.create_index("ix_rating_measure", "rating", ["measure"])
    op.create_table(
        "factor",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("credential", sa.LargeBinary),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("added", sa.String(27), nullable=False),
    )
    op.create_index("ix_factor_account", "factor", ["account"])


def downgrade() -> None:
    """Take them away, if nothing was stored in them."""
    for table in _NEW:
        if op.get_bind().execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one():  # noqa: S608 - our names
            raise VaultProblem(
                "Something was stored since that the earlier version has no place for; nothing was changed. "
                "Keep this version, or put back the copy from before the upgrade."
            )
    for table in _NEW:
        op.drop_table(table)
