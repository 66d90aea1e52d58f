"""Deactivating and removing people: what depends on them, and doing it all the same."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.tenancy import dependents
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.tenancy.groups import GroupMemberNode
from incidentrelay.web.resources.tenancy.users import UserNode
from incidentrelay.web.schemas.query import DepartureQuery
from incidentrelay.web.schemas.tenancy.dependents import DependentsSchema

_ERRORS = (409, 412, 413, 415, 422)


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


@api_view(
    context=UserNode,
    method="PATCH",
    permission=Permission.EDIT,
    body="schema",
    partial=True,
    query=DepartureQuery,
    returns="schema",
    errors=_ERRORS,
    summary="Change the fields in the body; deactivating may need confirm=true",
)
def merge_user(context: UserNode, request: Any) -> Item:
    return crud.save(context, request, **request.query)


@api_view(
    context=UserNode,
    method="PUT",
    permission=Permission.EDIT,
    body="schema",
    query=DepartureQuery,
    returns="schema",
    errors=_ERRORS,
    summary="Replace all fields; deactivating may need confirm=true",
)
def replace_user(context: UserNode, request: Any) -> Item:
    return crud.save(context, request, **request.query)


@api_view(
    context=UserNode,
    method="DELETE",
    permission=Permission.DELETE,
    query=DepartureQuery,
    status=204,
    errors=(409, 412, 422),
    summary="Delete them; refused while others depend on them, unless confirm=true",
)
def delete_user(context: UserNode, request: Any) -> None:
    crud.remove(context, request, **request.query)


@api_view(
    context=GroupMemberNode,
    method="DELETE",
    permission=Permission.DELETE,
    query=DepartureQuery,
    status=204,
    errors=(409, 412, 422),
    summary="Remove them; refused while others depend on them, unless confirm=true",
)
def delete_member(context: GroupMemberNode, request: Any) -> None:
    crud.remove(context, request, **request.query)
