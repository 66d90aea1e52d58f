"""Add calendar feeds, counters of schedule changes, and keys of imported overrides."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("rotations") as batch:
        batch.add_column(
            sa.Column("schedule_changes", sa.Integer(), nullable=False, server_default="0")
        )
        batch.add_column(
            sa.Column("schedule_changed_at", sa.DateTime(timezone=True), nullable=True)
        )
    with op.batch_alter_table("rotation_overrides") as batch:
        batch.add_column(sa.Column("import_key", sa.String(length=64), nullable=True))
        batch.create_index(
            "uq_rotation_overrides_rotation_id_import_key",
            ["rotation_id", "import_key"],
            unique=True,
        )
    op.create_table(
        "calendar_feeds",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("team_id", BIG_ID, nullable=True),
        sa.Column("rotation_id", BIG_ID, nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_calendar_feeds_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["teams.id"],
            name=op.f("fk_calendar_feeds_team_id_teams"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["rotation_id"],
            ["rotations.id"],
            name=op.f("fk_calendar_feeds_rotation_id_rotations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
    )
    op.create_index("uq_calendar_feeds_digest", "calendar_feeds", ["digest"], unique=True)
    for column in ("user_id", "team_id", "rotation_id"):
        name = op.f(f"ix_calendar_feeds_{column}")
        op.create_index(name, "calendar_feeds", [column], unique=False)


def downgrade() -> None:
    op.drop_table("calendar_feeds")
    with op.batch_alter_table("rotation_overrides") as batch:
        batch.drop_index("uq_rotation_overrides_rotation_id_import_key")
        batch.drop_column("import_key")
    with op.batch_alter_table("rotations") as batch:
        batch.drop_column("schedule_changed_at")
        batch.drop_column("schedule_changes")
