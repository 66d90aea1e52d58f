"""Who is on call, and the shifts of a rotation."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import check_year
from incidentrelay.domain.oncall.shifts import Shift
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import user_lookup
from incidentrelay.services.oncall import current as on_call_now
from incidentrelay.web.api.toolkit.pagination import page
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.oncall.on_call import OnCall
from incidentrelay.web.resources.oncall.rotations import RotationNode, Rotations
from incidentrelay.web.schemas.oncall.rotation import OnCallSchema, ShiftSchema
from incidentrelay.web.schemas.query import InstantQuery, OnCallQuery, ShiftQuery

_DEFAULT_WINDOW = timedelta(days=30)


@api_view(
    context=OnCall,
    method="GET",
    permission=Permission.VIEW,
    query=OnCallQuery,
    returns=OnCallSchema,
    page=True,
    errors=(422,),
    summary="List who is on call in the rotations you may see",
)
def list_on_call(context: OnCall, request: Any) -> Any:
    rotations = Rotations(context.root, "rotations")
    statement = on_call_now.apply_filter(rotations.listing(), request.query)
    nodes, cursor = page(request, rotations, statement)
    current = on_call_now.who_is_on_call(request.db, [node.obj for node in nodes], _at(request))
    # Filtering happens after the query, so a page can be short although more follow.
    user = request.query.get("user")
    kept = [row for row in current if user is None or (row.user and row.user.username == user)]
    return kept, cursor


@api_view(
    context=RotationNode,
    name="oncall",
    method="GET",
    permission=Permission.VIEW,
    query=InstantQuery,
    returns=OnCallSchema,
    errors=(422,),
    summary="Show who is on call in this rotation, now or at another time",
)
def show_on_call(context: RotationNode, request: Any) -> Any:
    return on_call_now.who_is_on_call(request.db, [context.obj], _at(request))[0]


@api_view(
    context=RotationNode,
    name="shifts",
    method="GET",
    permission=Permission.VIEW,
    query=ShiftQuery,
    returns=ShiftSchema,
    many=True,
    errors=(422,),
    summary="List the shifts from start to end",
)
def list_shifts(context: RotationNode, request: Any) -> Any:
    start = _bounded("start", request.query.get("start", request.now))
    end = _bounded("end", request.query.get("end", start + _DEFAULT_WINDOW))
    if end <= start:
        raise InvalidInput.of("end", "The end must be after the start.")
    shifts = on_call_now.rotation_shifts(request.db, context.obj, start, end)
    names = user_lookup.display_names(request.db, {shift.user_id for shift in shifts})
    return [shown_shift(shift, names) for shift in shifts]


def shown_shift(shift: Shift, names: Mapping[int, str]) -> dict[str, Any]:
    """A shift as JSON, with the person's name."""
    return {
        "user": names.get(shift.user_id, ""),
        "start": shift.start,
        "end": shift.end,
        "layer": shift.layer,
        "override_id": shift.override_id,
    }


def _at(request: Any) -> datetime:
    return _bounded("at", request.query.get("at", request.now))


def _bounded(field: str, at: datetime) -> datetime:
    check_year(at, field)
    return at
