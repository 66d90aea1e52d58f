"""Layers in words: "Weekly, hands over on Mondays at 09:00 (Europe/Berlin)"."""

from collections.abc import Iterable, Sequence
from datetime import time

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.domain.text import WEEKDAYS, clock

_SHORT = tuple(name[:3] for name in WEEKDAYS)
_ALONE = {ShiftUnit.DAYS: "Daily", ShiftUnit.WEEKS: "Weekly", ShiftUnit.MONTHS: "Monthly"}


def turns(layer: Layer) -> str:
    """How long a shift is, and when handoffs are."""
    often = f"Every {layer.length} {layer.unit}"
    if layer.length == 1:
        often = _ALONE.get(layer.unit, "Every hour")
    at = f"at {clock(layer.handoff_time)} ({layer.zone})"
    match layer.unit:
        case ShiftUnit.HOURS:
            return f"{often}, counted from {layer.start_date} {at}"
        case ShiftUnit.DAYS:
            return f"{often}, hands over {at}"
        case ShiftUnit.WEEKS:
            return f"{often}, hands over on {WEEKDAYS[layer.handoff_weekday]}s {at}"
        case ShiftUnit.MONTHS:
            return f"{often}, hands over on day {layer.start_date.day} of the month {at}"


def hours(windows: Sequence[Window]) -> list[str]:
    """When the layer applies, as one phrase for each time of day; [] is always."""
    return [
        f"{days(weekdays)} {_span(opens, closes)}"
        for (opens, closes), weekdays in by_time(windows).items()
    ]


def by_time(windows: Iterable[Window]) -> dict[tuple[time, time], list[int]]:
    """The weekdays that share their times, in order; each window once."""
    found: dict[tuple[time, time], list[int]] = {}
    for window in sorted(set(windows), key=lambda each: (each.weekday, each.opens, each.closes)):
        found.setdefault((window.opens, window.closes), []).append(window.weekday)
    return found


def days(weekdays: Sequence[int]) -> str:
    """``Mon–Fri``, ``Mon, Wed–Thu``."""
    runs: list[list[int]] = []
    for day in weekdays:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_run(run) for run in runs)


def _run(run: Sequence[int]) -> str:
    first, last = _SHORT[run[0]], _SHORT[run[-1]]
    return first if len(run) == 1 else f"{first}–{last}"


def _span(opens: time, closes: time) -> str:
    if opens == closes:
        return "all day" if opens == time(0) else f"for 24 hours from {clock(opens)}"
    if closes < opens:
        return f"{clock(opens)}–{clock(closes)} of the next day"
    return f"{clock(opens)}–{clock(closes)}"
