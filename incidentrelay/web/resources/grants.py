"""ACLs, built from the tables of roles."""

from collections.abc import Mapping
from functools import lru_cache

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import GROUP_GRANTS, TEAM_GRANTS, Permission, ScopeLevel
from incidentrelay.web.resources.base import ACE, allow

# Lists repeatedly need the ACLs of the same few teams.
_REMEMBERED = 4096

# Every change of a list of members requires MEMBERS.
MEMBERS_VERBS: Mapping[Permission, Permission] = {
    Permission.CREATE: Permission.MEMBERS,
    Permission.EDIT: Permission.MEMBERS,
    Permission.DELETE: Permission.MEMBERS,
}
SILENCE_VERBS: Mapping[Permission, Permission] = {
    Permission.CREATE: Permission.SILENCE,
    Permission.EDIT: Permission.SILENCE,
    Permission.DELETE: Permission.SILENCE,
}
OVERRIDE_VERBS: Mapping[Permission, Permission] = {
    Permission.CREATE: Permission.OVERRIDE,
    Permission.EDIT: Permission.OVERRIDE,
    Permission.DELETE: Permission.OVERRIDE,
}


@lru_cache(_REMEMBERED)
def group_grants(group_id: int, place: ScopeLevel) -> tuple[ACE, ...]:
    """The ACL of a group's roles at ``place`` and below."""
    return tuple(
        allow(f"group:{group_id}:{role}", GROUP_GRANTS[role][place])
        for role in GroupRole
        if place in GROUP_GRANTS[role]
    )


@lru_cache(_REMEMBERED)
def team_grants(team_id: int, place: ScopeLevel) -> tuple[ACE, ...]:
    """The ACL of a team's roles at ``place`` and below."""
    return tuple(
        allow(f"team:{team_id}:{role}", TEAM_GRANTS[role][place])
        for role in TeamRole
        if place in TEAM_GRANTS[role]
    )
