"""Add recurring silences, and the time of each silence's next change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("silences") as table:
        table.add_column(sa.Column("recurrence", JSON, nullable=True))
        table.add_column(
            sa.Column("next_change_at", sa.DateTime(timezone=True), nullable=True),
        )
    op.create_index(
        "ix_silences_next_change_at",
        "silences",
        ["next_change_at"],
        unique=False,
        sqlite_where=sa.text("next_change_at IS NOT NULL"),
        postgresql_where=sa.text("next_change_at IS NOT NULL"),
    )
    # The first sweep picks up those that have started and computes the next change.
    op.execute("UPDATE silences SET next_change_at = starts_at")


def downgrade() -> None:
    # Without the new columns, a recurring silence would be quiet all the time.
    op.execute("DELETE FROM silences WHERE recurrence IS NOT NULL")
    op.drop_index("ix_silences_next_change_at", table_name="silences")
    with op.batch_alter_table("silences") as table:
        table.drop_column("next_change_at")
        table.drop_column("recurrence")
