"""Which layers are accepted."""

from collections.abc import Mapping
from datetime import UTC, date, time
from typing import Any

import pytest

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.layers import validate_layer
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.domain.oncall.shifts import on_call
from tests.unit.domain.oncall.schedule_samples import a_layer, at, of, office_hours

MONTHS = ShiftUnit.MONTHS


def test_a_good_layer_is_accepted() -> None:
    validate_layer(a_layer())
    validate_layer(a_layer(members=(), windows=office_hours(), zone="America/Argentina/Ushuaia"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "n" * 121}, "name"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "Europe"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"zone": "localtime"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"length": 0}, "length"),
        ({"length": -1}, "length"),
        ({"length": 367}, "length"),
        ({"unit": MONTHS, "length": 13}, "length"),
        ({"handoff_weekday": 7}, "handoff_weekday"),
        ({"handoff_weekday": -1}, "handoff_weekday"),
        ({"handoff_time": time(9, tzinfo=UTC)}, "handoff_time"),
        ({"handoff_time": time(9, 0, 0, 1)}, "handoff_time"),
        ({"start_date": date(1969, 12, 31)}, "start_date"),
        ({"start_date": date(9999, 1, 1)}, "start_date"),
        ({"members": tuple(range(201))}, "members"),
        ({"windows": office_hours() * 11}, "windows"),
        ({"windows": (*office_hours(), Window(7, time(9), time(17)))}, "windows.5.weekday"),
        ({"windows": (Window(0, time(9, tzinfo=UTC), time(17)),)}, "windows.0.opens"),
        ({"windows": (Window(0, time(9), time(17, 0, 0, 5)),)}, "windows.0.closes"),
    ],
)
def test_a_wrong_layer_is_refused_by_its_field(changes: Mapping[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_layer(a_layer(**changes))
    assert list(caught.value.errors) == [field]


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_layer(a_layer(length=0, zone="Nowhere", handoff_weekday=9))
    assert set(caught.value.errors) == {"length", "zone", "handoff_weekday"}


def test_an_unknown_zone_is_invalid_input_in_the_engine_too() -> None:
    with pytest.raises(InvalidInput):
        on_call(of(a_layer(zone="Mars/Olympus")), at(2026, 1, 5))
