"""Remember whose times a signal has, how long an acknowledgement covers, and what was left out."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Nothing is known of the signals that exist: their times are compared with nothing.
_UNKNOWN = sa.false()


def upgrade() -> None:
    with op.batch_alter_table("signals") as table:
        for name in ("start_from_source", "end_from_source"):
            table.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=_UNKNOWN))
        table.add_column(sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("teams") as table:
        table.add_column(
            sa.Column("ack_covers", sa.Integer(), nullable=False, server_default="3600")
        )
    with op.batch_alter_table("intake_requests") as table:
        table.add_column(sa.Column("left_out", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("intake_requests", "left_out")
    op.drop_column("teams", "ack_covers")
    for name in ("resolved_at", "end_from_source", "start_from_source"):
        op.drop_column("signals", name)
