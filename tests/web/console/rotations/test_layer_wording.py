"""Layers in words."""

from datetime import date, time

import pytest

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.web.console.rotations.layer_wording import hours, turns


def layer(unit: ShiftUnit, length: int = 1) -> Layer:
    return Layer(
        id=1,
        name="Base",
        members=(),
        unit=unit,
        length=length,
        handoff_time=time(9),
        handoff_weekday=2,
        zone="Europe/Berlin",
        start_date=date(2026, 3, 31),
    )


@pytest.mark.parametrize(
    ("unit", "length", "said"),
    [
        (ShiftUnit.WEEKS, 1, "Weekly, hands over on Wednesdays at 09:00 (Europe/Berlin)"),
        (ShiftUnit.WEEKS, 2, "Every 2 weeks, hands over on Wednesdays at 09:00 (Europe/Berlin)"),
        (ShiftUnit.DAYS, 1, "Daily, hands over at 09:00 (Europe/Berlin)"),
        (ShiftUnit.MONTHS, 1, "Monthly, hands over on day 31 of the month at 09:00"),
        (ShiftUnit.HOURS, 1, "Every hour, counted from 2026-03-31 at 09:00 (Europe/Berlin)"),
        (ShiftUnit.HOURS, 12, "Every 12 hours, counted from 2026-03-31 at 09:00"),
    ],
)
def test_turns(unit: ShiftUnit, length: int, said: str) -> None:
    assert turns(layer(unit, length)).startswith(said)


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ([], []),
        ([Window(day, time(9), time(17)) for day in range(5)], ["Mon–Fri 09:00–17:00"]),
        (
            [Window(day, time(22), time(6)) for day in (0, 2, 3)],
            ["Mon, Wed–Thu 22:00–06:00 of the next day"],
        ),
        ([Window(5, time(0), time(0)), Window(6, time(0), time(0))], ["Sat–Sun all day"]),
        ([Window(4, time(18), time(18))], ["Fri for 24 hours from 18:00"]),
        (
            [
                Window(1, time(9), time(12)),
                Window(0, time(9), time(12)),
                Window(0, time(14), time(18, 0, 30)),
            ],
            ["Mon–Tue 09:00–12:00", "Mon 14:00–18:00:30"],
        ),
    ],
)
def test_hours(windows: list[Window], said: list[str]) -> None:
    assert hours(windows) == said
