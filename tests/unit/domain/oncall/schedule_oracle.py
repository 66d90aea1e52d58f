"""Who is on call, worked out minute by minute, as slowly and as plainly as possible.

This shares no code with the engine, only its data classes. It keeps one picture:
in each zone there is a clock on the wall that is never turned back. When it is
told to go back, it stands still until the others have caught up; when it is told
to go forward, it jumps. Everything that is wall clock is then an ordinary
comparison with what that clock shows.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.schedule import Schedule

MINUTE = timedelta(minutes=1)
# The clock on the wall must have been watched for a while before it is believed.
_RUN_UP = timedelta(days=2)


def minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * MINUTE for number in range(int((end - start) / MINUTE))]


def clock(zone: str, instants: list[datetime]) -> list[datetime]:
    """What the clock that is never turned back shows at each of these successive minutes."""
    place = ZoneInfo(zone)
    shown = max(
        instant.astimezone(place).replace(tzinfo=None)
        for instant in minutes(instants[0] - _RUN_UP, instants[0] + MINUTE)
    )
    result = []
    for instant in instants:
        shown = max(shown, instant.astimezone(place).replace(tzinfo=None))
        result.append(shown)
    return result


def turn_starts(layer: Layer, first: date, last: date) -> Iterator[tuple[int, datetime]]:
    """Number and wall-clock beginning of each shift between two dates (not for hours)."""
    for number in range(-400, 400):
        day = _day_of(layer, number)
        if first <= day <= last:
            yield number, datetime.combine(day, layer.handoff_time)


def _day_of(layer: Layer, number: int) -> date:
    steps = number * layer.length
    if layer.unit is ShiftUnit.DAYS:
        return layer.start_date + timedelta(days=steps)
    if layer.unit is ShiftUnit.WEEKS:
        day = layer.start_date
        while day.weekday() != layer.handoff_weekday:
            day -= timedelta(days=1)
        return day + timedelta(weeks=steps)
    year, month = layer.start_date.year, layer.start_date.month
    for _ in range(abs(steps)):
        month += 1 if steps > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    return date(year, month, min(layer.start_date.day, calendar.monthrange(year, month)[1]))


def shift_numbers(layer: Layer, instants: list[datetime], wall: list[datetime]) -> list[int]:
    """The shift of the grid that each minute lies in."""
    if layer.unit is ShiftUnit.HOURS:
        begin = datetime.combine(layer.start_date, layer.handoff_time)
        anchor = next(t for t, shown in zip(instants, wall, strict=True) if shown >= begin)
        hour = timedelta(hours=layer.length)
        return [(instant - anchor) // hour for instant in instants]
    margin = timedelta(days=400)
    starts = list(turn_starts(layer, wall[0].date() - margin, wall[-1].date() + margin))
    result = []
    place = 0
    for shown in wall:
        while starts[place + 1][1] <= shown:
            place += 1
        result.append(starts[place][0])
    return result


def is_open(layer: Layer, shown: datetime) -> bool:
    if not layer.windows:
        return True
    for back in range(3):
        day = shown.date() - timedelta(days=back)
        for window in layer.windows:
            if window.weekday == day.weekday():
                opens = datetime.combine(day, window.opens)
                closes = datetime.combine(day, window.closes)
                if closes <= opens:
                    closes += timedelta(days=1)
                if opens <= shown < closes:
                    return True
    return False


def layer_users(layer: Layer, instants: list[datetime], gone: frozenset[int]) -> list[int | None]:
    """Whom the layer has at each minute; the minutes must reach around its start date."""
    wall = clock(layer.zone, instants)
    numbers = shift_numbers(layer, instants, wall)
    on_duty = [is_open(layer, shown) for shown in wall]
    taken = {number for number, duty in zip(numbers, on_duty, strict=True) if duty}
    users: dict[int, int | None] = {}
    for number in taken:
        between = range(number) if number >= 0 else range(number, 0)
        turns = sum(each in taken for each in between)
        turn = (turns if number >= 0 else -turns) + layer.turn_offset
        order = [layer.members[(turn + step) % len(layer.members)] for step in range(50)]
        users[number] = next((user for user in order if user not in gone), None)
    return [users[n] if duty else None for n, duty in zip(numbers, on_duty, strict=True)]


def users_on_call(schedule: Schedule, instants: list[datetime]) -> list[int | None]:
    """Who is on call at each of these successive minutes."""
    ordered = sorted(
        schedule.revisions, key=lambda each: each.effective_from or datetime(1, 1, 1, tzinfo=UTC)
    )
    columns = {
        layer: layer_users(layer, instants, schedule.inactive)
        for revision in ordered
        for layer in revision.layers
    }
    result: list[int | None] = []
    for place, instant in enumerate(instants):
        named = [
            (each.id, each.user_id)
            for each in schedule.overrides
            if each.start <= instant < each.end and each.user_id not in schedule.inactive
        ]
        if named:
            result.append(max(named)[1])
            continue
        layers: tuple[Layer, ...] = ()
        for revision in ordered:
            if revision.effective_from is None or revision.effective_from <= instant:
                layers = revision.layers
        held = [columns[layer][place] for layer in layers]
        result.append(next((user for user in reversed(held) if user is not None), None))
    return result
