"""Who may do what: the table behind ACLs, filtered lists and the docs.

A grant gives permissions to a role at a level of the tree: that node and everything
below it.
"""

from collections.abc import Mapping
from enum import StrEnum

from incidentrelay.domain.enums import GroupRole, TeamRole


class Permission(StrEnum):
    VIEW = "view"
    RESPOND = "respond"
    SILENCE = "silence"
    OVERRIDE = "override"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    TEST = "test"
    MEMBERS = "members"
    AUDIT = "audit"
    INGEST = "ingest"


# The principal of every credential that may post to intake: route tokens, and personal
# tokens with alerts:write.
INGEST_PRINCIPAL = "scope:ingest"


class ScopeLevel(StrEnum):
    """GROUP: a group. TEAMS: its ``teams`` collection. TEAM: one team.

    CONTENTS: the collections inside a team (rotations, policies, channels, routes,
    silences), not the team itself. TEAM_MEMBERS: the members of a team.
    """

    GROUP = "group"
    TEAMS = "teams"
    TEAM = "team"
    CONTENTS = "contents"
    TEAM_MEMBERS = "team_members"


class Scope(StrEnum):
    """What a personal token may do: ``<domain>:read`` or ``<domain>:write``."""

    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    RESOURCES_READ = "resources:read"
    RESOURCES_WRITE = "resources:write"
    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"


P = Permission
_RESPONSE = frozenset({P.RESPOND, P.SILENCE, P.OVERRIDE})
_KEEPING = frozenset({P.CREATE, P.EDIT, P.DELETE, P.TEST})

Grants = Mapping[ScopeLevel, frozenset[Permission]]

_VIEWER: Grants = {ScopeLevel.GROUP: frozenset({P.VIEW})}
_RESPONDER: Grants = {**_VIEWER, ScopeLevel.TEAMS: _RESPONSE}
_EDITOR: Grants = {**_VIEWER, ScopeLevel.TEAMS: _RESPONSE | _KEEPING | {P.MEMBERS}}
_OWNER: Grants = {**_EDITOR, ScopeLevel.GROUP: frozenset({P.VIEW, P.EDIT, P.MEMBERS, P.AUDIT})}

GROUP_GRANTS: Mapping[GroupRole, Grants] = {
    GroupRole.VIEWER: _VIEWER,
    GroupRole.RESPONDER: _RESPONDER,
    GroupRole.EDITOR: _EDITOR,
    GroupRole.OWNER: _OWNER,
}

TEAM_GRANTS: Mapping[TeamRole, Grants] = {
    TeamRole.RESPONDER: {ScopeLevel.TEAM: _RESPONSE},
    TeamRole.MANAGER: {
        ScopeLevel.TEAM: _RESPONSE,
        ScopeLevel.CONTENTS: _KEEPING,
        ScopeLevel.TEAM_MEMBERS: frozenset({P.MEMBERS}),
    },
}

ALL_PERMISSIONS = frozenset(Permission)
ADMIN_PERMISSIONS = ALL_PERMISSIONS - {P.INGEST}

_RANKS: Mapping[str, int] = {
    **{role: rank for rank, role in enumerate(GroupRole)},
    TeamRole.MANAGER: 2,
}


def outranks(role: str, other: str) -> bool:
    """Whether ``role`` may grant, change or revoke ``other``; also true for equal roles."""
    return _RANKS[role] >= _RANKS[other]


def roles_granting(
    permission: Permission, levels: frozenset[ScopeLevel]
) -> frozenset[GroupRole | TeamRole]:
    """The roles that have ``permission`` at one of ``levels``."""
    tables: tuple[Mapping[GroupRole | TeamRole, Grants], ...] = (GROUP_GRANTS, TEAM_GRANTS)  # type: ignore[assignment]
    return frozenset(
        role
        for table in tables
        for role, grants in table.items()
        if any(permission in grants.get(level, ()) for level in levels)
    )


def scope_needed(domain: str, permission: Permission) -> Scope:
    """The scope that a token needs for ``permission`` on a node of ``domain``."""
    return Scope(f"{domain}:{'read' if permission in {P.VIEW, P.AUDIT} else 'write'}")
