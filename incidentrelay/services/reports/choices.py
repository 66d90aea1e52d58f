"""The people offered by the on-call report."""

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from incidentrelay.models import GroupMember, User

MOST_PEOPLE = 500


def list_report_people(
    session: Session, group_ids: Iterable[int], username: str = ""
) -> list[User]:
    """The active members of the groups, by name, and ``username`` even if inactive."""
    members = select(GroupMember.user_id).where(GroupMember.group_id.in_(set(group_ids)))
    query = (
        select(User)
        .where(User.id.in_(members), or_(User.active, User.username == username))
        .order_by(User.display_name, User.id)
        .limit(MOST_PEOPLE)
    )
    return list(session.scalars(query))
