"""Writes rows, in the same way for all resources."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from incidentrelay.domain.errors import Conflict, StaleVersion
from incidentrelay.models import Base, Group
from incidentrelay.models.mixins import Timestamps


def insert_row(session: Session, row: Base, *, conflict: str) -> None:
    """Add ``row`` and assign its id; raises Conflict(conflict) if a unique value is in use."""
    try:
        with session.begin_nested():
            session.add(row)
            # The id is needed for rows that refer to this one.
            session.flush()
    except IntegrityError:
        raise Conflict(conflict) from None


def remove_row(session: Session, row: Base, *, conflict: str) -> None:
    """Delete ``row``; raises Conflict(conflict) if another row refers to it."""
    try:
        with session.begin_nested():
            session.delete(row)
            # Flushed now rather than at the commit, so that a violation can be explained.
            session.flush()
    except IntegrityError:
        raise Conflict(conflict) from None
    except StaleDataError:
        raise StaleVersion from None


def change_row(row: Base, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set the values that differ, and return them as {field: [before, after]}."""
    diff: dict[str, list[Any]] = {}
    for field, value in values.items():
        before = getattr(row, field)
        if before != value:
            diff[field] = [before, value]
            setattr(row, field, value)
    return diff


def save_row(session: Session, row: Timestamps, now: datetime) -> None:
    """Write an edited row under its next version; raises StaleVersion if it was edited since."""
    row.updated_at = now
    try:
        # The response contains the new version.
        session.flush()
    except StaleDataError:
        raise StaleVersion from None


def given_fields(values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The given values of a new row, for the audit log."""
    return {field: [None, value] for field, value in values.items() if value is not None}


def lock_group(session: Session, group_id: int) -> None:
    """Keep others from changing the group's members until this transaction ends.

    Only PostgreSQL needs this: SQLite has one writer at a time.
    """
    session.execute(select(Group.id).where(Group.id == group_id).with_for_update(key_share=True))


def without_fixed(
    row: Base, data: Mapping[str, Any], fixed: tuple[str, ...] = ("slug",)
) -> dict[str, Any]:
    """``data`` without the ``fixed`` fields that repeat the stored values.

    A PUT contains them too. A different value stays in, so it is rejected.
    """
    return {
        field: value
        for field, value in data.items()
        if not (field in fixed and value == getattr(row, field))
    }
