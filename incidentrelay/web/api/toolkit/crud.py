"""The generic views that list, read, create, edit and delete resources."""

from typing import Any

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import StaleVersion
from incidentrelay.domain.permissions import Permission
from incidentrelay.web.api.toolkit.pagination import page
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.links import api_url
from incidentrelay.web.resources.base import Deletable, Editable, Item
from incidentrelay.web.resources.collections import Collection, Folder
from incidentrelay.web.schemas.query import PageQuery


@api_view(
    context=Collection,
    method="GET",
    permission=Permission.VIEW,
    query=PageQuery,
    returns="schema",
    page=True,
    errors=(422,),
    summary="List what you may see",
)
def index(context: Collection, request: Any) -> Any:
    nodes, cursor = page(request, context, context.listing())
    context.preload(nodes)
    return nodes, cursor


@api_view(
    context=Folder,
    method="POST",
    permission=Permission.CREATE,
    body="schema",
    returns="schema",
    status=201,
    errors=(409, 413, 415, 422),
    summary="Create one",
)
def create(context: Folder, request: Any) -> Item:
    row = context.service.create(
        request.db,
        context.owner,
        without_version(request.body_data),
        actor=actor(request),
        now=request.now,
        **context.extras(),
    )
    return created(context, request, row)


@api_view(
    context=Item,
    method="GET",
    permission=Permission.VIEW,
    returns="schema",
    summary="Read one",
)
def read(context: Item, request: Any) -> Item:
    return loaded(context, request)


@api_view(
    context=Editable,
    method="PATCH",
    permission=Permission.EDIT,
    body="schema",
    partial=True,
    returns="schema",
    errors=(409, 412, 413, 415, 422),
    summary="Change the fields in the body",
)
def merge(context: Editable, request: Any) -> Item:
    return save(context, request)


@api_view(
    context=Editable,
    method="PUT",
    permission=Permission.EDIT,
    body="schema",
    returns="schema",
    errors=(409, 412, 413, 415, 422),
    summary="Replace all fields; omitted ones get their defaults",
)
def replace(context: Editable, request: Any) -> Item:
    return save(context, request)


@api_view(
    context=Deletable,
    method="DELETE",
    permission=Permission.DELETE,
    status=204,
    errors=(409, 412),
    summary="Delete it",
)
def delete(context: Deletable, request: Any) -> None:
    remove(context, request)


def remove(context: Deletable, request: Any, **options: Any) -> None:
    """Delete the row; ``options`` are further arguments of the service."""
    check_version(context, request, {})
    who, now = actor(request), request.now
    context.service.delete(request.db, context.obj, actor=who, now=now, **options)


def save(context: Editable, request: Any, **options: Any) -> Item:
    """Update the row from the body; ``options`` are further arguments of the service."""
    check_version(context, request, request.body_data)
    data = context.without_fixed(without_version(request.body_data))
    context.service.update(
        request.db,
        context.obj,
        data,
        actor=actor(request),
        now=request.now,
        **context.extras(),
        **options,
    )
    parent = context.__parent__
    node = parent.fresh(context.obj) if isinstance(parent, Collection) else context
    return loaded(node, request)


def created(context: Folder, request: Any, row: Any) -> Item:
    """The node of a new row; sets Location."""
    node = loaded(context.fresh(row), request)
    request.response.location = api_url(request, node)
    return node


def loaded(node: Item, request: Any) -> Item:
    """The node with all its details; sets ETag."""
    if isinstance(node.__parent__, Collection):
        node.__parent__.preload([node])
    node.complete()
    version = getattr(node.obj, "version", None)
    if version is not None:
        request.response.etag = str(version)
    return node


def check_version(context: Item, request: Any, data: Any) -> None:
    """Raise StaleVersion if If-Match or ``version`` names another version."""
    version = getattr(context.obj, "version", None)
    if str(version) not in request.if_match or data.get("version", version) != version:
        raise StaleVersion


def without_version(data: Any) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "version"}


def actor(request: Any) -> Actor:
    """The identity as the actor that services expect."""
    identity = request.identity
    return Actor(
        name=identity.username,
        via="api",
        user_id=identity.user_id,
        is_admin=identity.is_admin,
        request_id=request.id,
    )
