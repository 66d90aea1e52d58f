"""Overrides of a rotation: creating, editing and deleting them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Rotation, RotationOverride
from incidentrelay.services.oncall import rotation_queries, schedules
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.rotations.rotations import zone
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.console.toolkit.filters import clock
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.oncall.rotations import OverrideNode, Overrides, RotationNode
from incidentrelay.web.schemas.oncall.rotation import OverrideSchema

TEMPLATE = "rotations/override.jinja2"
_FIELDS = ("user", "starts_at", "ends_at", "reason")
# A running override keeps its start.
_RUNNING_FIELDS = ("ends_at", "reason")


@form_page(Overrides, "new", Permission.CREATE, template=TEMPLATE)
@form_page(OverrideNode, "edit", Permission.EDIT, template=TEMPLATE)
class OverrideEditor(Editor):
    schema = OverrideSchema
    new_names = _FIELDS

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        if self.row is not None:
            self.names = _RUNNING_FIELDS if self.row.starts_at < request.now else _FIELDS

    @property
    def page_node(self) -> RotationNode:
        return _rotation_node(self.context)

    @cached_property
    def zone(self) -> str:
        return form_zone(self.request, self.page_node.obj)

    def load(self) -> dict[str, Any]:
        return self.form.load_changes(self.row) if self.row else self.form.load()

    def describe_result(self, row: RotationOverride) -> str:
        return describe_override(self.request, row, self.zone)

    def next_node(self, row: RotationOverride) -> RotationNode:
        return self.page_node

    def values(self) -> Mapping[str, Any]:
        people = list_choices(self.request, self.page_node)
        return {"rotation": self.page_node.obj, "override": self.row, "people": people}


@confirm_delete(OverrideNode)
def ask_delete(context: OverrideNode, request: Any) -> DeleteQuestion:
    row, page = context.obj, _rotation_node(context)
    wall = form_zone(request, page.obj)
    if row.starts_at < request.now:
        return _ask_end(page, row, clock(row.ends_at, wall, request.now))
    name, sentence = row.user.display_name, describe_override(request, row, wall)
    return DeleteQuestion(
        page=page,
        title=f"Delete the override of {name}?",
        consequences=(sentence, "The scheduled person is on call again."),
        button="Delete",
        done=f"Override of {name} deleted.",
    )


def _ask_end(page: RotationNode, row: RotationOverride, until: str) -> DeleteQuestion:
    """A running override ends now; its past stays."""
    name = row.user.display_name
    return DeleteQuestion(
        page=page,
        title=f"End the override of {name}?",
        consequences=(
            f"It would last until {until}.",
            "The scheduled person is on call at once.",
        ),
        button="End it now",
        done=f"Override of {name} ended.",
    )


def form_zone(request: Any, rotation: Rotation) -> str:
    """The zone of the times in a rotation's forms."""
    layers = rotation_queries.load_layers(schedules.load_schedule(request.db, rotation.id))
    return zone(request, rotation_queries.usual_zone(layers))


def describe_override(request: Any, row: RotationOverride, wall: str) -> str:
    """The effect of an override, as a sentence."""
    start, end = (clock(at, wall, request.now) for at in (row.starts_at, row.ends_at))
    return f"{row.user.display_name} is on call from {start} to {end}."


def list_choices(request: Any, node: RotationNode) -> list[tuple[str, str]]:
    """Who may be on call, as the choices of a field."""
    found = rotation_queries.list_candidates(request.db, node.obj.team)
    return [(user.username, f"{user.display_name} ({user.username})") for user in found]


def _rotation_node(node: Node) -> RotationNode:
    place: Node | None = node
    while place is not None and not isinstance(place, RotationNode):
        place = place.__parent__
    if place is None:
        raise TypeError("This belongs to no rotation.")
    return place
