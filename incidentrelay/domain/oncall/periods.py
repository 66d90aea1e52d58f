"""On-call periods: how long a person stays on call, across handoffs to themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentrelay.domain.enums import ShiftEdge
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, on_call, shifts

_MARGIN = timedelta(seconds=1)
_MOST_HANDOFFS = 20


@dataclass(frozen=True, slots=True)
class ShiftBoundary:
    """``user_id`` goes on or off call ``at`` that instant."""

    user_id: int
    edge: ShiftEdge
    at: datetime


def shift_boundaries(schedule: Schedule, after: datetime, until: datetime) -> list[ShiftBoundary]:
    """Starts and ends of periods in (after, until], in order; ends before starts."""
    # The margin distinguishes a real start or end at the edge from a cut.
    periods = _joined(shifts(schedule, after - _MARGIN, until + _MARGIN))
    boundaries = [
        ShiftBoundary(user_id, edge, at)
        for user_id, start, end in periods
        for edge, at in ((ShiftEdge.START, start), (ShiftEdge.END, end))
        if after < at <= until
    ]
    return sorted(boundaries, key=lambda boundary: (boundary.at, boundary.edge is ShiftEdge.START))


def end_of_period(schedule: Schedule, at: datetime) -> datetime:
    """When the person on call at ``at`` goes off call; looks at most 20 handoffs ahead.

    ``at`` itself if nobody is on call.
    """
    current = on_call(schedule, at)
    end = at
    for _ in range(_MOST_HANDOFFS):
        following = on_call(schedule, end) if current is not None else None
        if current is None or following is None or following.user_id != current.user_id:
            break
        end = following.end
    return end


def _joined(shifts_in_order: Iterable[Shift]) -> list[tuple[int, datetime, datetime]]:
    periods: list[tuple[int, datetime, datetime]] = []
    for shift in shifts_in_order:
        if periods and periods[-1][0] == shift.user_id and periods[-1][2] == shift.start:
            periods[-1] = (shift.user_id, periods[-1][1], shift.end)
        else:
            periods.append((shift.user_id, shift.start, shift.end))
    return periods
