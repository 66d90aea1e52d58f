"""Store on the rotation until when its coverage stays the same."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rotations", sa.Column("covered", sa.Boolean(), nullable=True))
    op.add_column(
        "rotations", sa.Column("next_boundary_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("rotations", "next_boundary_at")
    op.drop_column("rotations", "covered")
