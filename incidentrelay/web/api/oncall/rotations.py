"""A rotation's schedule: preview, quality, and transfers of shifts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from incidentrelay.domain.local_time import check_year
from incidentrelay.domain.oncall.coverage import CoverageReport
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import RotationOverride
from incidentrelay.services.oncall import previews, shift_swaps
from incidentrelay.services.oncall.previews import SchedulePreview
from incidentrelay.services.recipients.reachable import find_reachable
from incidentrelay.web.api.oncall.on_call import shown_shift
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.oncall.rotations import Overrides, RotationNode
from incidentrelay.web.schemas.oncall.rotation import OverrideSchema
from incidentrelay.web.schemas.oncall.schedule import (
    CoverSchema,
    PreviewRequestSchema,
    PreviewSchema,
    QualitySchema,
    SpanQuery,
    SwapSchema,
    TakeSchema,
)

Act = Callable[..., Sequence[RotationOverride]]


class shift_change(api_view):
    """``@api_view`` for an action that transfers shifts; responds with the new overrides."""

    def __init__(self, name: str, summary: str, body: type[Any]) -> None:
        super().__init__(
            context=RotationNode,
            name=name,
            method="POST",
            permission=Permission.OVERRIDE,
            body=body,
            returns=OverrideSchema,
            many=True,
            status=201,
            errors=(409, 413, 415, 422),
            summary=summary,
        )


@api_view(
    context=RotationNode,
    name="preview",
    method="POST",
    permission=Permission.VIEW,
    body=PreviewRequestSchema,
    returns=PreviewSchema,
    errors=(409, 413, 415, 422),
    summary="Preview the changes an edit of the schedule would make",
)
def preview(context: RotationNode, request: Any) -> Any:
    data = dict(request.body_data)
    start, end = _span(request, data)
    preview = previews.preview_edit(
        request.db,
        context.obj,
        data,
        start=start,
        end=end,
        now=request.now,
        reachable=find_reachable,
    )
    return _shown_preview(preview)


@api_view(
    context=RotationNode,
    name="quality",
    method="GET",
    permission=Permission.VIEW,
    query=SpanQuery,
    returns=QualitySchema,
    errors=(422,),
    summary="Rate the schedule: gaps, balance, nights and weekends",
)
def quality(context: RotationNode, request: Any) -> Any:
    start, end = _span(request, dict(request.query))
    return _shown_quality(
        *previews.report_coverage(request.db, context.obj, start, end, reachable=find_reachable)
    )


def _changing(act: Act) -> Callable[[RotationNode, Any], list[Item]]:
    """The view of an action that transfers shifts."""

    def view(context: RotationNode, request: Any) -> list[Item]:
        who, now = crud.actor(request), request.now
        created = act(request.db, context.obj, **request.body_data, actor=who, now=now)
        folder = context["overrides"]
        return [folder.wrap(row) for row in created] if isinstance(folder, Overrides) else []

    return view


take = shift_change("take", "Take over another person's shift, or the rest of it", TakeSchema)(
    _changing(shift_swaps.take_shift)
)
cover = shift_change("cover", "Cover a shift for yourself or another person", CoverSchema)(
    _changing(shift_swaps.cover_shift)
)
swap = shift_change("swap", "Swap one of your shifts with another person", SwapSchema)(
    _changing(shift_swaps.swap_shifts)
)


def _span(request: Any, data: dict[str, Any]) -> tuple[datetime, datetime]:
    """Pop ``start`` and ``end`` from ``data``, or use their defaults."""
    start: datetime = data.pop("start", request.now)
    check_year(start, "from")
    return start, data.pop("end", start + previews.DEFAULT_SPAN)


def _shown_preview(preview: SchedulePreview) -> dict[str, Any]:
    names = preview.usernames
    return {
        "before": [shown_shift(shift, names) for shift in preview.before],
        "after": [shown_shift(shift, names) for shift in preview.after],
        "changes": [
            {
                "start": change.start,
                "end": change.end,
                "before": _name(names, change.before),
                "after": _name(names, change.after),
            }
            for change in preview.changes
        ],
        "gaps": preview.gaps,
        "quality": _shown_quality(preview.quality, names),
    }


def _shown_quality(report: CoverageReport, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "start": report.start,
        "end": report.end,
        "zone": report.zone,
        "gaps": report.gaps,
        "gap_hours": round(report.gap_hours, 2),
        "balance": round(report.balance, 3),
        "single_member": report.single_member,
        "people": [
            {
                "user": names[load.person.user_id],
                "display_name": load.person.name,
                "member": load.person.member,
                "active": load.person.active,
                "reachable": load.person.reachable,
                "hours": round(load.hours, 2),
                "night_hours": round(load.night_hours, 2),
                "weekend_hours": round(load.weekend_hours, 2),
            }
            for load in report.loads
        ],
        "problems": [
            {
                "kind": problem.kind,
                "sentence": problem.sentence,
                "user": _name(names, problem.user_id),
            }
            for problem in report.problems
        ],
    }


def _name(names: Mapping[int, str], user_id: int | None) -> str | None:
    return None if user_id is None else names.get(user_id, "")
