"""The order in which escalation tries people, and turns that outlive an edit."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.escalation_order import escalation_order
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.domain.oncall.schedule import Schedule, rebase
from incidentrelay.domain.oncall.shifts import on_call, shifts
from tests.unit.domain.oncall.schedule_samples import (
    ANN,
    BOB,
    CAT,
    DAN,
    a_layer,
    at,
    of,
    office_hours,
)

EVE, FAY = 5, 6
TUESDAY = at(2026, 1, 6, 12)  # Bob's turn in a_layer().
SATURDAY = at(2026, 1, 10, 12)

LOW = a_layer(id=2, name="second line", members=(DAN, EVE), unit=ShiftUnit.WEEKS)
OFFICE = a_layer(windows=office_hours())


def instead(user_id: int) -> tuple[Override, ...]:
    return (Override(1, user_id, at(2026, 1, 5), at(2026, 1, 12)),)


@pytest.mark.parametrize(
    ("schedule", "instant", "expected"),
    [
        pytest.param(of(a_layer()), TUESDAY, (BOB, CAT, ANN), id="around the layer"),
        pytest.param(of(LOW, a_layer()), TUESDAY, (BOB, CAT, ANN, DAN, EVE), id="then the lower"),
        pytest.param(
            of(LOW, OFFICE),
            SATURDAY,
            (DAN, EVE, CAT, ANN, BOB),
            id="a higher one that rests is last",
        ),
        pytest.param(
            of(OFFICE), SATURDAY, (CAT, ANN, BOB), id="nobody on call: in the order of next turns"
        ),
        pytest.param(
            of(a_layer(members=(ANN, BOB, ANN, CAT))), TUESDAY, (BOB, ANN, CAT), id="each once"
        ),
        pytest.param(
            of(a_layer(), overrides=instead(FAY)),
            TUESDAY,
            (FAY, BOB, CAT, ANN),
            id="an outsider first, then whom they replace",
        ),
        pytest.param(
            of(a_layer(), overrides=instead(CAT)),
            TUESDAY,
            (CAT, ANN, BOB),
            id="a member who steps in: on from there",
        ),
        pytest.param(
            of(OFFICE, overrides=instead(FAY)),
            SATURDAY,
            (FAY, CAT, ANN, BOB),
            id="an override in a gap",
        ),
        pytest.param(
            of(LOW, a_layer(), inactive=frozenset({BOB, EVE})),
            TUESDAY,
            (CAT, ANN, DAN),
            id="without the inactive",
        ),
        pytest.param(
            of(a_layer(), inactive=frozenset({ANN, BOB, CAT})), TUESDAY, (), id="nobody active"
        ),
        pytest.param(of(), TUESDAY, (), id="no layers"),
        pytest.param(Schedule(()), TUESDAY, (), id="no revision"),
        pytest.param(
            of(
                a_layer(members=(ANN,), windows=(Window(6, time(9), time(10)),)),
                a_layer(id=2, members=(BOB,), windows=(Window(0, time(9), time(10)),)),
            ),
            SATURDAY,
            (ANN, BOB),
            id="the sooner turn is first, though its layer is lower",
        ),
    ],
)
def test_succession(schedule: Schedule, instant: datetime, expected: tuple[int, ...]) -> None:
    assert escalation_order(schedule, instant) == expected


@pytest.mark.parametrize(
    ("changes", "on_call_then", "next_one"),
    [
        pytest.param({}, BOB, CAT, id="nothing"),
        pytest.param({"members": (ANN, BOB, CAT, DAN)}, BOB, CAT, id="somebody added at the end"),
        pytest.param({"members": (DAN, ANN, BOB, CAT)}, BOB, CAT, id="somebody added in front"),
        pytest.param({"members": (BOB, CAT)}, BOB, CAT, id="somebody else removed"),
        pytest.param({"members": (CAT, BOB, ANN)}, BOB, ANN, id="another order"),
        pytest.param({"members": (ANN, CAT)}, CAT, ANN, id="removed: the next one of the order"),
        pytest.param({"members": (ANN, BOB, CAT, BOB)}, BOB, CAT, id="a second turn added"),
        pytest.param({"handoff_time": time(18)}, BOB, CAT, id="another handoff"),
        pytest.param({"length": 3}, BOB, CAT, id="another length"),
        pytest.param({"unit": ShiftUnit.WEEKS}, BOB, CAT, id="weeks"),
        pytest.param({"start_date": date(2025, 5, 5)}, BOB, CAT, id="another start"),
        pytest.param({"zone": "Asia/Tokyo"}, BOB, CAT, id="another zone"),
        pytest.param({"windows": office_hours()}, BOB, CAT, id="restrictions"),
    ],
)
def test_an_edit_leaves_the_turn_with_whoever_has_it(
    changes: Mapping[str, Any], on_call_then: int, next_one: int
) -> None:
    (edited,) = rebase(of(a_layer()), (a_layer(**changes),), TUESDAY)
    found = shifts(of(edited), TUESDAY, at(2026, 2, 6))
    assert [each.user_id for each in found[:2]] == [on_call_then, next_one]
    assert replace(edited, turn_offset=0) == a_layer(**changes)


def test_who_is_listed_twice_keeps_the_turn_that_runs() -> None:
    old = a_layer(members=(ANN, BOB, ANN, CAT))
    (edited,) = rebase(
        of(old), (replace(old, members=(DAN, ANN, BOB, ANN, CAT)),), at(2026, 1, 7, 12)
    )
    found = shifts(of(edited), at(2026, 1, 7, 12), at(2026, 1, 9))
    assert [each.user_id for each in found] == [ANN, CAT]


def test_a_stand_in_keeps_standing_in() -> None:
    gone = frozenset({BOB})
    (edited,) = rebase(of(a_layer(), inactive=gone), (a_layer(handoff_time=time(8)),), TUESDAY)
    found = shifts(of(edited, inactive=gone), TUESDAY, at(2026, 1, 9))
    assert [each.user_id for each in found] == [CAT, CAT, ANN]


def test_a_stand_in_stays_when_the_inactive_member_is_removed() -> None:
    gone = frozenset({BOB})
    old = of(a_layer(), inactive=gone)
    (edited,) = rebase(old, (a_layer(members=(ANN, CAT)),), TUESDAY)
    shift = on_call(of(edited, inactive=gone), TUESDAY)
    assert shift is not None
    assert shift.user_id == CAT


def test_layers_without_a_match_stay_as_they_are() -> None:
    new = (a_layer(id=None, turn_offset=2), a_layer(id=9), a_layer(members=()))
    assert rebase(of(a_layer()), new, TUESDAY) == new
    assert rebase(of(a_layer(members=())), (a_layer(),), TUESDAY) == (a_layer(),)
    strangers = (a_layer(members=(DAN, EVE)),)
    assert rebase(of(a_layer()), strangers, TUESDAY) == strangers


def test_when_all_who_stay_are_inactive_the_edit_still_keeps_a_place() -> None:
    gone = frozenset({ANN, BOB, CAT})
    (edited,) = rebase(of(a_layer(), inactive=gone), (a_layer(members=(CAT, ANN)),), TUESDAY)
    assert on_call(of(edited, inactive=gone), TUESDAY) is None
    shift = on_call(of(edited), TUESDAY)
    assert shift is not None
    assert shift.user_id == CAT
