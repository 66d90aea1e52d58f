"""Teams, their members, and the flat list of teams."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.permissions import Permission, ScopeLevel
from incidentrelay.models import Team, TeamMember, User
from incidentrelay.services.tenancy import team_members, teams
from incidentrelay.web.resources.alerts.alerts import TeamAlerts
from incidentrelay.web.resources.alerts.notifications import TeamNotifications
from incidentrelay.web.resources.base import ACE, Item, Managed
from incidentrelay.web.resources.channels import TeamChannels
from incidentrelay.web.resources.collections import FlatCollection, Folder
from incidentrelay.web.resources.contents import TeamCollection
from incidentrelay.web.resources.grants import MEMBERS_VERBS, group_grants, team_grants
from incidentrelay.web.resources.intake.routes import TeamRoutes
from incidentrelay.web.resources.oncall.rotations import TeamRotations
from incidentrelay.web.resources.policies import TeamPolicies
from incidentrelay.web.resources.silences import TeamSilences
from incidentrelay.web.schemas.tenancy.team import TeamMemberSchema, TeamSchema


class TeamMemberNode(Managed):
    model = TeamMember
    schema = TeamMemberSchema
    service = team_members
    noun = "username"
    fixed = ("username",)
    verbs = MEMBERS_VERBS
    scope_domain = "resources"

    @classmethod
    def rows(cls) -> Select[Any]:
        return select(TeamMember).join(TeamMember.user).options(joinedload(TeamMember.user))


class TeamMembers(TeamCollection, Folder):
    tag = "members"
    item = TeamMemberNode
    service = team_members
    key = User.username
    sorts = {"username": User.username}
    verbs = MEMBERS_VERBS

    def __acl__(self) -> Sequence[ACE]:
        return team_grants(self.team.id, ScopeLevel.TEAM_MEMBERS)

    def name_of(self, row: TeamMember) -> str:
        return row.user.username


class TeamNode(Managed):
    """A team. ``preload`` sets ``fallback_*``."""

    model = Team
    schema = TeamSchema
    service = teams
    noun = "team"
    offered = (
        *Managed.offered,
        Permission.CREATE,
        Permission.MEMBERS,
        Permission.RESPOND,
        Permission.SILENCE,
        Permission.OVERRIDE,
    )
    scope_domain = "resources"
    children = {
        "members": TeamMembers,
        "rotations": TeamRotations,
        "policies": TeamPolicies,
        "channels": TeamChannels,
        "routes": TeamRoutes,
        "silences": TeamSilences,
        "notifications": TeamNotifications,
        "alerts": TeamAlerts,
    }
    fallbacks: Mapping[str, str | None] = {}

    @classmethod
    def rows(cls) -> Select[Any]:
        return select(Team).join(Team.group).options(joinedload(Team.group))

    def __acl__(self) -> Sequence[ACE]:
        return team_grants(self.obj.id, ScopeLevel.TEAM)

    def details(self) -> Mapping[str, Any]:
        return self.fallbacks


def _load_fallbacks(nodes: Sequence[Item]) -> None:
    if not nodes:
        return
    names = teams.fallback_names(nodes[0].db, [node.obj for node in nodes])
    for node in nodes:
        if isinstance(node, TeamNode):
            node.fallbacks = names[node.obj.id]


class GroupTeams(Folder):
    tag = "teams"
    item = TeamNode
    service = teams
    key = Team.slug
    sorts = {"slug": Team.slug, "name": Team.name}
    scope_domain = "resources"

    def __acl__(self) -> Sequence[ACE]:
        return group_grants(self.owner.id, ScopeLevel.TEAMS)

    def statement(self) -> Select[Any]:
        return super().statement().where(Team.group_id == self.owner.id)

    def preload(self, nodes: Sequence[Item]) -> None:
        _load_fallbacks(nodes)


class Teams(FlatCollection):
    tag = "teams"
    item = TeamNode
    key = Team.id
    sorts = {"slug": Team.slug, "name": Team.name}
    scope_domain = "resources"

    def preload(self, nodes: Sequence[Item]) -> None:
        _load_fallbacks(nodes)
