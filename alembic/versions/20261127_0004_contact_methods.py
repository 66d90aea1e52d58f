"""Add contact methods and notification rules."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "contact_methods",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_hash", sa.String(length=255), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_contact_methods_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_methods")),
    )
    op.create_index(
        "uq_contact_methods_user_id_kind_address",
        "contact_methods",
        ["user_id", "kind", "address"],
        unique=True,
    )
    op.create_table(
        "notification_rules",
        sa.Column("contact_id", BIG_ID, nullable=False),
        sa.Column("urgency", sa.String(32), nullable=False),
        sa.Column("delay", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact_methods.id"],
            name=op.f("fk_notification_rules_contact_id_contact_methods"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_rules")),
    )
    op.create_index(
        "uq_notification_rules_contact_id_urgency_delay",
        "notification_rules",
        ["contact_id", "urgency", "delay"],
        unique=True,
    )
    with op.batch_alter_table("notifications") as notifications:
        notifications.add_column(sa.Column("contact_id", BIG_ID, nullable=True))
        notifications.create_foreign_key(
            op.f("fk_notifications_contact_id_contact_methods"),
            "contact_methods",
            ["contact_id"],
            ["id"],
            ondelete="SET NULL",
        )
        notifications.alter_column("team_id", existing_type=BIG_ID, nullable=True)
    op.create_index(
        op.f("ix_notifications_contact_id"), "notifications", ["contact_id"], unique=False
    )
    _keep_the_profiles()


def _keep_the_profiles() -> None:
    """Turn e-mail addresses that received pages into confirmed contact methods."""
    users = sa.table("users", sa.column("id"), sa.column("email"))
    contacts = sa.table(
        "contact_methods",
        *(sa.column(name) for name in ("user_id", "kind", "label", "address")),
        *(
            sa.column(name, sa.DateTime(timezone=True))
            for name in ("verified_at", "created_at", "updated_at")
        ),
        *(sa.column(name) for name in ("code_tries", "version")),
    )
    now = sa.literal(datetime.now(UTC), sa.DateTime(timezone=True))
    rows = sa.select(
        users.c.id,
        sa.literal("email"),
        sa.literal("Profile"),
        users.c.email,
        now,
        now,
        now,
        sa.literal(0),
        sa.literal(1),
    ).where(users.c.email.is_not(None), users.c.email != "")
    op.execute(contacts.insert().from_select([column.name for column in contacts.c], rows))


def downgrade() -> None:
    op.drop_index(op.f("ix_notifications_contact_id"), table_name="notifications")
    # Notifications without a team are tests and codes of personal contacts.
    op.execute(
        "DELETE FROM attempts WHERE notification_id IN"
        " (SELECT id FROM notifications WHERE team_id IS NULL)"
    )
    op.execute("DELETE FROM notifications WHERE team_id IS NULL")
    with op.batch_alter_table("notifications") as notifications:
        notifications.drop_constraint(
            op.f("fk_notifications_contact_id_contact_methods"), type_="foreignkey"
        )
        notifications.drop_column("contact_id")
        notifications.alter_column("team_id", existing_type=BIG_ID, nullable=False)
    op.drop_table("notification_rules")
    op.drop_table("contact_methods")
