"""Restricts lists to visible rows, with roles as SQL.

Clauses come from the same role tables as the ACLs, so a list shows a row exactly if the
row's own page would open.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import (
    ADMIN_PERMISSIONS,
    GROUP_GRANTS,
    TEAM_GRANTS,
    Permission,
    ScopeLevel,
    roles_granting,
)
from incidentrelay.models import (
    Alert,
    AuditEntry,
    Base,
    Channel,
    Event,
    Group,
    GroupMember,
    IntakeRequest,
    Notification,
    Policy,
    Rotation,
    RotationOverride,
    Route,
    Signal,
    Silence,
    Team,
    TeamMember,
)

Clause = ColumnElement[bool]


class Memberships(Protocol):
    """The inputs of visibility. ``bound_group_id`` is the group a token is bound to."""

    @property
    def is_admin(self) -> bool: ...
    @property
    def groups(self) -> Mapping[int, GroupRole]: ...
    @property
    def teams(self) -> Mapping[int, TeamRole]: ...
    @property
    def bound_group_id(self) -> int | None: ...


_IN_GROUP = frozenset({ScopeLevel.GROUP})
_TEAM = frozenset({ScopeLevel.GROUP, ScopeLevel.TEAMS, ScopeLevel.TEAM})
_CONTENTS = _TEAM | {ScopeLevel.CONTENTS}
_TEAM_MEMBERS = _TEAM | {ScopeLevel.TEAM_MEMBERS}

_OF_GROUP: Mapping[type[Base], InstrumentedAttribute[Any]] = {
    GroupMember: GroupMember.group_id,
    AuditEntry: AuditEntry.group_id,
}
_OF_TEAM: Mapping[type[Base], InstrumentedAttribute[Any]] = {
    model: model.team_id
    for model in (Alert, Channel, Notification, Policy, Rotation, Route, Silence, TeamMember)
}
_BELOW: Mapping[type[Base], tuple[InstrumentedAttribute[Any], type[Base]]] = {
    RotationOverride: (RotationOverride.rotation_id, Rotation),
    IntakeRequest: (IntakeRequest.route_id, Route),
    Event: (Event.alert_id, Alert),
    Signal: (Signal.alert_id, Alert),
}


def visible_groups(memberships: Memberships, permission: Permission) -> Clause:
    """The clause for the groups that grant ``permission``."""
    if _everywhere(memberships, permission):
        return _bound(memberships, Group.id)
    return and_(
        Group.id.in_(_groups(memberships, permission, _IN_GROUP)), _bound(memberships, Group.id)
    )


def visible_teams(
    memberships: Memberships, permission: Permission, places: frozenset[ScopeLevel] = _TEAM
) -> Clause:
    """The clause for the teams that grant ``permission`` at one of ``places``."""
    bound = _bound(memberships, Team.group_id)
    if _everywhere(memberships, permission):
        return bound
    roles = roles_granting(permission, places)
    # Group and team roles share names, so each has its own table.
    teams = [
        team
        for team, role in memberships.teams.items()
        if role in roles and any(permission in TEAM_GRANTS[role].get(place, ()) for place in places)
    ]
    groups = _groups(memberships, permission, places)
    return and_(or_(Team.group_id.in_(groups), Team.id.in_(teams)), bound)


def team_ids(memberships: Memberships, permission: Permission) -> Select[Any] | None:
    """The ids of the teams whose contents ``permission`` is granted on; None: all teams."""
    if _everywhere(memberships, permission) and memberships.bound_group_id is None:
        return None
    return _team_ids(memberships, permission, _CONTENTS)


def _team_ids(
    memberships: Memberships, permission: Permission, places: frozenset[ScopeLevel]
) -> Select[Any]:
    return select(Team.id).where(visible_teams(memberships, permission, places))


def scope(
    statement: Select[Any], model: type[Base], memberships: Memberships, permission: Permission
) -> Select[Any]:
    """Restrict ``statement`` over ``model`` to rows that grant the permission."""
    return statement.where(visible(model, memberships, permission))


def visible(model: type[Base], memberships: Memberships, permission: Permission) -> Clause:
    """The clause for the rows of ``model`` that grant ``permission``.

    Raises TypeError for a model outside the tree of groups and teams.
    """
    if model is Group:
        return visible_groups(memberships, permission)
    if model is Team:
        return visible_teams(memberships, permission)
    if _everywhere(memberships, permission) and memberships.bound_group_id is None:
        return true()
    if model in _OF_GROUP:
        return _OF_GROUP[model].in_(select(Group.id).where(visible_groups(memberships, permission)))
    if model in _OF_TEAM:
        places = _TEAM_MEMBERS if model is TeamMember else _CONTENTS
        return _OF_TEAM[model].in_(_team_ids(memberships, permission, places))
    if model in _BELOW:
        column, parent = _BELOW[model]
        parents: Select[Any] = select(parent.id)  # type: ignore[attr-defined]
        return column.in_(scope(parents, parent, memberships, permission))
    raise TypeError(f"{model.__name__} has no place in a group")


def _everywhere(memberships: Memberships, permission: Permission) -> bool:
    return memberships.is_admin and permission in ADMIN_PERMISSIONS


def _bound(memberships: Memberships, column: InstrumentedAttribute[int]) -> Clause:
    bound = memberships.bound_group_id
    return true() if bound is None else column == bound


def _groups(
    memberships: Memberships, permission: Permission, places: frozenset[ScopeLevel]
) -> list[int]:
    return [
        group
        for group, role in memberships.groups.items()
        if any(permission in GROUP_GRANTS[role].get(place, ()) for place in places)
    ]


__all__ = ["Memberships", "scope", "team_ids", "visible", "visible_groups", "visible_teams"]
