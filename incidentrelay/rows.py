"""Writes plain rows in one statement, without the unit of work.

Statements are built once for each table and set of columns. SQLite gets one row of values
at a time, which costs it no round trip; PostgreSQL gets all rows as one JSON parameter.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Dialect, Table, text
from sqlalchemy.orm import Session

Row = Mapping[str, Any]
_JSON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
_NEXT_IDS = text(
    "SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)"
)


def insert_all(session: Session, model: type[Any], rows: Sequence[Row]) -> None:
    """Insert the rows, which name the same columns; does nothing without rows."""
    if rows:
        columns = tuple(rows[0])
        _send(session, rows, _insert, model.__table__, columns)


def update_by_id(session: Session, model: type[Any], rows: Sequence[Row]) -> None:
    """Set the columns of the rows with these ids; all rows name the same columns."""
    if rows:
        columns = tuple(name for name in rows[0] if name != "id")
        _send(session, rows, _update, model.__table__, columns)


def reserve_ids(session: Session, model: type[Any], count: int) -> list[int]:
    """Ids for new rows, ascending. Insert these before you reserve more."""
    if not count:
        return []
    name = model.__tablename__
    if session.connection().dialect.name == "postgresql":
        return sorted(session.connection().scalars(_NEXT_IDS, {"table": name, "count": count}))
    # Nobody else inserts before this transaction ends.
    last = session.connection().scalar(_LAST_ID, {"table": name}) or 0
    return list(range(last + 1, last + count + 1))


def _send(
    session: Session,
    rows: Sequence[Row],
    build: Callable[[Table, tuple[str, ...], Dialect], "_Statement"],
    table: Table,
    columns: tuple[str, ...],
) -> None:
    session.flush()
    connection = session.connection()
    build(table, columns, connection.dialect).send(connection, rows)


class _Statement:
    """``names`` are the values of a row in the order in which ``sql`` wants them."""

    def __init__(self, sql: str, names: Sequence[str], table: Table, dialect: Dialect) -> None:
        self._sql = sql
        self._names = names
        impls = [table.c[name].type.dialect_impl(dialect) for name in names]
        self._processors = [impl.bind_processor(dialect) for impl in impls]

    def send(self, connection: Connection, rows: Sequence[Row]) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(self._sql, (_to_json(rows),))
            return
        columns = [
            _convert([row[name] for row in rows], process)
            if process
            else [row[name] for row in rows]
            for name, process in zip(self._names, self._processors, strict=True)
        ]
        connection.exec_driver_sql(self._sql, list(zip(*columns, strict=True)))


def _convert(values: Sequence[Any], process: Callable[[Any], Any]) -> list[Any]:
    """Convert each object once: rows share times, enums, plans and messages."""
    known: dict[int, Any] = {}
    converted = []
    for value in values:
        key = id(value)
        if key not in known:
            known[key] = process(value)
        converted.append(known[key])
    return converted


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> _Statement:
    """Columns that are not given get their default."""
    rest = [each for each in table.c if each.default is not None and each.name not in columns]
    names = ", ".join([*columns, *(each.name for each in rest)])
    defaults = [_literal(each, dialect) for each in rest]
    if dialect.name == "postgresql":
        values = ", ".join([*(f"r.{name}" for name in columns), *defaults])
        words = [
            "INSERT INTO",
            table.name,
            f"({names}) SELECT",
            values,
            _records(table, columns, dialect),
        ]
    else:
        values = ", ".join(["?"] * len(columns) + defaults)
        words = ["INSERT INTO", table.name, f"({names}) VALUES ({values})"]
    return _Statement(" ".join(words), columns, table, dialect)


@lru_cache(maxsize=256)
def _update(table: Table, columns: tuple[str, ...], dialect: Dialect) -> _Statement:
    names = (*columns, "id")
    if dialect.name == "postgresql":
        changes = ", ".join(f"{name} = r.{name}" for name in columns)
        end = f"{_records(table, names, dialect)} WHERE {table.name}.id = r.id"
    else:
        changes = ", ".join(f"{name} = ?" for name in columns)
        end = "WHERE id = ?"
    return _Statement(" ".join(["UPDATE", table.name, "SET", changes, end]), names, table, dialect)


def _literal(column: Column[Any], dialect: Dialect) -> str:
    default: Any = column.default
    assert default.is_scalar, f"{column} needs a value"
    process = column.type.literal_processor(dialect)
    assert process is not None, f"{column} needs a value"
    return process(default.arg)


def _records(table: Table, names: Iterable[str], dialect: Dialect) -> str:
    types = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in names)
    return f"FROM json_to_recordset(CAST(%s AS json)) AS r ({types})"


def _to_json(rows: Sequence[Row]) -> str:
    try:
        return orjson.dumps(rows, default=_json_value, option=_JSON).decode()
    except orjson.JSONEncodeError as error:
        if isinstance(error.__cause__, ValueError):
            raise error.__cause__ from None
        # Integers beyond 64 bits.
        return json.dumps(rows, default=_json_value)


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("this datetime has no time zone")
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a value of a row")
