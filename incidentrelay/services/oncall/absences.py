"""Periods when a person cannot be on call: deactivated, or not in the group."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    bindparam,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from incidentrelay.domain.oncall.schedule import AbsencePeriod
from incidentrelay.models import Absence, GroupMember, User

_PEOPLE: BindParameter[int] = bindparam("people", expanding=True)
_GROUPS: BindParameter[int] = bindparam("groups", expanding=True)
# A row without a start means that the person can be on call now.
_PRESENCE: CompoundSelect[Any, Any, Any, Any] = union_all(
    select(
        GroupMember.group_id,
        GroupMember.user_id,
        literal(None, type_=Absence.since.type).label("since"),
        literal(None, type_=Absence.until.type).label("until"),
    )
    .join(User, User.id == GroupMember.user_id)
    .where(GroupMember.group_id.in_(_GROUPS), GroupMember.user_id.in_(_PEOPLE), User.active),
    select(Absence.group_id, Absence.user_id, Absence.since, Absence.until).where(
        Absence.user_id.in_(_PEOPLE),
        or_(Absence.group_id.is_(None), Absence.group_id.in_(_GROUPS)),
    ),
)


def begin_absence(session: Session, user_id: int, group_id: int | None, now: datetime) -> None:
    """Take the person off call from now on, in that group or everywhere (None)."""
    session.add(Absence(user_id=user_id, group_id=group_id, since=now))


def end_absence(session: Session, user_id: int, group_id: int | None, now: datetime) -> None:
    """End the open absence in that group or everywhere (None)."""
    session.execute(
        update(Absence)
        .where(
            Absence.user_id == user_id,
            Absence.group_id.is_not_distinct_from(group_id),
            Absence.until.is_(None),
        )
        .values(until=now)
        .execution_options(synchronize_session=False)
    )


def load_absences(
    session: Session, people: Collection[int], groups: Collection[int]
) -> tuple[set[tuple[int, int]], dict[int | None, list[AbsencePeriod]]]:
    """Load (group id, user id) of ``people`` who can be on call, and all absences by group id.

    Absences from everywhere are under None.
    """
    active: set[tuple[int, int]] = set()
    away: dict[int | None, list[AbsencePeriod]] = defaultdict(list)
    if people:
        ids = {"people": list(people), "groups": list(groups)}
        for group_id, user_id, since, until in session.execute(_PRESENCE, ids):
            if since is None:
                active.add((group_id, user_id))
            else:
                away[group_id].append(AbsencePeriod(user_id, since, until))
    return active, away
