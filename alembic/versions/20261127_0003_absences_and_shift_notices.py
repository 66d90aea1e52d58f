"""Add absences and shift reminders."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("group_id", BIG_ID, nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
            name=op.f("fk_absences_group_id_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_absences_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(op.f("ix_absences_user_id"), "absences", ["user_id"])
    # When inactive users left was not recorded; their last edit is the best guess.
    op.execute(
        "INSERT INTO absences (user_id, since) SELECT id, updated_at FROM users WHERE NOT active"
    )
    with op.batch_alter_table("users") as users:
        users.add_column(
            sa.Column("shift_start_notice", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        users.add_column(
            sa.Column("shift_end_notice", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("users") as users:
        users.alter_column("shift_start_notice", server_default=None)
        users.alter_column("shift_end_notice", server_default=None)
    op.create_table(
        "shift_notices",
        sa.Column("rotation_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("edge", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["rotation_id"],
            ["rotations.id"],
            name=op.f("fk_shift_notices_rotation_id_rotations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_shift_notices_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_notices")),
    )
    op.create_index(
        "uq_shift_notices_rotation_id_user_id_edge_at",
        "shift_notices",
        ["rotation_id", "user_id", "edge", "at"],
        unique=True,
    )
    op.create_index("ix_shift_notices_at", "shift_notices", ["at"])
    op.create_index(op.f("ix_shift_notices_user_id"), "shift_notices", ["user_id"])


def downgrade() -> None:
    op.drop_table("shift_notices")
    with op.batch_alter_table("users") as users:
        users.drop_column("shift_end_notice")
        users.drop_column("shift_start_notice")
    op.drop_index(op.f("ix_absences_user_id"), table_name="absences")
    op.drop_table("absences")
