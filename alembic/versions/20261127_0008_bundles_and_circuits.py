"""Add bundles, rate limits of recipients, and circuit breakers of providers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DUE = sa.text("state IN ('pending', 'retry', 'sending')")


def upgrade() -> None:
    op.create_table(
        "lanes",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lanes")),
    )
    op.create_table(
        "target_paces",
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_target_paces")),
    )
    with op.batch_alter_table("channels") as channels:
        channels.add_column(
            sa.Column("messages_per_minute", sa.Integer(), nullable=False, server_default="10")
        )
    with op.batch_alter_table("channels") as channels:
        channels.alter_column("messages_per_minute", server_default=None)
    with op.batch_alter_table("notifications") as notifications:
        notifications.add_column(sa.Column("bundle", sa.String(length=170), nullable=True))
        notifications.add_column(
            sa.Column("stranded_at", sa.DateTime(timezone=True), nullable=True)
        )
    op.create_index("ix_notifications_bundle", "notifications", ["bundle"])
    op.create_index(
        "ix_notifications_target_due",
        "notifications",
        ["target", "kind"],
        sqlite_where=DUE,
        postgresql_where=DUE,
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_target_due", table_name="notifications")
    op.drop_index("ix_notifications_bundle", table_name="notifications")
    with op.batch_alter_table("notifications") as notifications:
        notifications.drop_column("stranded_at")
        notifications.drop_column("bundle")
    with op.batch_alter_table("channels") as channels:
        channels.drop_column("messages_per_minute")
    op.drop_table("target_paces")
    op.drop_table("lanes")
