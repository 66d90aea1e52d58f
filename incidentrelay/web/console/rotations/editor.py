"""The form for rotations, with a preview of the schedule, and their deletion."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import WEEKDAYS
from incidentrelay.models import Rotation
from incidentrelay.services.oncall import previews, rotation_queries, rotations
from incidentrelay.services.recipients.reachable import find_reachable
from incidentrelay.web.console.forms import repeating_rows
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.rotations import layer_form
from incidentrelay.web.console.rotations import preview as rotation_preview
from incidentrelay.web.console.rotations.layer_form import LayerDraft
from incidentrelay.web.console.rotations.overrides import form_zone
from incidentrelay.web.console.rotations.preview import PreviewView
from incidentrelay.web.console.toolkit import team_choice
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.resources.oncall.rotations import RotationNode, Rotations, TeamRotations
from incidentrelay.web.schemas.oncall.rotation import RotationSchema

TEMPLATE = "rotations/edit.jinja2"
UNITS = tuple((str(unit), str(unit)) for unit in ShiftUnit)
KINDS = (("weekly", "Weekly"), ("daily", "Daily"), ("hours", "Twice a day"))


choose_team = team_choice.ask_team(Rotations, "rotations", "rotation")


@form_page(TeamRotations, "new", Permission.CREATE, template=TEMPLATE)
@form_page(RotationNode, "edit", Permission.EDIT, template=TEMPLATE)
class RotationEditor(Editor):
    schema = RotationSchema
    names = ("name", "description", "enabled", "reminder_interval")
    new_names = ("name", "slug", "description", "enabled", "reminder_interval")
    buttons = layer_form.BUTTONS

    @cached_property
    def zone(self) -> str:
        zone: str = self.request.identity.zone
        return form_zone(self.request, self.row) if self.row else zone

    @property
    def back(self) -> str:
        return super().back if self.row else f"{self.request.script_name}/rotations"

    def usual(self) -> dict[str, Any]:
        return {"enabled": True, "reminder_interval": "300"}

    def stored_drafts(self) -> list[LayerDraft]:
        if self.row is None:
            return [_usual(self.request.GET.get("kind", ""), self.zone)]
        layers = rotations.load_current_layers(self.request.db, [self.row.id])[self.row.id]
        return layer_form.layer_drafts(layers) or [_usual("", self.zone)]

    def posted_drafts(self) -> list[LayerDraft]:
        return layer_form.read_drafts(self.request)

    def load(self) -> dict[str, Any]:
        layers = layer_form.to_json(self.drafts)
        return self.form.load(partial=self.row is not None, layers=layers)

    def make_preview(self, data: Mapping[str, Any]) -> PreviewView:
        preview = previews.preview_edit if self.row else previews.preview_new
        subject, now = self.row or self.context.team, self.request.now
        found = preview(
            self.request.db,
            subject,
            {"layers": data["layers"]},
            start=now,
            end=now + previews.DEFAULT_SPAN,
            now=now,
            reachable=find_reachable,
        )
        return rotation_preview.view_preview(self.request, found)

    def translate(self, error: DomainError) -> DomainError:
        if isinstance(error, InvalidInput):
            return layer_form.place_errors(error, self.drafts)
        return error

    def describe_result(self, row: Rotation) -> str:
        return f"Rotation {row.name} {'saved' if self.row else 'created'}."

    def values(self) -> dict[str, Any]:
        self.form.values |= repeating_rows.row_values(self.drafts, "layers")
        team = self.row.team if self.row else self.context.team
        found = rotation_queries.list_candidates(self.request.db, team)
        return {
            "rotation": self.row,
            "people": [(user.username, user.display_name) for user in found],
            "names": {user.username: user.display_name for user in found},
            "units": UNITS,
            "weekdays": tuple((str(day), name) for day, name in enumerate(WEEKDAYS)),
            "kinds": () if self.row else KINDS,
            "zones": sorted(zone_names()),
        }


def _usual(kind: str, zone: str) -> LayerDraft:
    """The first layer of a new rotation."""
    draft = LayerDraft(name="Layer 1", zone=zone)
    if kind == "daily":
        return replace(draft, unit="days")
    if kind == "hours":
        return replace(draft, unit="hours", length="12", handoff_time="08:00")
    return draft


@confirm_delete(RotationNode)
def ask_delete(context: RotationNode, _request: Any) -> DeleteQuestion:
    name = context.obj.name
    return DeleteQuestion(
        page=context,
        title=f"Delete the rotation {name}?",
        consequences=(
            "Its schedule, its overrides and its history are deleted. This cannot be undone.",
            "A rotation in use by routes or escalation policies cannot be deleted.",
            "To stop its pages for a while, edit it and pause it instead.",
        ),
        button="Delete the rotation",
        done=f"Rotation {name} deleted.",
        path="rotations",
    )
