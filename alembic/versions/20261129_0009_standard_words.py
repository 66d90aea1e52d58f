"""Rename to standard terms: providers, recipient rates, shift reminders, stalled, skipped."""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DUE = sa.text("state IN ('pending', 'retry', 'sending')")
# (before, after)
TABLES = (("lanes", "providers"), ("target_paces", "recipient_rates"))
USER_COLUMNS = (
    ("shift_start_notice", "shift_start_reminder"),
    ("shift_end_notice", "shift_end_reminder"),
)
NOTIFICATION_COLUMNS = (("lane", "provider"), ("stranded_at", "stalled_at"))
EVENT_KINDS = (
    ("step_passed_over", "step_skipped"),
    ("notification_stranded", "notification_stalled"),
)
HEARTBEAT = ("shift-notices", "shift-reminders")
SHIFTS = ("shift_notices", "told"), ("shift_reminders", "notified")
CREDENTIAL = ("door", "credential")
METHODS = ("ways", "methods")
_BATCH = 1000

events = sa.table("events", sa.column("id", sa.Integer), sa.column("data", sa.JSON))


def upgrade() -> None:
    _rename(lambda pair: pair)


def downgrade() -> None:
    _rename(lambda pair: (pair[1], pair[0]))


def _rename(order: Callable[[Any], Any]) -> None:
    _rename_tables(order)
    _rename_columns(order)
    _rename_shift_reminders(*order(SHIFTS))
    for pair in EVENT_KINDS:
        old, new = order(pair)
        op.execute(
            sa.text("UPDATE events SET kind = :new WHERE kind = :old").bindparams(old=old, new=new)
        )
    old, new = order(HEARTBEAT)
    op.execute(
        sa.text("UPDATE heartbeats SET name = :new WHERE name = :old").bindparams(old=old, new=new)
    )
    _rename_in_events(order(CREDENTIAL), order(METHODS))


def _rename_tables(order: Callable[[Any], Any]) -> None:
    for pair in TABLES:
        old, new = order(pair)
        op.rename_table(old, new)
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT pk_{old} TO pk_{new}")


def _rename_columns(order: Callable[[Any], Any]) -> None:
    for table, pairs in (("users", USER_COLUMNS), ("notifications", NOTIFICATION_COLUMNS)):
        for pair in pairs:
            old, new = order(pair)
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    old, new = order(("lane", "provider"))
    op.drop_index(f"ix_notifications_{old}_due", table_name="notifications")
    op.create_index(
        f"ix_notifications_{new}_due",
        "notifications",
        [new, "state", "next_at"],
        sqlite_where=DUE,
        postgresql_where=DUE,
    )


def _rename_shift_reminders(before: tuple[str, str], after: tuple[str, str]) -> None:
    """Copy the table, because SQLite cannot rename constraints."""
    (old, old_flag), (new, new_flag) = before, after
    op.create_table(
        new,
        sa.Column("rotation_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("edge", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(new_flag, sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["rotation_id"],
            ["rotations.id"],
            name=op.f(f"fk_{new}_rotation_id_rotations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{new}_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{new}")),
    )
    columns = "rotation_id, user_id, edge, at, created_at, id"
    # The names are the constants above.
    copy = f"INSERT INTO {new} ({columns}, {new_flag}) SELECT {columns}, {old_flag} FROM {old}"  # noqa: S608
    op.execute(copy)
    op.drop_table(old)
    if op.get_bind().dialect.name == "postgresql":
        # The copied ids do not advance the new table's sequence.
        newest = f"(SELECT coalesce(max(id), 0) + 1 FROM {new})"  # noqa: S608
        op.execute(f"SELECT setval(pg_get_serial_sequence('{new}', 'id'), {newest}, false)")
    op.create_index(
        f"uq_{new}_rotation_id_user_id_edge_at",
        new,
        ["rotation_id", "user_id", "edge", "at"],
        unique=True,
    )
    op.create_index(f"ix_{new}_at", new, ["at"])
    op.create_index(op.f(f"ix_{new}_user_id"), new, ["user_id"])


def _rename_in_events(credential: tuple[str, str], methods: tuple[str, str]) -> None:
    """Rename keys in the data of events, in batches."""
    connection, last = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(events).where(events.c.id > last).order_by(events.c.id).limit(_BATCH)
    ).all():
        last = rows[-1].id
        changed = []
        for row in rows:
            before = json.dumps(row.data)
            data = _renamed(row.data, credential, methods)
            if json.dumps(data) != before:
                changed.append({"row_id": row.id, "data": data})
        if changed:
            connection.execute(
                events.update().where(events.c.id == sa.bindparam("row_id")), changed
            )


def _renamed(data: Any, credential: tuple[str, str], methods: tuple[str, str]) -> Any:
    if not isinstance(data, dict):
        return data
    found = {credential[1] if key == credential[0] else key: value for key, value in data.items()}
    if isinstance(found.get("people"), list):
        found["people"] = [
            {methods[1] if key == methods[0] else key: value for key, value in person.items()}
            if isinstance(person, dict)
            else person
            for person in found["people"]
        ]
    return found
