"""The first tables of the record vault."""

import sqlalchemy as sa
from alembic import op

revision = "record_1"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("roles", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("credential", sa.String, nullable=False),
        sa.Column("ended", sa.String(27)),
    )
    op.create_table(
        "chain_key",
        sa.Column("since", sa.Integer, primary_key=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("since", sa.String(27), nullable=False),
        sa.Column("held", sa.String),
    )
    op.create_table(
        "erased",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("therapist", sa.String(32), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("swept", sa.String(27)),
    )
    op.create_index("ix_erased_therapist", "erased", ["therapist"])
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
        "consent",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("client", sa.String(32), sa.ForeignKey("client.id"), nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("given", sa.String(27), nullable=False),
        sa.Column("withdrawn", sa.String(27)),
    )
    op.create_index("ix_consent_client", "consent", ["client"])
    op.create_table(
        "dyad",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("therapist", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("client", sa.String(32), sa.ForeignKey("client.id"), nullable=False),
        sa.Column("since", sa.String(27), nullable=False),
        sa.Column("ended", sa.String(27)),
    )
    op.create_index("ix_dyad_client", "dyad", ["client"])
    op.create_index("ix_dyad_therapist", "dyad", ["therapist"])
    op.create_table(
        "share",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("sender", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("recipient", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("note", sa.String(32), nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("basis", sa.String, nullable=False),
        sa.Column("expires", sa.String(27), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
    )
    op.create_index("ix_share_client", "share", ["client"])
    op.create_index("ix_share_recipient", "share", ["recipient"])
    op.create_index("ix_share_sender", "share", ["sender"])
    op.create_table(
        "contact",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dyad", sa.String(32), sa.ForeignKey("dyad.id"), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("begun_by", sa.String, nullable=False),
    )
    op.create_index("ix_contact_dyad", "contact", ["dyad"])
    op.create_table(
        "session",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dyad", sa.String(32), sa.ForeignKey("dyad.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("began", sa.String(27), nullable=False),
        sa.Column("attendance", sa.String, nullable=False),
        sa.Column("lateness", sa.Float),
        sa.UniqueConstraint("dyad", "number"),
    )
    op.create_index("ix_session_dyad", "session", ["dyad"])
    op.create_table(
        "step",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dyad", sa.String(32), sa.ForeignKey("dyad.id"), nullable=False),
        sa.Column("chosen", sa.String(27), nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("outcome", sa.String),
    )
    op.create_index("ix_step_dyad", "step", ["dyad"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("session", sa.String(32), sa.ForeignKey("session.id"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("instrument", sa.String, nullable=False),
        sa.Column("expires", sa.String(27), nullable=False),
        sa.Column("used", sa.LargeBinary(32)),
    )
    op.create_index("ix_invitation_session", "invitation", ["session"])
    op.create_table(
        "check_in",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("session", sa.String(32), sa.ForeignKey("session.id"), nullable=False),
        sa.Column("invitation", sa.String(32), sa.ForeignKey("invitation.id"), unique=True),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("instrument", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("answers", sa.String, nullable=False),
    )
    op.create_index("ix_check_in_session", "check_in", ["session"])


def downgrade() -> None:
    """Refuse: there is nothing before."""
    raise NotImplementedError
