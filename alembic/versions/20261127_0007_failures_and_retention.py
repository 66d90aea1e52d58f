"""Add indexes for failed notifications and retention."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FAILED = sa.text("state = 'failed'")


def upgrade() -> None:
    for name, column in (
        ("ix_notifications_failed", "team_id"),
        ("ix_notifications_channel_failed", "channel_id"),
    ):
        op.create_index(
            name,
            "notifications",
            [column, "id"],
            sqlite_where=FAILED,
            postgresql_where=FAILED,
        )
    op.create_index("ix_notifications_finished_at", "notifications", ["finished_at"])
    op.create_index("ix_attempts_started_at", "attempts", ["started_at"])
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    op.create_index("ix_alerts_status_resolved_at", "alerts", ["status", "resolved_at"])


def downgrade() -> None:
    op.drop_index("ix_alerts_status_resolved_at", table_name="alerts")
    op.drop_index("ix_audit_entries_at", table_name="audit_entries")
    op.drop_index("ix_attempts_started_at", table_name="attempts")
    op.drop_index("ix_notifications_finished_at", table_name="notifications")
    op.drop_index("ix_notifications_channel_failed", table_name="notifications")
    op.drop_index("ix_notifications_failed", table_name="notifications")
