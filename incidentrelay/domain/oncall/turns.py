"""The turns of one layer: the grid of shifts, and who takes each of them.

Shift 0 starts at the layer's anchor; shift -1 ends there. A shift of no length, or
entirely outside the windows, takes no turn. Turn numbers count the other shifts, from
the anchor in both directions.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import gcd

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.local_time import instant_of, offset_transitions, wall_of, zone_of
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import covered

_HOURS_OF_WEEK = 7 * 24
_ZERO = timedelta(0)
# Handoffs are computed and cached in blocks of this size.
_BLOCK = 32


def handoff(layer: Layer, shift: int) -> datetime:
    """When that shift of the grid starts (UTC); it ends when the next one starts."""
    block, place = divmod(shift, _BLOCK)
    return _handoffs(layer, block)[place]


@lru_cache(maxsize=8192)
def _handoffs(layer: Layer, block: int) -> tuple[datetime, ...]:
    return tuple(_handoff(layer, shift) for shift in range(block * _BLOCK, (block + 1) * _BLOCK))


def _handoff(layer: Layer, shift: int) -> datetime:
    if layer.unit is ShiftUnit.HOURS:
        return _anchor(layer) + timedelta(hours=shift * layer.length)
    return instant_of(_wall_handoff(layer, shift), zone_of(layer.zone))


def shift_at(layer: Layer, at: datetime) -> int:
    """The shift of the grid that contains ``at``; never one of no length."""
    if layer.unit is ShiftUnit.HOURS:
        return (at - _anchor(layer)) // timedelta(hours=layer.length)
    today = wall_of(at, zone_of(layer.zone)).date()
    if layer.unit is ShiftUnit.MONTHS:
        months = (today.year - layer.start_date.year) * 12 + today.month - layer.start_date.month
        shift = months // layer.length
    else:
        shift = (today - _anchor_date(layer)).days // _length_in_days(layer)
    # The date alone can be off by one: handoffs are not at midnight.
    while handoff(layer, shift) > at:
        shift -= 1
    while handoff(layer, shift + 1) <= at:
        shift += 1
    return shift


@lru_cache(maxsize=16384)
def turn_number(layer: Layer, shift: int) -> int:
    """The number of turns between the anchor and that shift; negative before the anchor.

    A shift that takes no turn has the number of the next one that does.
    """
    if not layer.windows and not (layer.unit is ShiftUnit.DAYS and layer.length == 1):
        return shift  # A zone can only skip a single day, so every shift takes a turn.
    if shift >= 0:
        return _turns_between(layer, 0, shift)
    return -_turns_between(layer, shift, 0)


def seat_of(layer: Layer, turn: int) -> int:
    """The index in ``layer.members`` (not empty) of the person who has that turn."""
    return (turn + layer.turn_offset) % len(layer.members)


def holder_of(layer: Layer, turn: int, inactive: frozenset[int]) -> int | None:
    """Who takes that turn: its member, or the next active one; None if nobody is active.

    Standing in for an inactive member moves nobody else's turn.
    """
    count = len(layer.members)
    for step in range(count):
        user_id = layer.members[(turn + layer.turn_offset + step) % count]
        if user_id not in inactive:
            return user_id
    return None


def _turns_between(layer: Layer, low: int, high: int) -> int:
    """How many of the shifts in [low, high) take a turn.

    Away from clock changes, shifts follow a weekly pattern that can be counted at once;
    only shifts near a clock change are checked one by one.
    """
    total, position = 0, low
    for transition in offset_transitions(layer.zone, handoff(layer, low), handoff(layer, high)):
        first = shift_at(layer, transition.at)
        while handoff(layer, first) >= transition.at:
            first -= 1
        first = max(first, position)
        last = min(shift_at(layer, transition.at + transition.repeated) + 1, high)
        if first >= last:
            continue
        total += _regular_turns(layer, position, first)
        total += sum(_takes_a_turn(layer, shift) for shift in range(first, last))
        position = last
    return total + _regular_turns(layer, position, high)


def _takes_a_turn(layer: Layer, shift: int) -> bool:
    start, end = handoff(layer, shift), handoff(layer, shift + 1)
    if start == end or not layer.windows:
        return start < end
    return bool(covered(layer.windows, layer.zone, start, end))


def _regular_turns(layer: Layer, low: int, high: int) -> int:
    if not layer.windows or low >= high:
        return max(high - low, 0)
    offset = _ZERO
    if layer.unit is ShiftUnit.HOURS:
        start = handoff(layer, low)
        offset = wall_of(start, zone_of(layer.zone)) - start.replace(tzinfo=None)
    running = _pattern(layer, offset)
    period = len(running) - 1

    def before(shift: int) -> int:
        weeks, rest = divmod(shift, period)
        return weeks * running[-1] + running[rest]

    return before(high) - before(low)


@lru_cache(maxsize=4096)
def _pattern(layer: Layer, offset: timedelta) -> tuple[int, ...]:
    """Running totals of turns in one period of the grid, ignoring clock changes.

    The first entry is 0, the last the total of the period. ``offset`` is the zone's UTC
    offset; only a grid of hours depends on it.
    """
    if layer.unit is ShiftUnit.HOURS:
        hours = layer.length
        origin = _anchor(layer) + offset
    elif layer.unit is ShiftUnit.DAYS:
        hours = 24 * layer.length
        origin = _wall_handoff(layer, 0).replace(tzinfo=UTC)
    else:
        return (0, 1)
    length = timedelta(hours=hours)
    running = [0]
    for shift in range(_HOURS_OF_WEEK // gcd(hours, _HOURS_OF_WEEK)):
        start = origin + shift * length
        running.append(running[-1] + bool(covered(layer.windows, "UTC", start, start + length)))
    return tuple(running)


@lru_cache(maxsize=4096)
def _anchor(layer: Layer) -> datetime:
    return instant_of(_wall_handoff(layer, 0), zone_of(layer.zone))


def _wall_handoff(layer: Layer, shift: int) -> datetime:
    if layer.unit is ShiftUnit.MONTHS:
        day = _month_after(layer.start_date, shift * layer.length)
    elif shift == 0:
        day = _anchor_date(layer)
    else:
        day = _anchor_date(layer) + timedelta(days=shift * _length_in_days(layer))
    return datetime.combine(day, layer.handoff_time)


def _anchor_date(layer: Layer) -> date:
    """The date of shift 0; for weeks, the last handoff weekday up to the start date."""
    if layer.unit is not ShiftUnit.WEEKS:
        return layer.start_date
    late = (layer.start_date.weekday() - layer.handoff_weekday) % 7
    return layer.start_date - timedelta(days=late)


def _length_in_days(layer: Layer) -> int:
    return layer.length * 7 if layer.unit is ShiftUnit.WEEKS else layer.length


def _month_after(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of a shorter month."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month0 + 1)[1]
    return date(year, month0 + 1, min(day.day, last))
