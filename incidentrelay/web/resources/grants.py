"""ACLs made from the tables of roles."""

from collections.abc import Mapping
from functools import lru_cache

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import GROUP_GRANTS, TEAM_GRANTS, Permission, ScopeLevel
from incidentrelay.web.resources.base import ACE, allow

# Lists ask for the ACLs of the same few teams again and again.
_REMEMBERED = 4096

# Whoever may change a list of members needs one permission for all of it.
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
    """What the roles of a group may do at ``place`` and below."""
    return tuple(
        allow(f"group:{group_id}:{role}", GROUP_GRANTS[role][place])
        for role in GroupRole
        if place in GROUP_GRANTS[role]
    )


@lru_cache(_REMEMBERED)
def team_grants(team_id: int, place: ScopeLevel) -> tuple[ACE, ...]:
    """What the roles of a team may do at ``place`` and below."""
    return tuple(
        allow(f"team:{team_id}:{role}", TEAM_GRANTS[role][place])
        for role in TeamRole
        if place in TEAM_GRANTS[role]
    )
