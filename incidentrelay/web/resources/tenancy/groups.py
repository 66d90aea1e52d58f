"""Groups, their members and their audit log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.permissions import Permission, ScopeLevel
from incidentrelay.models import AuditEntry, Group, GroupMember, User
from incidentrelay.services.tenancy import group_members, groups
from incidentrelay.web.resources.base import ACE, Item, Managed
from incidentrelay.web.resources.collections import Collection, Folder
from incidentrelay.web.resources.grants import MEMBERS_VERBS, group_grants
from incidentrelay.web.resources.tenancy.teams import GroupTeams
from incidentrelay.web.schemas.audit import AuditSchema
from incidentrelay.web.schemas.tenancy.group import GroupMemberSchema, GroupSchema


class GroupMemberNode(Managed):
    model = GroupMember
    schema = GroupMemberSchema
    service = group_members
    noun = "username"
    fixed = ("username",)
    verbs = MEMBERS_VERBS
    scope_domain = "resources"

    @classmethod
    def rows(cls) -> Select[Any]:
        return select(GroupMember).join(GroupMember.user).options(joinedload(GroupMember.user))


class GroupMembers(Folder):
    tag = "members"
    item = GroupMemberNode
    service = group_members
    key = User.username
    sorts = {"username": User.username}
    verbs = MEMBERS_VERBS
    scope_domain = "resources"

    def statement(self) -> Select[Any]:
        return super().statement().where(GroupMember.group_id == self.owner.id)

    def name_of(self, row: GroupMember) -> str:
        return row.user.username


class AuditNode(Item):
    model = AuditEntry
    schema = AuditSchema
    noun = "entry"
    verbs = {Permission.VIEW: Permission.AUDIT}
    scope_domain = "resources"


class GroupAudit(Collection):
    """The audit log of one group."""

    tag = "audit"
    item = AuditNode
    key = AuditEntry.id
    sorts = {"-id": AuditEntry.id}
    verbs = {Permission.VIEW: Permission.AUDIT}
    scope_domain = "resources"

    def statement(self) -> Select[Any]:
        return super().statement().where(AuditEntry.group_id == self.owner.id)


class Audit(Collection):
    """The audit log of the whole site."""

    tag = "audit"
    item = AuditNode
    key = AuditEntry.id
    sorts = {"-id": AuditEntry.id}
    verbs = {Permission.VIEW: Permission.AUDIT}
    scope_domain = "resources"


class GroupNode(Managed):
    model = Group
    schema = GroupSchema
    service = groups
    noun = "group"
    offered = (*Managed.offered, Permission.MEMBERS, Permission.AUDIT)
    scope_domain = "resources"
    children = {"members": GroupMembers, "audit": GroupAudit, "teams": GroupTeams}

    @property
    def group_id(self) -> int:
        group_id: int = self.obj.id
        return group_id

    def __acl__(self) -> Sequence[ACE]:
        return group_grants(self.obj.id, ScopeLevel.GROUP)


class Groups(Folder):
    """All groups. Only admins create them; users see their own."""

    tag = "groups"
    item = GroupNode
    service = groups
    key = Group.slug
    sorts = {"slug": Group.slug, "name": Group.name}
    open_to_users = frozenset({Permission.VIEW})
    scope_domain = "resources"
    filtered = frozenset({Permission.VIEW})

    def listing(self) -> Select[Any]:
        listing: Select[Any] = self.root.visible(self.statement(), Group)
        return listing
