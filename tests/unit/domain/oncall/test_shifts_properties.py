"""Properties of every schedule, in many zones around clock changes."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.escalation_order import escalation_order
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import covered
from incidentrelay.domain.oncall.schedule import Revision, Schedule, rebase
from incidentrelay.domain.oncall.shifts import Shift, gaps, next_shift, on_call, shifts
from incidentrelay.domain.oncall.turns import handoff, turn_number
from tests.unit.domain.oncall.schedule_oracle import users_on_call
from tests.unit.domain.oncall.schedule_samples import (
    DAY,
    QUARTER,
    a_layer,
    at,
    changing_days,
    of,
    schedules,
    turns_of_days,
)

MINUTE = timedelta(minutes=1)
usual = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
slow = settings(usual, max_examples=5)


def spread(found: list[Shift], start: datetime, end: datetime, step: timedelta) -> list[int | None]:
    """Who is on call at each step."""
    result: list[int | None] = [None] * int((end - start) / step)
    for shift in found:
        first, last = (shift.start - start) / step, (shift.end - start) / step
        assert first.is_integer()
        assert last.is_integer()
        result[int(first) : int(last)] = [shift.user_id] * int(last - first)
    return result


def days_around(near: datetime, days: int = 4) -> tuple[datetime, datetime]:
    return near - days * DAY, near + days * DAY


@usual
@given(st.data(), changing_days())
def test_shifts_of_an_unrestricted_layer_fill_every_interval(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    layer = data.draw(turns_of_days(where[0], where[1].date(), windows=False))
    start = where[1] + data.draw(st.integers(-9999, 9999)) * MINUTE
    end = start + data.draw(st.integers(1, 30000)) * MINUTE
    found = shifts(of(layer), start, end)
    assert [each.start for each in found] == [start, *(each.end for each in found[:-1])]
    assert found[-1].end == end
    assert all(each.start < each.end for each in found)
    assert gaps(found, start, end) == []


@usual
@given(st.data(), changing_days())
def test_on_call_is_the_shift_that_contains_the_instant(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    schedule = data.draw(schedules(*where))
    # No shift of these schedules is longer than two of these weeks.
    start, end = days_around(where[1], 40)
    found = shifts(schedule, start, end)
    for number in data.draw(st.lists(st.integers(-9999, 9999), min_size=3, max_size=3)):
        instant = where[1] + number * MINUTE
        containing = [each for each in found if each.start <= instant < each.end]
        shift = on_call(schedule, instant)
        assert containing == ([shift] if shift else [])
        if shift:
            assert on_call(schedule, shift.start) == shift
            assert on_call(schedule, shift.end - timedelta(microseconds=1)) == shift
            assert next_shift(schedule, shift.user_id, shift.start, DAY) == shift


@usual
@given(st.data(), changing_days())
def test_shifts_come_in_order_and_never_overlap(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    schedule = data.draw(schedules(*where))
    found = shifts(schedule, *days_around(where[1]))
    assert all(each.start < each.end for each in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert all(each.user_id not in schedule.inactive for each in found)
    assert all((each.layer is None) == (each.override_id is not None) for each in found)


@usual
@given(st.data(), changing_days())
def test_splitting_an_interval_changes_nothing(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    schedule = data.draw(schedules(*where))
    start, end = days_around(where[1])
    cut = where[1] + data.draw(st.integers(-5000, 5000)) * MINUTE
    parts = shifts(schedule, start, cut) + shifts(schedule, cut, end)
    whole = shifts(schedule, start, end)
    assert spread(parts, start, end, MINUTE) == spread(whole, start, end, MINUTE)
    assert [each for each in parts if cut not in (each.start, each.end)] == [
        each for each in whole if not each.start <= cut <= each.end
    ]


@usual
@given(st.data(), changing_days())
def test_an_override_changes_nothing_outside_of_itself(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    schedule = data.draw(schedules(*where))
    start, end = days_around(where[1])
    since = where[1] + data.draw(st.integers(-300, 300)) * QUARTER
    until = since + data.draw(st.integers(1, 300)) * QUARTER
    extra = Override(99, 77, since, until)
    changed = replace(schedule, overrides=(*schedule.overrides, extra))
    before = spread(shifts(schedule, start, end), start, end, QUARTER)
    after = spread(shifts(changed, start, end), start, end, QUARTER)
    low, high = int((since - start) / QUARTER), int((until - start) / QUARTER)
    assert after[:low] == before[:low]
    assert set(after[low:high]) <= {77}
    assert after[high:] == before[high:]


@usual
@given(st.data(), changing_days())
def test_a_revision_changes_nothing_before_its_instant(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    schedule = data.draw(schedules(*where))
    start, end = days_around(where[1])
    since = where[1] + data.draw(st.integers(-300, 300)) * QUARTER
    layer = data.draw(turns_of_days(where[0], where[1].date()))
    changed = replace(
        schedule,
        revisions=(
            *(each for each in schedule.revisions if (each.effective_from or start) < since),
            Revision(since, (layer,)),
        ),
    )
    assert shifts(changed, start, since) == shifts(schedule, start, since)
    alone = replace(of(layer), overrides=schedule.overrides, inactive=schedule.inactive)
    assert shifts(changed, since, end) == shifts(alone, since, end)


@usual
@given(st.data(), changing_days())
def test_an_inactive_member_moves_nobody_elses_turn(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    layer = data.draw(turns_of_days(where[0], where[1].date()))
    gone = data.draw(st.sampled_from(layer.members))
    start, end = days_around(where[1])
    before = shifts(of(layer), start, end)
    after = shifts(of(layer, inactive=frozenset({gone})), start, end)
    if set(layer.members) == {gone}:
        assert after == []
    else:
        assert len(after) == len(before)
        for old, new in zip(before, after, strict=True):
            assert (new.start, new.end) == (old.start, old.end)
            assert new.user_id == old.user_id or old.user_id == gone


@usual
@given(st.data(), changing_days())
def test_an_edit_takes_nobody_off_call_unless_removed(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    zone, near = where
    old = replace(data.draw(turns_of_days(zone, near.date())), id=1)
    new = replace(data.draw(turns_of_days(zone, near.date())), id=1)
    gone = data.draw(st.frozensets(st.integers(1, 5), max_size=2))
    instant = near + data.draw(st.integers(-9999, 9999)) * MINUTE
    (edited,) = rebase(of(old, inactive=gone), (new,), instant)
    before = on_call(of(old, inactive=gone), instant)
    after = on_call(of(edited, inactive=gone), instant)
    if before and after and before.user_id in new.members:
        assert after.user_id == before.user_id


@usual
@given(st.data(), changing_days())
def test_escalation_order_has_every_active_person_once(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    schedule = data.draw(schedules(*where))
    schedule = replace(schedule, revisions=schedule.revisions[:1])
    instant = where[1] + data.draw(st.integers(-9999, 9999)) * MINUTE
    order = escalation_order(schedule, instant)
    shift = on_call(schedule, instant)
    revision = schedule.revisions[0]
    holds = revision.effective_from is None or revision.effective_from <= instant
    members = {user for layer in (revision.layers if holds else ()) for user in layer.members}
    assert len(set(order)) == len(order)
    assert set(order) == (members - schedule.inactive) | ({shift.user_id} if shift else set())
    if shift:
        assert order[0] == shift.user_id


@usual
@given(st.data(), changing_days(), st.integers(-500, 500))
def test_turns_far_away_are_counted_as_if_one_by_one(
    data: st.DataObject, where: tuple[str, datetime], shift: int
) -> None:
    layer = data.draw(turns_of_days(where[0], where[1].date()))
    low, high = min(shift, 0), max(shift, 0)
    count = 0
    for number in range(low, high):
        start, end = handoff(layer, number), handoff(layer, number + 1)
        covering = covered(layer.windows, layer.zone, start, end) if layer.windows else [start]
        count += start < end and bool(covering)
    assert turn_number(layer, shift) == (count if shift >= 0 else -count)


def agree(schedule: Schedule, near: datetime, step: timedelta) -> None:
    start, end = days_around(near, 5)
    # The oracle must see the start dates, and whole turns before what is compared.
    first, last = near - 14 * DAY, near + 6 * DAY
    instants = [first + number * step for number in range(int((last - first) / step))]
    part = slice(int((start - first) / step), int((end - first) / step))
    expected = users_on_call(schedule, instants)[part]
    assert spread(shifts(schedule, start, end), start, end, step) == expected


@usual
@given(st.data(), changing_days())
def test_the_oracle_agrees(data: st.DataObject, where: tuple[str, datetime]) -> None:
    agree(data.draw(schedules(*where)), where[1], QUARTER)


@slow
@given(st.data(), changing_days())
def test_the_oracle_agrees_by_the_minute(data: st.DataObject, where: tuple[str, datetime]) -> None:
    agree(data.draw(schedules(*where)), where[1], MINUTE)


def test_the_oracle_agrees_about_months() -> None:
    for day in (1, 15, 28, 29, 30, 31):
        layer = a_layer(unit=ShiftUnit.MONTHS, start_date=date(2027, 1, day), zone="Europe/Berlin")
        start, end = at(2027, 1, 1), at(2027, 6, 1)
        instants = [start + number * QUARTER for number in range(int((end - start) / QUARTER))]
        found = spread(shifts(of(layer), start, end), start, end, QUARTER)
        assert found == users_on_call(of(layer), instants)
