"""Add automatic resolution of stale alerts to routes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("routes") as table:
        table.add_column(sa.Column("auto_resolve_after", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("routes") as table:
        table.drop_column("auto_resolve_after")
