"""ACLs made from the tables of roles."""

from collections.abc import Mapping

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import GROUP_GRANTS, TEAM_GRANTS, Permission, ScopeLevel
from incidentrelay.web.resources.base import ACE, allow

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


def group_grants(group_id: int, place: ScopeLevel) -> list[ACE]:
    """What the roles of a group may do at ``place`` and below."""
    return [
        allow(f"group:{group_id}:{role}", GROUP_GRANTS[role][place])
        for role in GroupRole
        if place in GROUP_GRANTS[role]
    ]


def team_grants(team_id: int, place: ScopeLevel) -> list[ACE]:
    """What the roles of a team may do at ``place`` and below."""
    return [
        allow(f"team:{team_id}:{role}", TEAM_GRANTS[role][place])
        for role in TeamRole
        if place in TEAM_GRANTS[role]
    ]
