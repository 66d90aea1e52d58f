"""Shifts over time, out of revisions, layers and overrides.

::

    overrides            the newest wins; also where nobody is on call
    highest layer        ┐
    …                    ├ of the revision that holds at that instant
    lowest layer         ┘

All instants are aware UTC; intervals include their start and not their end.
Instants must lie in the years 1900 to 2199, else InvalidInput; naive ones are a
ValueError.
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
    """One person on call in [start, end), by a layer (its name) or by an override."""

    user_id: int
    start: datetime
    end: datetime
    layer: str | None
    override_id: int | None


def shifts(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """Who is on call in [start, end): in order, not overlapping, cut to that interval.

    Each handoff stays visible, also from a person to the same one. What is no
    handoff does not divide: where an edit of the schedule falls into somebody's
    turn and they stay on call by the same layer or override, it is one shift.
    Raises InvalidInput when ``end`` is before ``start``.
    """
    start, end = as_utc(start, "start"), as_utc(end, "end")
    if end < start:
        raise InvalidInput.of("end", "The end must not be before the start.")
    return [_shift(piece) for piece in _compose(schedule, start, end)] if start < end else []


def on_call(schedule: Schedule, at: datetime) -> Shift | None:
    """The whole shift that contains ``at``, with its true start and end; None if nobody has it."""
    at = as_utc(at, "at")

    def overriding(start: datetime, end: datetime) -> list[Segment]:
        return _compose(schedule, start, end, with_layers=False)

    def everything(start: datetime, end: datetime) -> list[Segment]:
        return _compose(schedule, start, end)

    # Overrides may be very long, and need no look at the layers below them.
    piece = _whole_piece(overriding, at, _DAY)
    if piece is None:
        piece = _whole_piece(everything, at, _usual_length(schedule))
    return _shift(piece) if piece else None


def gaps(shifts: Iterable[Shift], start: datetime, end: datetime) -> list[Interval]:
    """The parts of [start, end) in which nobody of ``shifts`` (in order) is on call."""
    found = []
    for shift in shifts:
        if shift.start > start and start < end:
            found.append(Interval(start, min(shift.start, end)))
        start = max(start, shift.end)
    if start < end:
        found.append(Interval(start, end))
    return found


def next_shift(
    schedule: Schedule, user_id: int, after: datetime, horizon: timedelta
) -> Shift | None:
    """The person's first shift that begins in [after, after + horizon), whole; else None."""
    after = as_utc(after, "after")
    end = LATEST if horizon > LATEST - after else after + horizon
    start = after
    while start < end:
        stop = min(start + _CHUNK, end)
        for piece in _compose(schedule, start, stop):
            if piece.user_id != user_id:
                continue
            # The piece may be the rest of a shift that began earlier.
            whole = on_call(schedule, piece.start)
            if whole is not None and whole.start >= after:
                return whole
        start = stop
    return None


def _compose(
    schedule: Schedule, start: datetime, end: datetime, *, with_layers: bool = True
) -> list[Segment]:
    found: list[Segment] = []
    for revision, since, until in effective_revisions(schedule, start, end):
        inactive = schedule.inactive | revision.inactive
        pieces: list[Segment] = []
        for layer in revision.layers if with_layers else ():
            pieces = overlay(pieces, layer_segments(layer, inactive, since, until))
        found.extend(overlay(pieces, override_segments(schedule.overrides, inactive, since, until)))
    return join(found)


def _whole_piece(
    compose: Callable[[datetime, datetime], list[Segment]], at: datetime, reach: timedelta
) -> Segment | None:
    """The piece at ``at`` with its true ends.

    Looks as far as ``reach`` to both sides, and then further until it has seen both ends.
    """
    while True:
        start, end = max(at - reach, EARLIEST), min(at + reach, LATEST)
        pieces = compose(start, end)
        index = bisect_right(pieces, at, key=lambda piece: piece.start) - 1
        if index < 0 or pieces[index].end <= at:
            return None
        piece = pieces[index]
        begins = piece.start > start or piece.since >= start or start == EARLIEST
        if begins and (piece.end < end or piece.until <= end or end == LATEST):
            return piece
        reach *= 8


def _usual_length(schedule: Schedule) -> timedelta:
    """About the length of a shift of the busiest layer: a good first guess of the reach."""
    layers = (layer for revision in schedule.revisions for layer in revision.layers)
    return min((_usual_length_of(layer) for layer in layers), default=_DAY)


def _usual_length_of(layer: Layer) -> timedelta:
    length = timedelta(hours=layer.length * _HOURS[layer.unit])
    return min(length, _DAY) if layer.windows else length


def _shift(piece: Segment) -> Shift:
    layer = piece.layer[1] if piece.layer else None
    return Shift(piece.user_id, piece.start, piece.end, layer, piece.override_id)
