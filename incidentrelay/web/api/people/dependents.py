"""What depends on a person, to check before they are deactivated or removed."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.tenancy import dependents
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.tenancy.groups import GroupMemberNode
from incidentrelay.web.resources.tenancy.users import UserNode
from incidentrelay.web.schemas.tenancy.dependents import DependentsSchema


@api_view(
    context=UserNode,
    name="dependents",
    method="GET",
    permission=Permission.VIEW,
    returns=DependentsSchema,
    summary="Show what depends on this user, before they are deactivated",
)
def show_dependents(context: UserNode, request: Any) -> Any:
    return dependents.list_dependents(request.db, context.obj, request.now)


@api_view(
    context=GroupMemberNode,
    name="dependents",
    method="GET",
    permission=Permission.VIEW,
    returns=DependentsSchema,
    summary="Show what depends on this member in the group, before they are removed",
)
def show_member_dependents(context: GroupMemberNode, request: Any) -> Any:
    member = context.obj
    return dependents.list_dependents(
        request.db, member.user, request.now, group_id=member.group_id
    )
