"""Shifts, computed from revisions, layers and overrides.

::

    overrides            the newest wins; they also fill gaps
    highest layer        ┐
    …                    ├ of the revision in effect at that instant
    lowest layer         ┘

Instants are aware UTC in the years 1900 to 2199 (InvalidInput otherwise, ValueError for
naive ones); intervals include their start and exclude their end.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import EARLIEST, LATEST, as_utc
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import override_segments
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.schedule import Schedule, effective_revisions
from incidentrelay.domain.oncall.segments import Segment, join, layer_segments, overlay

_CHUNK = timedelta(days=35)
_DAY = timedelta(days=1)
_HOURS = {
    ShiftUnit.HOURS: 1,
    ShiftUnit.DAYS: 24,
    ShiftUnit.WEEKS: 7 * 24,
    ShiftUnit.MONTHS: 31 * 24,
}


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on call in [start, end), by a layer (its name) or an override."""

    user_id: int
    start: datetime
    end: datetime
    layer: str | None
    override_id: int | None


def shifts(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """Who is on call in [start, end): in order, disjoint, cut to that interval.

    Every handoff starts a new shift, even one to the same person. An edit of the schedule
    inside a turn does not, if the same layer or override keeps that person on call.
    Raises InvalidInput if ``end`` is before ``start``.
    """
    start, end = as_utc(start, "start"), as_utc(end, "end")
    if end < start:
        raise InvalidInput.of("end", "The end must not be before the start.")
    return [_shift(segment) for segment in _compose(schedule, start, end)] if start < end else []


def on_call(schedule: Schedule, at: datetime) -> Shift | None:
    """The whole shift that contains ``at``; None if nobody is on call."""
    at = as_utc(at, "at")

    def overriding(start: datetime, end: datetime) -> list[Segment]:
        return _compose(schedule, start, end, with_layers=False)

    def everything(start: datetime, end: datetime) -> list[Segment]:
        return _compose(schedule, start, end)

    # An override may be very long, and needs no layers to be computed.
    segment = _whole_segment(overriding, at, _DAY) if schedule.overrides else None
    if segment is None:
        segment = _whole_segment(everything, at, _usual_length(schedule))
    return _shift(segment) if segment else None


def gaps(shifts: Iterable[Shift], start: datetime, end: datetime) -> list[Interval]:
    """The parts of [start, end) that ``shifts`` (in order) do not cover."""
    intervals = []
    for shift in shifts:
        if shift.start > start and start < end:
            intervals.append(Interval(start, min(shift.start, end)))
        start = max(start, shift.end)
    if start < end:
        intervals.append(Interval(start, end))
    return intervals


def next_shift(
    schedule: Schedule, user_id: int, after: datetime, horizon: timedelta
) -> Shift | None:
    """The person's first whole shift that starts in [after, after + horizon), or None."""
    after = as_utc(after, "after")
    end = LATEST if horizon > LATEST - after else after + horizon
    start = after
    while start < end:
        stop = min(start + _CHUNK, end)
        for segment in _compose(schedule, start, stop):
            if segment.user_id != user_id:
                continue
            # The segment may be the rest of a shift that started earlier.
            whole = on_call(schedule, segment.start)
            if whole is not None and whole.start >= after:
                return whole
        start = stop
    return None


def _compose(
    schedule: Schedule, start: datetime, end: datetime, *, with_layers: bool = True
) -> list[Segment]:
    composed: list[Segment] = []
    for revision, since, until in effective_revisions(schedule, start, end):
        inactive = schedule.inactive | revision.inactive
        segments: list[Segment] = []
        for layer in revision.layers if with_layers else ():
            segments = overlay(segments, layer_segments(layer, inactive, since, until))
        composed.extend(
            overlay(segments, override_segments(schedule.overrides, inactive, since, until))
        )
    return join(composed)


def _whole_segment(
    compose: Callable[[datetime, datetime], list[Segment]], at: datetime, reach: timedelta
) -> Segment | None:
    """The segment at ``at`` with its true start and end.

    Looks ``reach`` to both sides, and widens that until both ends are in sight.
    """
    while True:
        start, end = max(at - reach, EARLIEST), min(at + reach, LATEST)
        segments = compose(start, end)
        index = bisect_right(segments, at, key=lambda segment: segment.start) - 1
        if index < 0 or segments[index].end <= at:
            return None
        segment = segments[index]
        begins = segment.start > start or segment.since >= start or start == EARLIEST
        if begins and (segment.end < end or segment.until <= end or end == LATEST):
            return segment
        reach *= 8


def _usual_length(schedule: Schedule) -> timedelta:
    """The shortest shift length of all layers: a good first guess for the reach."""
    layers = (layer for revision in schedule.revisions for layer in revision.layers)
    return min((_usual_length_of(layer) for layer in layers), default=_DAY)


def _usual_length_of(layer: Layer) -> timedelta:
    length = timedelta(hours=layer.length * _HOURS[layer.unit])
    return min(length, _DAY) if layer.windows else length


def _shift(segment: Segment) -> Shift:
    layer = segment.layer[1] if segment.layer else None
    return Shift(segment.user_id, segment.start, segment.end, layer, segment.override_id)
