"""Since when somebody cannot be on call, and until when that lasted."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from incidentrelay.domain.revisions import Away
from incidentrelay.models import Absence


def begin(session: Session, user_id: int, group_id: int | None, now: datetime) -> None:
    """From now on the person is not on call in that group (None: anywhere)."""
    session.add(Absence(user_id=user_id, group_id=group_id, since=now))


def end(session: Session, user_id: int, group_id: int | None, now: datetime) -> None:
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


def load(
    session: Session, people: Collection[int], groups: Collection[int]
) -> dict[int | None, list[Away]]:
    """The absences of ``people`` by group; under None those from everywhere."""
    found: dict[int | None, list[Away]] = defaultdict(list)
    query = select(Absence.group_id, Absence.user_id, Absence.since, Absence.until).where(
        Absence.user_id.in_(people),
        or_(Absence.group_id.is_(None), Absence.group_id.in_(groups)),
    )
    for group_id, user_id, since, until in session.execute(query) if people else ():
        found[group_id].append(Away(user_id, since, until))
    return found
