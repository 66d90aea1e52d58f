"""Overrides of a rotation: made, edited and deleted on pages of their own."""

from datetime import datetime
from typing import Any

from incidentrelay.domain.errors import DomainError
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Rotation, RotationOverride
from incidentrelay.services.oncall import overrides, rotation_queries, schedules
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.rotations.rotations import zone
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.filters import clock
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.oncall.rotations import OverrideNode, Overrides, RotationNode
from incidentrelay.web.schemas.oncall.rotation import OverrideSchema

TEMPLATE = "rotations/override.jinja2"
_FIELDS = ("user", "starts_at", "ends_at", "reason")
# A running override keeps its start.
_OF_BEGUN = ("ends_at", "reason")


@console_view(context=Overrides, name="new", permission=Permission.CREATE, template=TEMPLATE)
def new(context: Overrides, request: Any) -> dict[str, Any]:
    form = SchemaForm(OverrideSchema, _FIELDS, zone=form_zone(request, context.owner))
    return _page(context, request, form)


@console_view(
    context=Overrides, name="new", method="POST", permission=Permission.CREATE, template=TEMPLATE
)
def create(context: Overrides, request: Any) -> Any:
    rotation = context.owner
    form = SchemaForm.posted(OverrideSchema, _FIELDS, request, zone=form_zone(request, rotation))
    try:
        row = overrides.create(
            request.db, rotation, form.load(), actor=actor(request), now=request.now
        )
    except DomainError as error:
        form.refuse(request, error)
        return _page(context, request, form)
    flash(request, said(request, row, form.zone))
    return _back(context, request)


@console_view(context=OverrideNode, name="edit", permission=Permission.EDIT, template=TEMPLATE)
def edit(context: OverrideNode, request: Any) -> dict[str, Any]:
    wall = form_zone(request, _rotation(context))
    form = SchemaForm.of(OverrideSchema, _fields(context, request), context.obj, zone=wall)
    return _page(context, request, form)


@console_view(
    context=OverrideNode, name="edit", method="POST", permission=Permission.EDIT, template=TEMPLATE
)
def save(context: OverrideNode, request: Any) -> Any:
    row, wall = context.obj, form_zone(request, _rotation(context))
    form = SchemaForm.posted(OverrideSchema, _fields(context, request), request, zone=wall)
    try:
        form.check_version(row)
        changes = form.load_changes(row)
        overrides.update(request.db, row, changes, actor=actor(request), now=request.now)
    except DomainError as error:
        form.refuse(request, error, row)
        return _page(context, request, form)
    flash(request, said(request, row, wall))
    return _back(context, request)


@console_view(
    context=OverrideNode, name="delete", permission=Permission.DELETE, template="confirm.jinja2"
)
def ask(context: OverrideNode, request: Any) -> dict[str, Any]:
    row, wall = context.obj, form_zone(request, _rotation(context))
    running = row.starts_at < request.now
    until = clock(row.ends_at, wall, request.now)
    told = f"It would last until {until}." if running else said(request, row, wall)
    after = (
        "The person named by the schedule is on call at once."
        if running
        else "Afterwards the schedule decides again who is on call."
    )
    return {
        "crumbs": _crumbs(context, request),
        "title": f"{'End' if running else 'Delete'} the override of {row.user.display_name}?",
        "consequences": [told, after],
        "button": "End it now" if running else "Delete",
        "back": console_url(request, _rotation_node(context)),
    }


@console_view(context=OverrideNode, name="delete", method="POST", permission=Permission.DELETE)
def delete(context: OverrideNode, request: Any) -> Any:
    row = context.obj
    name, running = row.user.display_name, row.starts_at < request.now
    overrides.delete(request.db, row, actor=actor(request), now=request.now)
    flash(request, f"The override of {name} {'has ended' if running else 'is deleted'}.")
    return _back(context, request)


def form_zone(request: Any, rotation: Rotation) -> str:
    """The zone in which the forms of a rotation take times."""
    layers = rotation_queries.load_layers(schedules.load_schedule(request.db, rotation.id))
    return zone(request, rotation_queries.usual_zone(layers))


def said(request: Any, row: RotationOverride, wall: str) -> str:
    """What an override does, as a sentence."""
    start, end = (_clock(request, at, wall) for at in (row.starts_at, row.ends_at))
    return f"{row.user.display_name} is on call from {start} to {end}."


def _clock(request: Any, at: datetime, wall: str) -> str:
    return clock(at, wall, request.now)


def _page(context: Overrides | OverrideNode, request: Any, form: SchemaForm) -> dict[str, Any]:
    node = _rotation_node(context)
    row = context.obj if isinstance(context, OverrideNode) else None
    return {
        "crumbs": _crumbs(context, request),
        "zone": form.zone,
        "form": form,
        "rotation": node.obj,
        "override": row,
        "people": people(request, node),
        "back": console_url(request, node),
    }


def people(request: Any, node: RotationNode) -> list[tuple[str, str]]:
    """Who may be on call, as the choices of a field."""
    found = rotation_queries.list_candidates(request.db, node.obj.team)
    return [(user.username, f"{user.display_name} ({user.username})") for user in found]


def _fields(context: OverrideNode, request: Any) -> tuple[str, ...]:
    return _OF_BEGUN if context.obj.starts_at < request.now else _FIELDS


def _rotation_node(node: Node) -> RotationNode:
    place: Node | None = node
    while place is not None and not isinstance(place, RotationNode):
        place = place.__parent__
    if place is None:
        raise TypeError("This belongs to no rotation.")
    return place


def _rotation(node: Node) -> Rotation:
    row: Rotation = _rotation_node(node).obj
    return row


def _crumbs(context: Node, request: Any) -> list[nav.Crumb]:
    return nav.list_breadcrumbs(request, _rotation_node(context))


def _back(context: Node, request: Any) -> Any:
    return to_node(request, _rotation_node(context))
