"""Since when somebody cannot be on call, and until when that lasted."""

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
# An absence has a beginning; a row without one says that the person can be on call.
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
    """From now on the person is not on call in that group (None: anywhere)."""
    session.add(Absence(user_id=user_id, group_id=group_id, since=now))


def end_absence(session: Session, user_id: int, group_id: int | None, now: datetime) -> None:
    """What ``begin`` began is over."""
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
    """(group, user) of those of ``people`` who can be on call, and the absences of all.

    The absences are by group; under None are those from everywhere.
    """
    active: set[tuple[int, int]] = set()
    away: dict[int | None, list[AbsencePeriod]] = defaultdict(list)
    if people:
        given = {"people": list(people), "groups": list(groups)}
        for group_id, user_id, since, until in session.execute(_PRESENCE, given):
            if since is None:
                active.add((group_id, user_id))
            else:
                away[group_id].append(AbsencePeriod(user_id, since, until))
    return active, away
