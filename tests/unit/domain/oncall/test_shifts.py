"""Schedules: stacked layers, overrides, inactive people, and queries."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.escalation_order import escalation_order
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import Interval, Window
from incidentrelay.domain.oncall.schedule import AbsencePeriod, Revision, Schedule, exclude_absent
from incidentrelay.domain.oncall.shifts import Shift, gaps, next_shift, on_call, shifts
from tests.unit.domain.oncall.schedule_samples import (
    ANN,
    BOB,
    CAT,
    DAN,
    DAY,
    a_layer,
    at,
    of,
    office_hours,
)

WEEKS = ShiftUnit.WEEKS
FIRST_LINE = "first line"


def seen(found: list[Shift]) -> list[tuple[int, datetime, datetime]]:
    return [(each.user_id, each.start, each.end) for each in found]


def test_handoffs_to_the_same_person_stay_visible() -> None:
    alone = of(a_layer(members=(ANN,)))
    assert shifts(alone, at(2026, 1, 5, 9), at(2026, 1, 7, 9)) == [
        Shift(ANN, at(2026, 1, 5, 9), at(2026, 1, 6, 9), FIRST_LINE, None),
        Shift(ANN, at(2026, 1, 6, 9), at(2026, 1, 7, 9), FIRST_LINE, None),
    ]


def test_a_member_listed_twice_has_two_turns() -> None:
    found = shifts(of(a_layer(members=(ANN, BOB, ANN))), at(2026, 1, 5, 9), at(2026, 1, 9, 9))
    assert [each.user_id for each in found] == [ANN, BOB, ANN, ANN]


def test_shifts_are_cut_to_the_interval_and_on_call_is_not() -> None:
    schedule = of(a_layer())
    assert seen(shifts(schedule, at(2026, 1, 5, 12), at(2026, 1, 5, 13))) == [
        (ANN, at(2026, 1, 5, 12), at(2026, 1, 5, 13))
    ]
    assert on_call(schedule, at(2026, 1, 5, 12)) == Shift(
        ANN, at(2026, 1, 5, 9), at(2026, 1, 6, 9), FIRST_LINE, None
    )


def test_a_shift_includes_its_start_and_not_its_end() -> None:
    schedule = of(a_layer())
    handoff = at(2026, 1, 6, 9)
    before, after = (
        on_call(schedule, handoff - timedelta(microseconds=1)),
        on_call(schedule, handoff),
    )
    assert before is not None
    assert after is not None
    assert (before.user_id, after.user_id) == (ANN, BOB)


def test_the_higher_layer_wins_where_it_has_somebody() -> None:
    low = a_layer(unit=WEEKS)
    high = a_layer(id=2, name="office", members=(DAN,), windows=office_hours())
    found = shifts(of(low, high), at(2026, 1, 5, 9), at(2026, 1, 6, 12))
    assert found == [
        Shift(DAN, at(2026, 1, 5, 9), at(2026, 1, 5, 17), "office", None),
        Shift(ANN, at(2026, 1, 5, 17), at(2026, 1, 6, 9), FIRST_LINE, None),
        Shift(DAN, at(2026, 1, 6, 9), at(2026, 1, 6, 12), "office", None),
    ]
    assert on_call(of(low, high), at(2026, 1, 5, 20)) == found[1]


def test_each_layer_has_its_own_zone() -> None:
    europe = a_layer(zone="Europe/Berlin", members=(ANN,), handoff_time=time(0))
    america = a_layer(
        id=2, name="west", zone="America/New_York", members=(BOB,), windows=office_hours()
    )
    found = shifts(of(europe, america), at(2026, 7, 6, 12), at(2026, 7, 6, 22))
    assert seen(found) == [
        (ANN, at(2026, 7, 6, 12), at(2026, 7, 6, 13)),
        (BOB, at(2026, 7, 6, 13), at(2026, 7, 6, 21)),
        (ANN, at(2026, 7, 6, 21), at(2026, 7, 6, 22)),
    ]


def test_an_override_replaces_exactly_its_interval_and_moves_no_turn() -> None:
    override = Override(7, DAN, at(2026, 1, 5, 12), at(2026, 1, 6, 12))
    schedule = of(a_layer(), overrides=(override,))
    assert shifts(schedule, at(2026, 1, 5, 9), at(2026, 1, 7, 9)) == [
        Shift(ANN, at(2026, 1, 5, 9), at(2026, 1, 5, 12), FIRST_LINE, None),
        Shift(DAN, at(2026, 1, 5, 12), at(2026, 1, 6, 12), None, 7),
        Shift(BOB, at(2026, 1, 6, 12), at(2026, 1, 7, 9), FIRST_LINE, None),
    ]
    assert on_call(schedule, at(2026, 1, 6)) == Shift(DAN, override.start, override.end, None, 7)


def test_the_newest_override_wins() -> None:
    older = Override(1, DAN, at(2026, 1, 5, 10), at(2026, 1, 5, 16))
    newer = Override(2, BOB, at(2026, 1, 5, 12), at(2026, 1, 5, 14))
    for overrides in [(older, newer), (newer, older)]:
        found = shifts(of(overrides=overrides), at(2026, 1, 5), at(2026, 1, 6))
        assert [(each.override_id, each.start.hour, each.end.hour) for each in found] == [
            (1, 10, 12),
            (2, 12, 14),
            (1, 14, 16),
        ]


def test_overrides_beyond_the_interval_are_cut() -> None:
    overrides = (
        Override(1, DAN, at(2026, 1, 1), at(2026, 2, 1)),
        Override(2, BOB, at(2026, 1, 5, 12), at(2026, 3, 1)),
    )
    found = shifts(of(overrides=overrides), at(2026, 1, 5), at(2026, 1, 6))
    assert seen(found) == [
        (DAN, at(2026, 1, 5), at(2026, 1, 5, 12)),
        (BOB, at(2026, 1, 5, 12), at(2026, 1, 6)),
    ]


def test_an_override_fills_a_gap() -> None:
    override = Override(1, DAN, at(2026, 1, 10), at(2026, 1, 11))
    schedule = of(a_layer(windows=office_hours()), overrides=(override,))
    shift = on_call(schedule, at(2026, 1, 10, 3))
    assert shift == Shift(DAN, at(2026, 1, 10), at(2026, 1, 11), None, 1)


def test_an_override_of_centuries_is_found_whole() -> None:
    override = Override(1, DAN, at(1990, 1, 1), at(2150, 1, 1))
    shift = on_call(of(a_layer(), overrides=(override,)), at(2026, 1, 10))
    assert shift == Shift(DAN, override.start, override.end, None, 1)


def test_an_override_for_an_inactive_person_is_ignored() -> None:
    override = Override(1, DAN, at(2026, 1, 5), at(2026, 1, 9))
    schedule = of(a_layer(), overrides=(override,), inactive=frozenset({DAN}))
    shift = on_call(schedule, at(2026, 1, 5, 12))
    assert shift is not None
    assert shift.user_id == ANN


def test_the_turn_of_an_inactive_member_is_taken_by_the_next_active_one() -> None:
    layer = a_layer(members=(ANN, BOB, CAT, DAN))
    schedule = of(layer, inactive=frozenset({BOB, CAT}))
    found = shifts(schedule, at(2026, 1, 5, 9), at(2026, 1, 10, 9))
    assert [each.user_id for each in found] == [ANN, DAN, DAN, DAN, ANN]


def test_nobody_active_is_a_gap() -> None:
    schedule = of(a_layer(members=(ANN, BOB)), inactive=frozenset({ANN, BOB}))
    assert shifts(schedule, at(2026, 1, 5), at(2026, 2, 5)) == []
    assert on_call(schedule, at(2026, 1, 5)) is None


@pytest.mark.parametrize("schedule", [Schedule(()), of(), of(a_layer(members=()))])
def test_an_empty_schedule_has_nobody(schedule: Schedule) -> None:
    assert shifts(schedule, at(2026, 1, 5), at(2026, 2, 5)) == []
    assert on_call(schedule, at(2026, 1, 5)) is None


def test_an_edit_takes_effect_at_its_instant() -> None:
    edit = at(2026, 1, 6, 15)
    schedule = Schedule(
        (Revision(edit, (a_layer(members=(DAN,)),)), Revision(None, (a_layer(),))),
    )
    assert seen(shifts(schedule, at(2026, 1, 5, 9), at(2026, 1, 7, 9))) == [
        (ANN, at(2026, 1, 5, 9), at(2026, 1, 6, 9)),
        (BOB, at(2026, 1, 6, 9), edit),
        (DAN, edit, at(2026, 1, 7, 9)),
    ]


def test_an_edit_to_come_does_not_matter_yet() -> None:
    edit = Revision(at(2026, 3, 1), (a_layer(members=(DAN,)),))
    schedule = Schedule((Revision(None, (a_layer(),)), edit))
    start, end = at(2026, 1, 5, 9), at(2026, 1, 12, 9)
    assert shifts(schedule, start, end) == shifts(of(a_layer()), start, end)
    assert escalation_order(schedule, start) == (ANN, BOB, CAT)


def test_of_two_edits_at_one_instant_the_later_wins() -> None:
    edit = at(2026, 1, 6, 15)
    schedule = Schedule(
        (Revision(edit, (a_layer(members=(CAT,)),)), Revision(edit, (a_layer(members=(DAN,)),)))
    )
    shift = on_call(schedule, edit)
    assert shift is not None
    assert shift.user_id == DAN
    assert escalation_order(schedule, edit) == (DAN,)


def test_an_edit_that_leaves_the_turn_alone_does_not_divide_it() -> None:
    edited = a_layer(members=(ANN, BOB, DAN))
    schedule = Schedule((Revision(None, (a_layer(),)), Revision(at(2026, 1, 6, 15), (edited,))))
    shift = on_call(schedule, at(2026, 1, 6, 20))
    assert shift == Shift(BOB, at(2026, 1, 6, 9), at(2026, 1, 7, 9), FIRST_LINE, None)
    assert shift in shifts(schedule, at(2026, 1, 1), at(2026, 2, 1))


def test_an_edit_at_a_handoff_divides() -> None:
    layer = a_layer(members=(ANN,))
    schedule = Schedule((Revision(None, (layer,)), Revision(at(2026, 1, 6, 9), (layer,))))
    assert len(shifts(schedule, at(2026, 1, 5, 9), at(2026, 1, 7, 9))) == 2


def test_before_the_first_revision_there_is_nobody() -> None:
    schedule = Schedule((Revision(at(2026, 1, 6, 15), (a_layer(),)),))
    assert on_call(schedule, at(2026, 1, 6, 14)) is None
    shift = on_call(schedule, at(2026, 1, 6, 16))
    assert shift is not None
    assert shift.start == at(2026, 1, 6, 15)


def test_a_person_inactive_in_a_revision_keeps_past_shifts() -> None:
    left = at(2026, 1, 6, 15)
    schedule = Schedule(
        (Revision(None, (a_layer(),)), Revision(left, (a_layer(),), frozenset({BOB})))
    )
    assert seen(shifts(schedule, at(2026, 1, 6, 9), at(2026, 1, 7, 9))) == [
        (BOB, at(2026, 1, 6, 9), left),
        (CAT, left, at(2026, 1, 7, 9)),
    ]


def test_gaps() -> None:
    schedule = of(a_layer(handoff_time=time(0), windows=(Window(0, time(9), time(17)),)))
    start, end = at(2026, 1, 5), at(2026, 1, 12)
    assert gaps(shifts(schedule, start, end), start, end) == [
        Interval(start, at(2026, 1, 5, 9)),
        Interval(at(2026, 1, 5, 17), end),
    ]
    assert gaps([], start, end) == [Interval(start, end)]
    whole = shifts(of(a_layer()), start, end)
    assert gaps(whole, start, end) == []
    assert gaps(whole, start, start) == []


def test_gaps_of_a_part_of_the_shifts() -> None:
    found = shifts(of(a_layer()), at(2026, 1, 5), at(2026, 1, 12))
    assert gaps(found, at(2026, 1, 11), at(2026, 1, 13)) == [
        Interval(at(2026, 1, 12), at(2026, 1, 13))
    ]
    assert gaps(found, at(2026, 1, 1), at(2026, 1, 2)) == [Interval(at(2026, 1, 1), at(2026, 1, 2))]


def test_the_next_shift_is_whole_and_does_not_run_yet() -> None:
    schedule = of(a_layer())
    running = at(2026, 1, 5, 12)
    expected = Shift(ANN, at(2026, 1, 8, 9), at(2026, 1, 9, 9), FIRST_LINE, None)
    assert next_shift(schedule, ANN, running, 30 * DAY) == expected
    assert next_shift(schedule, ANN, expected.start, 30 * DAY) == expected
    assert next_shift(schedule, ANN, running, timedelta(hours=69)) is None
    assert next_shift(schedule, ANN, running, timedelta(hours=70)) == expected
    assert next_shift(schedule, DAN, running, 400 * DAY) is None


def test_the_next_shift_may_be_far() -> None:
    layer = a_layer(unit=ShiftUnit.MONTHS, length=12, start_date=date(2020, 2, 1))
    shift = next_shift(of(layer), CAT, at(2023, 3, 1), timedelta(days=100_000_000))
    assert shift == Shift(CAT, at(2025, 2, 1, 9), at(2026, 2, 1, 9), FIRST_LINE, None)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        shifts(of(a_layer()), at(2026, 1, 6), at(2026, 1, 5))
    assert set(caught.value.errors) == {"end"}
    assert shifts(of(a_layer()), at(2026, 1, 6), at(2026, 1, 6)) == []


def test_instants_must_be_aware_and_in_reasonable_years() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        on_call(of(a_layer()), datetime(2026, 1, 5))  # noqa: DTZ001
    for instant in (at(1, 1, 1), at(1899, 12, 31, 23), at(2200, 1, 1), at(9999, 12, 31)):
        with pytest.raises(InvalidInput):
            on_call(of(a_layer()), instant)


def test_absences_split_revisions_and_keep_the_past() -> None:
    def at(hour: int) -> datetime:
        return datetime(2026, 3, 10, hour, tzinfo=UTC)

    first, second = Revision(None, ()), Revision(at(12), (), frozenset({9}))
    away = [
        AbsencePeriod(1, at(6), at(12)),
        AbsencePeriod(2, at(8), None),
        AbsencePeriod(3, None, at(6)),
    ]
    found = [
        (one.effective_from, set(one.inactive)) for one in exclude_absent([first, second], away)
    ]
    assert found == [
        (None, {3}),
        (at(6), {1}),
        (at(8), {1, 2}),
        (at(12), {2, 9}),
    ]
    assert exclude_absent([first, second], []) == (first, second)
