"""When people go on and off call: a daily rotation of two, handing over at 09:00."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from incidentrelay.domain.enums import ShiftEdge, ShiftUnit
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.periods import ShiftBoundary, end_of_period, shift_boundaries
from incidentrelay.domain.oncall.schedule import Revision, Schedule

ANN, BOB, CAT = 1, 2, 3
LAYER = Layer(1, "Days", (ANN, BOB), ShiftUnit.DAYS, 1, time(9), 0, "UTC", date(2026, 3, 9))
DAILY = Schedule((Revision(None, (LAYER,)),))
HANDOFF = datetime(2026, 3, 10, 9, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def start(user_id: int, at: datetime) -> ShiftBoundary:
    return ShiftBoundary(user_id, ShiftEdge.START, at)


def end(user_id: int, at: datetime) -> ShiftBoundary:
    return ShiftBoundary(user_id, ShiftEdge.END, at)


@pytest.mark.parametrize(
    ("after", "until", "told"),
    [
        (-MINUTE, timedelta(0), True),
        (-MINUTE, MINUTE, True),
        (timedelta(0), MINUTE, False),
        (-2 * MINUTE, -timedelta(microseconds=1), False),
    ],
)
def test_adjacent_intervals_report_each_boundary_once(
    after: timedelta, until: timedelta, told: bool
) -> None:
    expected = [end(ANN, HANDOFF), start(BOB, HANDOFF)] if told else []
    assert shift_boundaries(DAILY, HANDOFF + after, HANDOFF + until) == expected


def test_a_handoff_to_oneself_is_no_boundary() -> None:
    alone = Schedule((Revision(None, (replace(LAYER, members=(ANN,)),)),))
    assert shift_boundaries(alone, HANDOFF - DAY, HANDOFF + DAY) == []
    twice = Schedule((Revision(None, (replace(LAYER, members=(ANN, ANN, BOB)),)),))
    (first, _) = shift_boundaries(twice, HANDOFF, HANDOFF + DAY)
    assert first == end(ANN, HANDOFF + DAY)
    assert end_of_period(twice, HANDOFF - DAY + MINUTE) == HANDOFF + DAY


def test_an_override_splits_a_shift() -> None:
    since, until = HANDOFF + 60 * MINUTE, HANDOFF + 120 * MINUTE
    schedule = replace(DAILY, overrides=(Override(1, CAT, since, until),))
    assert shift_boundaries(schedule, HANDOFF, HANDOFF + 180 * MINUTE) == [
        end(BOB, since),
        start(CAT, since),
        end(CAT, until),
        start(BOB, until),
    ]
    own = replace(DAILY, overrides=(Override(1, BOB, since, until),))
    assert shift_boundaries(own, HANDOFF, HANDOFF + 180 * MINUTE) == []
    assert end_of_period(own, HANDOFF) == HANDOFF + DAY


def test_the_clocks_may_change() -> None:
    berlin = Schedule((Revision(None, (replace(LAYER, zone="Europe/Berlin"),)),))
    for day, hour in ((28, 8), (29, 7)):
        handoff = datetime(2026, 3, day, hour, tzinfo=UTC)
        assert [edge.at for edge in shift_boundaries(berlin, handoff - MINUTE, handoff)] == [
            handoff
        ] * 2


def test_nobody_follows() -> None:
    over = Override(1, CAT, HANDOFF, HANDOFF + MINUTE)
    schedule = Schedule((), (over,))
    assert shift_boundaries(schedule, HANDOFF - DAY, HANDOFF + DAY) == [
        start(CAT, HANDOFF),
        end(CAT, HANDOFF + MINUTE),
    ]
    assert end_of_period(schedule, HANDOFF) == HANDOFF + MINUTE
    assert end_of_period(schedule, HANDOFF + DAY) == HANDOFF + DAY
