"""Rotations are made, edited and deleted; before that the editor shows what it changes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import WEEKDAYS
from incidentrelay.models import Rotation
from incidentrelay.services.oncall import previews, rotation_queries, rotations
from incidentrelay.services.oncall.previews import SchedulePreview
from incidentrelay.services.recipients.reachable import find_reachable
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.rotations import layer_form
from incidentrelay.web.console.rotations import preview as rotation_preview
from incidentrelay.web.console.rotations.layer_form import Draft
from incidentrelay.web.console.rotations.overrides import form_zone
from incidentrelay.web.console.rotations.preview import Shown
from incidentrelay.web.console.toolkit import team_choice, trail
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other, to_node
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.oncall.rotations import RotationNode, Rotations, TeamRotations
from incidentrelay.web.schemas.oncall.rotation import RotationSchema

TEMPLATE = "rotations/edit.jinja2"
_FIELDS = ("name", "description", "enabled", "reminder_interval")
_NEW_FIELDS = ("name", "slug", *_FIELDS[1:])
SAVE = "save"
UNITS = tuple((str(unit), str(unit)) for unit in ShiftUnit)
KINDS = (("weekly", "Weekly"), ("daily", "Daily"), ("hours", "Twice a day"))


@console_view(
    context=Rotations, name="new", permission=Permission.VIEW, template=team_choice.TEMPLATE
)
def choose_team(context: Rotations, request: Any) -> Any:
    missing = "You cannot create rotations in any team. Ask a team manager."
    return team_choice.page(context, request, "rotations", title="New rotation", missing=missing)


@console_view(context=TeamRotations, name="new", permission=Permission.CREATE, template=TEMPLATE)
def new(context: TeamRotations, request: Any) -> dict[str, Any]:
    values = {"enabled": True, "reminder_interval": "300"}
    form = SchemaForm(RotationSchema, _NEW_FIELDS, values, zone=request.identity.zone)
    draft = _usual(request.GET.get("kind", ""), form.zone)
    return _page(context, request, form, [draft])


@console_view(
    context=TeamRotations,
    name="new",
    method="POST",
    permission=Permission.CREATE,
    template=TEMPLATE,
)
def create(context: TeamRotations, request: Any) -> Any:
    form = SchemaForm.posted(RotationSchema, _NEW_FIELDS, request, zone=request.identity.zone)
    preview = partial(previews.preview_new, request.db, context.team, reachable=find_reachable)
    write = partial(rotations.create, request.db, context.team)
    done = _submitted(context, request, form, preview, write)
    if isinstance(done, dict):
        return done
    flash(request, f"Rotation {done.name} created.")
    return to_node(request, context.fresh(done))


@console_view(context=RotationNode, name="edit", permission=Permission.EDIT, template=TEMPLATE)
def edit(context: RotationNode, request: Any) -> dict[str, Any]:
    row = context.obj
    form = SchemaForm.of(RotationSchema, _FIELDS, row, zone=form_zone(request, row))
    layers = rotations.load_current_layers(request.db, [row.id])[row.id]
    drafts = layer_form.of(layers) or [_usual("", form.zone)]
    return _page(context, request, form, drafts)


@console_view(
    context=RotationNode,
    name="edit",
    method="POST",
    permission=Permission.EDIT,
    template=TEMPLATE,
)
def save(context: RotationNode, request: Any) -> Any:
    row = context.obj
    form = SchemaForm.posted(RotationSchema, _FIELDS, request, zone=form_zone(request, row))
    preview = partial(previews.preview_edit, request.db, row, reachable=find_reachable)
    done = _submitted(context, request, form, preview, partial(rotations.update, request.db, row))
    if isinstance(done, dict):
        return done
    flash(request, f"The rotation {done.name} is saved.")
    return to_node(request, context)


@console_view(
    context=RotationNode, name="delete", permission=Permission.DELETE, template="confirm.jinja2"
)
def ask(context: RotationNode, request: Any) -> dict[str, Any]:
    return {
        "crumbs": trail.of(request, context),
        "title": f"Delete the rotation {context.obj.name}?",
        "consequences": [
            "Its schedule, its overrides and its history are deleted. This cannot be undone.",
            "A rotation in use by routes or escalation policies cannot be deleted.",
            "To stop its pages for a while, edit it and pause it instead.",
        ],
        "button": "Delete the rotation",
        "back": console_url(request, context),
    }


@console_view(context=RotationNode, name="delete", method="POST", permission=Permission.DELETE)
def delete(context: RotationNode, request: Any) -> Any:
    name = context.obj.name
    try:
        rotations.delete(request.db, context.obj, actor=actor(request), now=request.now)
    except DomainError as error:
        request.tm.doom()
        flash(request, sentence(error), "error")
        return to_node(request, context)
    flash(request, f"The rotation {name} is deleted.")
    return see_other(request, f"{request.script_name}/rotations")


def _submitted(
    context: TeamRotations | RotationNode,
    request: Any,
    form: SchemaForm,
    preview: Callable[..., SchedulePreview],
    write: Callable[..., Rotation],
) -> dict[str, Any] | Rotation:
    """What the pressed button does: the rotation that was saved, or the page to show again."""
    drafts, do = layer_form.read(request), request.POST.get("do")
    if layer_form.act(drafts, str(do), form.zone):
        return _page(context, request, form, drafts)
    row = context.obj if isinstance(context, RotationNode) else None
    try:
        if row is not None:
            form.check_version(row)
        data = form.load(partial=row is not None, layers=layer_form.to_json(drafts))
        if do == SAVE:
            return write(data, actor=actor(request), now=request.now, **context.extras())
        found = preview({"layers": data["layers"]}, **_span(request))
    except DomainError as error:
        wrong = layer_form.placed(error, drafts) if isinstance(error, InvalidInput) else error
        page = _page(context, request, form, drafts)
        form.refuse(request, wrong, row)
        return page
    return _page(context, request, form, drafts, rotation_preview.shown(request, found))


def _usual(kind: str, zone: str) -> Draft:
    """What a new rotation begins with."""
    if kind == "daily":
        return Draft(name="Layer 1", zone=zone, unit="days")
    if kind == "hours":
        return Draft(name="Layer 1", zone=zone, unit="hours", length="12", handoff_time="08:00")
    return Draft(name="Layer 1", zone=zone)


def _span(request: Any) -> dict[str, datetime]:
    return {"start": request.now, "end": request.now + previews.DEFAULT_SPAN, "now": request.now}


def _page(
    context: TeamRotations | RotationNode,
    request: Any,
    form: SchemaForm,
    drafts: Sequence[Draft],
    preview: Shown | None = None,
) -> dict[str, Any]:
    row = context.obj if isinstance(context, RotationNode) else None
    team = context.obj.team if isinstance(context, RotationNode) else context.team
    form.values |= layer_form.values(drafts)
    found = rotation_queries.list_candidates(request.db, team)
    return {
        "crumbs": trail.of(request, context),
        "zone": form.zone,
        "form": form,
        "drafts": drafts,
        "rotation": row,
        "preview": preview,
        "people": [(user.username, user.display_name) for user in found],
        "names": {user.username: user.display_name for user in found},
        "units": UNITS,
        "weekdays": tuple((str(day), name) for day, name in enumerate(WEEKDAYS)),
        "kinds": KINDS if row is None else (),
        "zones": sorted(zone_names()),
        "back": console_url(request, context) if row else f"{request.script_name}/rotations",
    }
