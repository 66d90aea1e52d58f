"""The members of groups and teams: lists, and the forms for a new one and a new role."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import Permission, outranks
from incidentrelay.models import GroupMember, TeamMember, User
from incidentrelay.services.tenancy import group_queries
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.collections import Folder
from incidentrelay.web.resources.tenancy.groups import GroupMemberNode, GroupMembers
from incidentrelay.web.resources.tenancy.teams import TeamMemberNode, TeamMembers
from incidentrelay.web.schemas.tenancy.group import GroupMemberSchema
from incidentrelay.web.schemas.tenancy.team import TeamMemberSchema

TEMPLATE = "tenancy/member_edit.jinja2"
_MEANINGS: Mapping[StrEnum, str] = {
    GroupRole.VIEWER: "Viewer: sees everything",
    GroupRole.RESPONDER: "Responder: also reacts to alerts",
    GroupRole.EDITOR: "Editor: also manages the teams",
    GroupRole.OWNER: "Owner: also manages the members",
    TeamRole.RESPONDER: "Responder: reacts to alerts",
    TeamRole.MANAGER: "Manager: also edits what it owns",
}

Row = GroupMember | TeamMember


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """The links are None if the reader may not follow them."""

    name: str
    username: str
    role: str
    active: bool
    user_url: str | None
    edit_url: str | None
    delete_url: str | None


def view_members(request: Any, folder: Folder, rows: Iterable[Row]) -> list[MemberRow]:
    """The rows of a list of members. A role above the reader's own has no links."""
    return [_view(request, folder, row) for row in rows]


def _view(request: Any, folder: Folder, row: Row) -> MemberRow:
    node, below = folder.wrap(row), may_grant(request, folder, row.role)
    user = node.root.place(row.user)
    return MemberRow(
        name=row.user.display_name,
        username=row.user.username,
        role=row.role.capitalize(),
        active=row.user.active,
        user_url=nav.page_url(request, user),
        edit_url=nav.page_url(request, node, "edit", Permission.EDIT) if below else None,
        delete_url=nav.page_url(request, node, "delete", Permission.DELETE) if below else None,
    )


def may_grant(request: Any, folder: Folder, role: str) -> bool:
    """Whether the reader's own role is as high; the service checks it again."""
    identity = request.identity
    if identity.is_admin:
        return True
    own: list[str | None] = [identity.groups.get(_group_id(folder))]
    if isinstance(folder, TeamMembers):
        own.append(identity.teams.get(folder.team.id))
    return any(outranks(each, role) for each in own if each is not None)


def _group_id(folder: Folder) -> int:
    group_id: int = folder.team.group_id if isinstance(folder, TeamMembers) else folder.owner.id
    return group_id


class MemberEditor(Editor):
    """The form for a membership."""

    names = ("role",)
    new_names = ("username", "role")
    roles: type[StrEnum]
    row: Row | None

    @property
    def folder(self) -> Any:
        return self.context if self.row is None else self.context.__parent__

    @property
    def page_node(self) -> Node:
        """The page of the group or team, which lists its members."""
        node: Node = self.folder.__parent__
        return node

    def next_node(self, row: Any) -> Node:
        return self.page_node

    @abstractmethod
    def newcomers(self) -> Sequence[User]:
        """The people who can be added."""

    def describe_result(self, row: Row) -> str:
        name = row.user.display_name
        return f"{name} is now {row.role}." if self.row else f"{name} added as {row.role}."

    def values(self) -> Mapping[str, Any]:
        choices = [
            (str(role), _MEANINGS[role])
            for role in self.roles
            if may_grant(self.request, self.folder, role)
        ]
        people = [] if self.row else self.newcomers()
        return {
            "member": self.row,
            "place": self.page_node.obj.name,  # type: ignore[attr-defined]
            "roles": choices,
            "people": [(user.username, user.display_name) for user in people],
            "in_team": isinstance(self.folder, TeamMembers),
        }


@form_page(GroupMembers, "new", Permission.CREATE, template=TEMPLATE)
@form_page(GroupMemberNode, "edit", Permission.EDIT, template=TEMPLATE)
class GroupMemberEditor(MemberEditor):
    schema = GroupMemberSchema
    roles = GroupRole

    def newcomers(self) -> Sequence[User]:
        group = self.folder.owner
        return group_queries.list_newcomers(self.request.db, self.request.identity, group)


@form_page(TeamMembers, "new", Permission.CREATE, template=TEMPLATE)
@form_page(TeamMemberNode, "edit", Permission.EDIT, template=TEMPLATE)
class TeamMemberEditor(MemberEditor):
    schema = TeamMemberSchema
    roles = TeamRole

    def newcomers(self) -> Sequence[User]:
        return group_queries.list_team_newcomers(self.request.db, self.folder.team)
