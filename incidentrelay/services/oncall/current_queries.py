"""Who is on call now, over everything that somebody may see."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Rotation, Team
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import current as on_call_now

MAX_ROTATIONS = 300


def list_on_call(
    session: Session, memberships: Memberships, now: datetime
) -> list[on_call_now.CurrentShift]:
    """Each enabled rotation of active teams, by team and name; at most 300 of them."""
    query = (
        select(Rotation)
        .join(Team, Team.id == Rotation.team_id)
        .join(Group, Group.id == Team.group_id)
        .where(Rotation.enabled, Team.active, Group.active)
        .order_by(Team.name, Team.id, Rotation.name, Rotation.id)
        .limit(MAX_ROTATIONS)
    )
    rotations = list(session.scalars(scope(query, Rotation, memberships, Permission.VIEW)))
    return on_call_now.who_is_on_call(session, rotations, now)
