"""Stints: how long one person goes on being on call, over all handoffs to themselves."""

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
    """``user_id`` begins or ends to be on call ``at`` that instant."""

    user_id: int
    edge: ShiftEdge
    at: datetime


def shift_boundaries(schedule: Schedule, after: datetime, until: datetime) -> list[ShiftBoundary]:
    """The beginnings and ends in (after, until], in order; an end before a beginning."""
    # A little more is looked at, so that what begins or ends at the rim is told from
    # what is only cut there.
    stints = _joined(shifts(schedule, after - _MARGIN, until + _MARGIN))
    found = [
        ShiftBoundary(user_id, edge, at)
        for user_id, start, end in stints
        for edge, at in ((ShiftEdge.START, start), (ShiftEdge.END, end))
        if after < at <= until
    ]
    return sorted(found, key=lambda edge: (edge.at, edge.edge is ShiftEdge.START))


def end_of_period(schedule: Schedule, at: datetime) -> datetime:
    """Until when whoever is on call at ``at`` goes on, as far as 20 handoffs show it."""
    current = on_call(schedule, at)
    end = at
    for _ in range(_MOST_HANDOFFS):
        following = on_call(schedule, end) if current is not None else None
        if current is None or following is None or following.user_id != current.user_id:
            break
        end = following.end
    return end


def _joined(found: Iterable[Shift]) -> list[tuple[int, datetime, datetime]]:
    stints: list[tuple[int, datetime, datetime]] = []
    for shift in found:
        if stints and stints[-1][0] == shift.user_id and stints[-1][2] == shift.start:
            stints[-1] = (shift.user_id, stints[-1][1], shift.end)
        else:
            stints.append((shift.user_id, shift.start, shift.end))
    return stints
