"""Shifts that change hands: take, cover and swap."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.oncall.shifts import Shift, on_call
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import RotationOverride, User
from incidentrelay.services.oncall import rotation_queries, schedules, shift_swaps
from incidentrelay.web.console.forms.schema_forms import SchemaForm, instant, local
from incidentrelay.web.console.rotations.overrides import form_zone, people, said
from incidentrelay.web.console.toolkit import trail
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.filters import span
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.oncall.rotations import RotationNode
from incidentrelay.web.schemas.oncall.schedule import CoverSchema, SwapSchema, TakeSchema

COVER, SWAP = "rotations/cover.jinja2", "rotations/swap.jinja2"
_COVER = ("user", "for", "from", "to")
_SWAP = ("mine", "theirs")
_UNDO = "To undo it, delete the override."


@console_view(context=RotationNode, name="take", method="POST", permission=Permission.OVERRIDE)
def take(context: RotationNode, request: Any) -> Any:
    form = SchemaForm.posted(TakeSchema, ("at",), request)
    try:
        made = shift_swaps.take_shift(
            request.db, context.obj, **form.load(), actor=actor(request), now=request.now
        )
    except DomainError as error:
        request.tm.doom()
        flash(request, sentence(error), "error")
    else:
        _tell(context, request, made)
    return to_node(request, context)


@console_view(context=RotationNode, name="cover", permission=Permission.OVERRIDE, template=COVER)
def ask_cover(context: RotationNode, request: Any) -> dict[str, Any]:
    wall = form_zone(request, context.obj)
    values = {"for": request.identity.username, **_span(context, request, wall)}
    return _cover_page(context, request, SchemaForm(CoverSchema, _COVER, values, zone=wall))


@console_view(
    context=RotationNode,
    name="cover",
    method="POST",
    permission=Permission.OVERRIDE,
    template=COVER,
)
def cover(context: RotationNode, request: Any) -> Any:
    wall = form_zone(request, context.obj)
    form = SchemaForm.posted(CoverSchema, _COVER, request, zone=wall)
    try:
        # The API takes nobody for oneself; a form in which nothing was chosen must not.
        if not form.value("for"):
            raise InvalidInput.of("for", "Choose who needs cover.")
        made = shift_swaps.cover_shift(
            request.db, context.obj, **form.load(), actor=actor(request), now=request.now
        )
    except DomainError as error:
        form.refuse(request, error)
        return _cover_page(context, request, form)
    _tell(context, request, made)
    return to_node(request, context)


@console_view(context=RotationNode, name="swap", permission=Permission.OVERRIDE, template=SWAP)
def ask_swap(context: RotationNode, request: Any) -> dict[str, Any]:
    theirs = request.GET.get("theirs", "")
    form = SchemaForm(SwapSchema, _SWAP, {"theirs": theirs}, zone=form_zone(request, context.obj))
    return _swap_page(context, request, form)


@console_view(
    context=RotationNode,
    name="swap",
    method="POST",
    permission=Permission.OVERRIDE,
    template=SWAP,
)
def swap(context: RotationNode, request: Any) -> Any:
    wall = form_zone(request, context.obj)
    form = SchemaForm.posted(SwapSchema, _SWAP, request, zone=wall)
    try:
        made = shift_swaps.swap_shifts(
            request.db, context.obj, **form.load(), actor=actor(request), now=request.now
        )
    except DomainError as error:
        form.refuse(request, error)
        return _swap_page(context, request, form)
    _tell(context, request, made)
    return to_node(request, context)


def _tell(context: RotationNode, request: Any, made: Sequence[RotationOverride]) -> None:
    wall = form_zone(request, context.obj)
    for row in made[:2]:
        flash(request, said(request, row, wall))
    rest = len(made) - 2
    flash(request, f"And {rest} more shifts. {_UNDO}" if rest > 0 else _UNDO, "info")


def _span(context: RotationNode, request: Any, wall: str) -> dict[str, str]:
    """The shift that the address asks for, as the values of the form."""
    shift = _shift_at(context, request, request.GET.get("at", ""), wall)
    if shift is None:
        return {}
    start = max(shift.start, request.now)
    return {"from": local(start, wall), "to": local(shift.end, wall)}


def _shift_at(context: RotationNode, request: Any, text: str, wall: str) -> Shift | None:
    try:
        at = instant(text, wall, "at")
    except InvalidInput:
        return None
    return on_call(schedules.load_schedule(request.db, context.obj.id), at)


def _cover_page(context: RotationNode, request: Any, form: SchemaForm) -> dict[str, Any]:
    return {**_frame(context, request, form), "people": people(request, context)}


def _swap_page(context: RotationNode, request: Any, form: SchemaForm) -> dict[str, Any]:
    schedule = schedules.load_schedule(request.db, context.obj.id)
    mine = rotation_queries.list_shifts(schedule, request.identity.user_id, request.now)
    theirs = _shift_at(context, request, form.value("theirs"), form.zone)
    found = rotation_queries.list_people(request.db, [theirs.user_id] if theirs else [])
    return {
        **_frame(context, request, form),
        "them": _name(found, theirs),
        "theirs": theirs,
        "mine": [_choice(shift, request.now, form.zone) for shift in mine],
    }


def _frame(context: RotationNode, request: Any, form: SchemaForm) -> dict[str, Any]:
    return {
        "crumbs": trail.of(request, context),
        "zone": form.zone,
        "form": form,
        "rotation": context.obj,
        "back": console_url(request, context),
    }


def _name(found: dict[int, User], shift: Shift | None) -> str | None:
    return found[shift.user_id].display_name if shift and shift.user_id in found else None


def _choice(shift: Shift, now: datetime, wall: str) -> tuple[str, str]:
    start = max(shift.start, now)
    return start.isoformat().replace("+00:00", "Z"), span(start, shift.end, wall, now)
