"""Hold refires that may be late copies until their window ends."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_HELD = sa.text("refire_at IS NOT NULL")


def upgrade() -> None:
    value = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("signals", sa.Column("refire", value, nullable=True))
    op.add_column("signals", sa.Column("refire_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_signals_refire_at",
        "signals",
        ["refire_at"],
        sqlite_where=_HELD,
        postgresql_where=_HELD,
    )


def downgrade() -> None:
    op.drop_index("ix_signals_refire_at", "signals")
    op.drop_column("signals", "refire_at")
    op.drop_column("signals", "refire")
