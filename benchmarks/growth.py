"""Makes a large history out of a small one, inside the database."""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    String,
    Table,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.models import Alert, Base, Event, Notification, Signal

# Each after those that it refers to.
_COPIED: tuple[type[Base], ...] = (Alert, Signal, Event, Notification)
# Identities: each copy needs one of its own.
_UNIQUE = {"group_key", "dedup_key", "uid", "bundle"}
_LONGEST = timedelta(hours=1)


def multiply_alerts(database: Database, count: int) -> int:
    """Double all alerts, with signals, timeline and notifications, until there are ``count``.

    The copies are resolved and their notifications sent, as in a history. Returns the
    number of alerts, at least ``count``.
    """
    with database.read() as session:
        total = _count(session)
    while total < count:
        with database.write(longest=_LONGEST) as session:
            _double(session)
            total = _count(session)
    with database.write(longest=_LONGEST) as session:
        session.execute(text("ANALYZE"))
    return total


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Alert)) or 0


def _double(session: Session) -> None:
    offset = session.scalar(select(func.max(Alert.id))) or 0
    for model in _COPIED:
        table = Base.metadata.tables[model.__tablename__]
        last = session.scalar(select(func.max(table.c.id))) or 0
        columns = {column.name: _copied(column, model, offset, last) for column in table.c}
        rows = select(*columns.values()).where(table.c.id <= last)
        session.execute(insert(table).from_select(list(columns), rows))
        _advance_sequence(session, table)
    session.execute(update(Alert).where(Alert.id > offset).values(wake_at=None))


def _copied(
    column: ColumnElement[Any], model: type[Base], offset: int, last: int
) -> ColumnElement[Any]:
    """The value of ``column`` in the copy of a row."""
    fixed: dict[tuple[type[Base], str], ColumnElement[Any]] = {
        (Alert, "status"): literal("resolved", String),
        (Alert, "resolved_at"): Alert.__table__.c.last_seen_at,
        (Signal, "status"): literal("resolved", String),
        (Signal, "current"): literal(False, Boolean),
        (Signal, "ends_at"): Signal.__table__.c.last_seen_at,
        (Notification, "state"): literal("sent", String),
        (Notification, "next_at"): literal(None, column.type),
        (Notification, "finished_at"): Notification.__table__.c.created_at,
    }
    name = column.key or ""
    if (model, name) in fixed:
        return fixed[model, name]
    if name == "id":
        return column + last
    if name == "alert_id":
        return column + offset
    if name in _UNIQUE:
        return cast(column, String) + f"+{last}"
    return column


def _advance_sequence(session: Session, table: Table) -> None:
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "id")
        session.execute(
            select(func.setval(sequence, select(func.max(table.c.id)).scalar_subquery()))
        )
