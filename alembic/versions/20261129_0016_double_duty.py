"""Store who is paged by two steps of a policy at once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    value = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("policies", sa.Column("double_duty", value, nullable=True))


def downgrade() -> None:
    op.drop_column("policies", "double_duty")
