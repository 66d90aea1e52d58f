"""The list of rotations, and the page of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.calendar_grid import GridBlock
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Rotation, RotationOverride, User
from incidentrelay.services.oncall import rotation_queries
from incidentrelay.services.oncall.rotation_queries import RotationListing, RotationPage
from incidentrelay.services.recipients.reachable import find_reachable
from incidentrelay.web.console.rotations import layer_wording
from incidentrelay.web.console.rotations.on_call import ContactLink, contact_links
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.filters import duration
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.oncall.rotations import RotationNode, Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationRow:
    """One rotation of the list; ``person_name`` is None if nobody is on call."""

    url: str
    team_name: str
    name: str
    paused: bool
    person_name: str | None
    until: datetime | None
    next_name: str | None
    next_at: datetime | None
    gap: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftView:
    """A shift, or a gap (``person_name`` None).

    ``take_at``, ``cover_url`` and ``swap_url`` are None if the reader may not do that.
    """

    start: datetime
    end: datetime
    current: bool
    person_name: str | None
    mine: bool
    contacts: Sequence[ContactLink]
    override: bool
    take_at: str | None
    cover_url: str | None
    swap_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideView:
    """An override that has not ended; links are None if the reader may not follow them."""

    person_name: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    running: bool
    edit_url: str | None
    delete_url: str | None


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer in words."""

    name: str
    turns: str
    hours: Sequence[str]
    members: Sequence[str]


@console_view(context=Rotations, permission=Permission.VIEW, template="rotations/index.jinja2")
def index(context: Rotations, request: Any) -> dict[str, Any]:
    found = rotation_queries.list_rotations(request.db, request.identity, request.now)
    creatable = team_choice.teams(context, request, "rotations")
    new_url = f"{console_url(request, context)}/new" if creatable else None
    return {"rows": [_row(context, request, listed) for listed in found], "new_url": new_url}


def _row(context: Rotations, request: Any, listed: RotationListing) -> RotationRow:
    row = listed.covered
    return RotationRow(
        url=console_url(request, context.root.place(row.rotation)),
        team_name=row.team.name,
        name=row.rotation.name,
        paused=not row.rotation.enabled,
        person_name=row.user.display_name if row.user else None,
        until=row.until,
        next_name=row.next_user.display_name if row.next_user else None,
        next_at=row.next_at,
        gap=listed.gap,
    )


@console_view(
    context=RotationNode, permission=Permission.VIEW, template="rotations/rotation.jinja2"
)
def show(context: RotationNode, request: Any) -> dict[str, Any]:
    rotation, now = context.obj, request.now
    found = rotation_queries.load_rotation_page(request.db, rotation, now, reachable=find_reachable)
    shifts = [_shift(context, request, block, found.people) for block in found.blocks]
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "zone": zone(request, rotation_queries.usual_zone(found.layers)),
        "rotation": rotation,
        "reminder": _reminder(rotation),
        "current": shifts[0] if shifts and shifts[0].person_name else None,
        "coming": shifts,
        **_schedule(context, request, found),
        **_links(context, request),
    }


def _schedule(context: RotationNode, request: Any, found: RotationPage) -> dict[str, Any]:
    return {
        "cut": found.cut,
        "gaps": found.gaps,
        "quality": found.quality,
        "overrides": [_override(context, request, row) for row in found.overrides],
        "layers": [_turns(layer, found.people) for layer in reversed(found.layers)],
    }


def _links(context: RotationNode, request: Any) -> dict[str, str | None]:
    """Links; None if the reader may not follow them."""
    url = console_url(request, context)
    may = {
        permission: request.has_permission(permission, context)
        for permission in (Permission.OVERRIDE, Permission.EDIT, Permission.DELETE)
    }
    return {
        "url": url,
        "calendar_url": _calendar(request, context.obj),
        "override_url": f"{url}/overrides/new" if may[Permission.OVERRIDE] else None,
        "cover_url": f"{url}/cover" if may[Permission.OVERRIDE] else None,
        "edit_url": f"{url}/edit" if may[Permission.EDIT] else None,
        "delete_url": f"{url}/delete" if may[Permission.DELETE] else None,
    }


def zone(request: Any, usual: str) -> str:
    """The reader's own zone; the rotation's if their profile has none."""
    own: str = request.identity.zone
    return usual if own == "UTC" else own


def _reminder(rotation: Rotation) -> str:
    seconds = rotation.reminder_interval
    return duration(timedelta(seconds=seconds)) if seconds else ""


def _calendar(request: Any, rotation: Rotation) -> str:
    name = f"{rotation.team.slug}/{rotation.slug}"
    return f"{request.script_name}/calendar?view=month&rotation={name}"


def _shift(
    context: RotationNode, request: Any, block: GridBlock, people: Mapping[int, User]
) -> ShiftView:
    user = people.get(block.user_id) if block.user_id is not None else None
    identity, now = request.identity, request.now
    mine = user is not None and user.id == identity.user_id
    may = user is not None and request.has_permission(Permission.OVERRIDE, context)
    # Only members of the group are ever on call.
    could = may and not mine and context.obj.team.group_id in identity.groups
    at = max(block.start, now).isoformat().replace("+00:00", "Z")
    url = console_url(request, context)
    return ShiftView(
        start=block.start,
        end=block.end,
        current=block.start <= now < block.end,
        person_name=user.display_name if user else None,
        mine=mine,
        contacts=contact_links(user),
        override=block.override_id is not None,
        take_at=at if could else None,
        cover_url=f"{url}/cover?at={at}" if may and mine else None,
        swap_url=f"{url}/swap?theirs={at}" if could else None,
    )


def _override(context: RotationNode, request: Any, row: RotationOverride) -> OverrideView:
    url = f"{console_url(request, context)}/overrides/{row.id}"
    may = request.has_permission(Permission.OVERRIDE, context)
    return OverrideView(
        person_name=row.user.display_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
        running=row.starts_at <= request.now,
        edit_url=f"{url}/edit" if may else None,
        delete_url=f"{url}/delete" if may else None,
    )


def _turns(layer: Layer, people: Mapping[int, User]) -> LayerView:
    return LayerView(
        layer.name,
        layer_wording.turns(layer),
        layer_wording.hours(layer.windows),
        [people[user_id].display_name for user_id in layer.members if user_id in people],
    )
