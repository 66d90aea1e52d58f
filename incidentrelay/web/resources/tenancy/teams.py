"""Teams, their members, and the flat list of teams."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.permissions import Permission, ScopeLevel
from incidentrelay.models import Channel, Team, TeamMember, User
from incidentrelay.services.tenancy import team_members, teams
from incidentrelay.web.resources.alerts.alerts import TeamAlerts
from incidentrelay.web.resources.alerts.notifications import TeamNotifications
from incidentrelay.web.resources.base import ACE, Door, Folder, Item, Managed
from incidentrelay.web.resources.channels import TeamChannels
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
    """A team. ``fallback_*`` of the representation are filled in by ``load_fallbacks``."""

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


def load_fallbacks(nodes: Sequence[Item]) -> None:
    """Give team nodes the names of their fallback contacts, in two statements at most."""
    if not nodes:
        return
    people = {node.obj.fallback_user_id for node in nodes} - {None}
    channels = {node.obj.fallback_channel_id for node in nodes} - {None}
    names = _names(nodes[0], User.id, User.username, people)
    slugs = _names(nodes[0], Channel.id, Channel.slug, channels)
    for node in nodes:
        if isinstance(node, TeamNode):
            node.fallbacks = {
                "fallback_user": names.get(node.obj.fallback_user_id),
                "fallback_channel": slugs.get(node.obj.fallback_channel_id),
            }


def _names(node: Item, key: Any, name: Any, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return dict(node.db.execute(select(key, name).where(key.in_(ids))).all())


class GroupTeams(Folder):
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
        load_fallbacks(nodes)


class Teams(Door):
    item = TeamNode
    key = Team.id
    sorts = {"slug": Team.slug, "name": Team.name}
    scope_domain = "resources"

    def preload(self, nodes: Sequence[Item]) -> None:
        load_fallbacks(nodes)
