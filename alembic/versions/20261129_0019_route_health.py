"""Count the rejected items of each request, and keep the replaced token of a route for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_SOME = sa.text("rejected > 0")


def upgrade() -> None:
    op.add_column(
        "intake_requests", sa.Column("rejected", sa.Integer(), nullable=False, server_default="0")
    )
    op.create_index(
        "ix_intake_requests_rejected",
        "intake_requests",
        ["route_id", "id"],
        sqlite_where=_SOME,
        postgresql_where=_SOME,
    )
    op.add_column("routes", sa.Column("old_token_digest", sa.LargeBinary(32), nullable=True))
    op.add_column("routes", sa.Column("old_token_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index("uq_routes_old_token_digest", "routes", ["old_token_digest"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_routes_old_token_digest", "routes")
    op.drop_column("routes", "old_token_until")
    op.drop_column("routes", "old_token_digest")
    op.drop_index("ix_intake_requests_rejected", "intake_requests")
    op.drop_column("intake_requests", "rejected")
