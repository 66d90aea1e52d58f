"""Store what names people whom no page reaches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    value = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("teams", sa.Column("unreachable", value, nullable=True))


def downgrade() -> None:
    op.drop_column("teams", "unreachable")
