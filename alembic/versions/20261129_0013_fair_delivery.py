"""Remember what delivery needs to be fair, to survive clocks, and to free dead leases."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications", sa.Column("probes", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "notifications",
        sa.Column("rate_limited", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("notifications", sa.Column("leased_by", sa.String(64), nullable=True))
    op.add_column("heartbeats", sa.Column("clock_offset", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("heartbeats", "clock_offset")
    op.drop_column("notifications", "leased_by")
    op.drop_column("notifications", "rate_limited")
    op.drop_column("notifications", "probes")
