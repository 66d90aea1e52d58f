"""Shifts that change hands: take, cover and swap."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.shifts import Shift, on_call
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import RotationOverride, User
from incidentrelay.services.oncall import rotation_queries, schedules, shift_swaps
from incidentrelay.web.console.forms.editor import FormPage, form_page
from incidentrelay.web.console.forms.moments import format_instant, parse_instant
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.rotations.overrides import (
    describe_override,
    form_zone,
    list_choices,
)
from incidentrelay.web.console.toolkit.actions import ActionMessages, action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.filters import span
from incidentrelay.web.console.toolkit.flash import Kind, flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.resources.oncall.rotations import RotationNode
from incidentrelay.web.schemas.oncall.schedule import CoverSchema, SwapSchema, TakeSchema

_UNDO = "To undo it, delete the override."


@action_view(RotationNode, "take", Permission.OVERRIDE)
def take(context: RotationNode, request: Any) -> ActionMessages:
    data = SchemaForm.posted(TakeSchema, ("at",), request).load()
    who = actor(request)
    rows = shift_swaps.take_shift(request.db, context.obj, **data, actor=who, now=request.now)
    return _messages(request, rows, form_zone(request, context.obj))


class ShiftPage(FormPage):
    """A form that gives shifts of a rotation to another person."""

    @cached_property
    def zone(self) -> str:
        return form_zone(self.request, self.context.obj)

    def finish(self, result: Sequence[RotationOverride]) -> Any:
        for text, kind in _messages(self.request, result, self.zone):
            flash(self.request, text, kind)
        return to_node(self.request, self.context)

    def shift_at(self, text: str) -> Shift | None:
        try:
            at = parse_instant(text, self.zone, "at")
        except InvalidInput:
            return None
        return on_call(schedules.load_schedule(self.request.db, self.context.obj.id), at)


@form_page(RotationNode, "cover", Permission.OVERRIDE, template="rotations/cover.jinja2")
class CoverPage(ShiftPage):
    schema = CoverSchema
    names = ("user", "for", "from", "to")

    def usual(self) -> Mapping[str, Any]:
        """The shift that the URL names."""
        values = {"for": self.request.identity.username}
        shift = self.shift_at(self.request.GET.get("at", ""))
        if shift is not None:
            start = max(shift.start, self.request.now)
            values["from"] = format_instant(start, self.zone)
            values["to"] = format_instant(shift.end, self.zone)
        return values

    def write(self, data: Mapping[str, Any]) -> Sequence[RotationOverride]:
        # Without "for", the API assumes the caller; a form must not.
        if not self.form.value("for"):
            raise InvalidInput.of("for", "Choose who needs cover.")
        return shift_swaps.cover_shift(self.request.db, self.context.obj, **data, **self.call)

    def values(self) -> Mapping[str, Any]:
        people = list_choices(self.request, self.context)
        return {"rotation": self.context.obj, "people": people}


@form_page(RotationNode, "swap", Permission.OVERRIDE, template="rotations/swap.jinja2")
class SwapPage(ShiftPage):
    schema = SwapSchema
    names = ("mine", "theirs")

    def usual(self) -> Mapping[str, Any]:
        return {"theirs": self.request.GET.get("theirs", "")}

    def write(self, data: Mapping[str, Any]) -> Sequence[RotationOverride]:
        return shift_swaps.swap_shifts(self.request.db, self.context.obj, **data, **self.call)

    def values(self) -> Mapping[str, Any]:
        db, now, rotation = self.request.db, self.request.now, self.context.obj
        schedule = schedules.load_schedule(db, rotation.id)
        mine = rotation_queries.list_shifts(schedule, self.request.identity.user_id, now)
        theirs = self.shift_at(self.form.value("theirs"))
        found = rotation_queries.list_people(db, [theirs.user_id] if theirs else [])
        return {
            "rotation": rotation,
            "them": _name(found, theirs),
            "theirs": theirs,
            "mine": [_choice(shift, now, self.zone) for shift in mine],
        }


def _messages(request: Any, rows: Sequence[RotationOverride], wall: str) -> list[tuple[str, Kind]]:
    messages: list[tuple[str, Kind]] = [
        (describe_override(request, row, wall), "success") for row in rows[:2]
    ]
    rest = len(rows) - 2
    return [*messages, (f"And {rest} more shifts. {_UNDO}" if rest > 0 else _UNDO, "info")]


def _name(found: dict[int, User], shift: Shift | None) -> str | None:
    return found[shift.user_id].display_name if shift and shift.user_id in found else None


def _choice(shift: Shift, now: datetime, wall: str) -> tuple[str, str]:
    start = max(shift.start, now)
    return start.isoformat().replace("+00:00", "Z"), span(start, shift.end, wall, now)
