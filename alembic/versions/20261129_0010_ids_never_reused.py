"""Never reuse row ids on SQLite; remember when credentials changed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("credentials_changed_at", sa.DateTime(timezone=True), nullable=True),
    )
    # Until now, only the audit log recorded it.
    op.execute(
        "UPDATE users SET credentials_changed_at = (SELECT max(at) FROM audit_entries"
        " WHERE subject_kind = 'user' AND subject = users.username AND group_id IS NULL"
        " AND (action = 'change_password' OR (action = 'update'"
        " AND (CAST(diff AS TEXT) LIKE '%\"password\"%'"
        " OR CAST(diff AS TEXT) LIKE '%\"active\"%'))))"
    )
    _rebuild(autoincrement=True)


def downgrade() -> None:
    _rebuild(autoincrement=False)
    op.drop_column("users", "credentials_changed_at")


def _rebuild(*, autoincrement: bool) -> None:
    """Rebuild tables with AUTOINCREMENT on SQLite; PostgreSQL's sequences never go back."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names():
        if inspector.get_pk_constraint(table)["constrained_columns"] == ["id"]:
            options = {"sqlite_autoincrement": autoincrement}
            with op.batch_alter_table(table, recreate="always", table_kwargs=options):
                pass
