"""Groups: the tenants."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import Group, Team
from incidentrelay.services.common import audit, resources, validation
from incidentrelay.services.common.slugs import check_slug, with_slug

_FIELDS: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "description": validation.DESCRIPTION,
    "active": validation.flag,
}


def create(
    session: Session, parent: None, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Group:
    """Create a group without members; raises Conflict if its slug is in use."""
    values = validation.clean(
        with_slug(data), {**_FIELDS, "slug": check_slug}, required=("name", "slug")
    )
    conflict = f"There is a group “{values['slug']}” already."
    if session.scalar(select(Group.id).where(Group.slug == values["slug"])) is not None:
        raise Conflict(conflict)
    group = Group(**values, created_at=now, updated_at=now)
    resources.insert_row(session, group, conflict=conflict)
    audit.record_change(
        session, actor, "create", group, resources.given_fields(values), now=now, group_id=group.id
    )
    return group


def update(
    session: Session, group: Group, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Group:
    """Change the given fields. The roles of an inactive group grant nothing."""
    values = validation.clean(resources.without_fixed(group, data), _FIELDS)
    diff = resources.change_row(group, values)
    if diff:
        resources.save_row(session, group, now)
        audit.record_change(session, actor, "update", group, diff, now=now, group_id=group.id)
    return group


def delete(session: Session, group: Group, *, actor: Actor, now: datetime) -> None:
    """Delete the group with its memberships; raises Conflict while it has teams."""
    teams = session.scalars(
        select(Team.slug).where(Team.group_id == group.id).order_by(Team.slug).limit(4)
    ).all()
    if teams:
        shown = ", ".join(teams[:3]) + (", …" if len(teams) > 3 else "")
        raise Conflict(f"The group still has teams ({shown}); delete them first.")
    resources.remove_row(session, group, conflict="The group still has teams; delete them first.")
    audit.record_change(session, actor, "delete", group, now=now)
