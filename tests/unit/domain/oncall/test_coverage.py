"""The coverage report of a schedule, and differences between two schedules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.coverage import (
    CoverageProblemKind,
    CoverageReport,
    CoveredPerson,
    coverage_report,
)
from incidentrelay.domain.oncall.diff import ShiftChange, diff_shifts
from incidentrelay.domain.oncall.restrictions import Interval, Window
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, gaps, on_call, shifts
from tests.unit.domain.oncall import schedule_samples as samples
from tests.unit.domain.oncall.schedule_samples import ANN, BOB, CAT, DAY, QUARTER, a_layer, at, of

HOUR = timedelta(hours=1)
# A Monday.
START = at(2026, 3, 9)
PEOPLE = (CoveredPerson(ANN, "Ann"), CoveredPerson(BOB, "Bob"), CoveredPerson(CAT, "Cat"))


def judged(
    schedule: Schedule,
    start: datetime = START,
    days: int = 28,
    *,
    zone: str = "UTC",
    people: Sequence[CoveredPerson] = PEOPLE,
) -> CoverageReport:
    end = start + days * DAY
    found = shifts(schedule, start, end)
    return coverage_report(found, gaps(found, start, end), start, end, zone, people)


def sentences(found: CoverageReport, kind: CoverageProblemKind) -> list[str]:
    return [problem.sentence for problem in found.problems if problem.kind is kind]


def test_an_even_share_is_no_problem() -> None:
    found = judged(of(a_layer(members=(ANN, BOB, CAT))), days=21)
    assert found.problems == ()
    assert found.balance == 1
    assert (found.gaps, found.gap_hours, found.single_member) == ((), 0, False)
    assert [(load.person.name, load.hours) for load in found.loads] == [
        ("Ann", 168),
        ("Bob", 168),
        ("Cat", 168),
    ]


def test_weeks_of_seven_in_a_month_are_no_problem() -> None:
    people = [CoveredPerson(number, f"P{number}") for number in range(1, 8)]
    layer = a_layer(members=tuple(range(1, 8)), unit=ShiftUnit.WEEKS)
    found = judged(of(layer), people=people)
    assert sentences(found, CoverageProblemKind.IMBALANCE) == []
    assert 0 < found.balance < 1


def test_one_turn_in_office_hours_is_one_turn() -> None:
    windows = samples.office_hours()
    layer = a_layer(unit=ShiftUnit.WEEKS, windows=windows)
    assert sentences(judged(of(layer)), CoverageProblemKind.IMBALANCE) == []


def test_a_person_with_twice_the_hours_is_named() -> None:
    found = judged(of(a_layer(members=(ANN, BOB, ANN, CAT))))
    assert sentences(found, CoverageProblemKind.IMBALANCE) == [
        "Ann has 50 % of the hours.",
        "Ann has 50 % of the night hours.",
        "Ann has 50 % of the weekend hours.",
    ]
    assert found.balance == pytest.approx(0.75)
    assert {problem.user_id for problem in found.problems} == {ANN}


def test_a_person_with_far_fewer_hours_is_named() -> None:
    """Nobody is a fifth above the share of 142 hours."""
    days = [START + number * DAY for number in range(30)]
    turns = [1 + number % 4 for number in range(28)] + [5, 5]
    found = coverage_report(
        [Shift(user, day, day + DAY, "one", None) for user, day in zip(turns, days, strict=True)],
        [],
        START,
        START + 30 * DAY,
        "UTC",
        [CoveredPerson(number, f"P{number}") for number in range(1, 6)],
    )
    assert sentences(found, CoverageProblemKind.IMBALANCE)[0] == "P5 has only 6 % of the hours."
    assert not found.even


def test_one_long_turn_against_a_short_one_is_not_even() -> None:
    week, rest = Interval(START, START + 7 * DAY), Interval(START + 7 * DAY, START + 208 * HOUR)
    both = [
        Shift(user, part.start, part.end, "one", None) for user, part in ((ANN, week), (BOB, rest))
    ]
    found = coverage_report(both, [], START, rest.end, "UTC", PEOPLE[:2])
    assert [load.hours for load in found.loads] == [168, 40]
    assert sentences(found, CoverageProblemKind.IMBALANCE) == []
    assert not found.even
    assert judged(of(a_layer(members=(ANN, BOB, CAT))), days=21).even


def test_one_person_with_all_hours_has_balance_0() -> None:
    found = judged(of(a_layer(members=(ANN,))), people=PEOPLE[:2])
    assert found.balance == 0
    assert sentences(found, CoverageProblemKind.IMBALANCE)[0] == "Ann has 100 % of the hours."


def test_uneven_nights_are_named_although_days_are_shared() -> None:
    nights = tuple(Window(day, samples.time(22), samples.time(6)) for day in range(7))
    below = a_layer(members=(ANN, BOB), length=1)
    above = a_layer(id=2, name="nights", members=(BOB,), windows=nights)
    found = judged(of(below, above), people=PEOPLE[:2])
    assert "Bob has 100 % of the night hours." in sentences(found, CoverageProblemKind.IMBALANCE)


def test_gaps_are_in_local_time() -> None:
    schedule = of(
        a_layer(
            zone="Europe/Berlin",
            windows=tuple(
                Window(day, samples.time(22), samples.time(18)) for day in (0, 1, 2, 3, 4, 5, 6)
            ),
        )
    )
    found = judged(schedule, START + HOUR, days=1, zone="Europe/Berlin")
    assert found.gap_hours == 4
    assert sentences(found, CoverageProblemKind.GAP) == [
        "Nobody is on call on Monday, 9 March, 18:00–22:00 (4 h)."
    ]


@pytest.mark.parametrize(
    ("gap", "sentence"),
    [
        (
            Interval(START + 18 * HOUR, START + 33 * HOUR),
            "Nobody is on call from Monday, 9 March, 18:00 to Tuesday, 10 March, 09:00 (15 h).",
        ),
        (
            Interval(START + HOUR, START + 2.5 * HOUR),
            "Nobody is on call on Monday, 9 March, 01:00–02:30 (1.5 h).",
        ),
        (
            Interval(START + HOUR, START + HOUR + 2 * QUARTER),
            "Nobody is on call on Monday, 9 March, 01:00–01:30 (30 min).",
        ),
        (
            Interval(START + HOUR, START + HOUR + timedelta(seconds=5)),
            "Nobody is on call on Monday, 9 March, 01:00–01:00:05 (1 min).",
        ),
    ],
)
def test_a_gap_is_a_sentence(gap: Interval, sentence: str) -> None:
    found = coverage_report((), [gap], START, START + 28 * DAY, "UTC", PEOPLE)
    assert sentences(found, CoverageProblemKind.GAP) == [sentence]


@pytest.mark.parametrize(("count", "last"), [(11, "1 more gap"), (14, "4 more gaps")])
def test_many_gaps_become_a_sum(count: int, last: str) -> None:
    many = [Interval(START + n * DAY, START + n * DAY + HOUR) for n in range(count)]
    found = sentences(
        coverage_report((), many, START, START + 28 * DAY, "UTC", PEOPLE), CoverageProblemKind.GAP
    )
    assert len(found) == 11
    assert found[-1] == f"There are {last} ({count - 10} h)."


@pytest.mark.parametrize(
    ("person", "kind", "sentence"),
    [
        (
            {"active": False},
            CoverageProblemKind.INACTIVE,
            "Cat is inactive and takes no turns.",
        ),
        (
            {"reachable": False},
            CoverageProblemKind.UNREACHABLE,
            "Pages cannot reach Cat: no confirmed contact and no e-mail address.",
        ),
        ({"active": False, "reachable": False}, CoverageProblemKind.UNREACHABLE, None),
        ({"member": False, "active": False}, CoverageProblemKind.INACTIVE, None),
        ({"member": False, "reachable": False}, CoverageProblemKind.UNREACHABLE, None),
    ],
)
def test_people_who_cannot_be_paged(
    person: dict[str, Any], kind: CoverageProblemKind, sentence: str | None
) -> None:
    people = (*PEOPLE[:2], CoveredPerson(CAT, "Cat", **person))
    found = judged(of(a_layer(members=(ANN, BOB))), people=people)
    assert sentences(found, kind) == ([sentence] if sentence else [])


def test_somebody_who_only_has_an_override_must_be_reachable() -> None:
    override = samples.Override(1, CAT, START, START + HOUR)
    cat = CoveredPerson(CAT, "Cat", member=False, reachable=False)
    schedule = of(a_layer(members=(ANN, BOB)), overrides=(override,))
    found = judged(schedule, people=(*PEOPLE[:2], cat))
    assert [problem.user_id for problem in found.problems] == [CAT]
    assert found.loads[2].hours == 1


@pytest.mark.parametrize(
    ("people", "single", "sentence"),
    [
        (PEOPLE[:1], True, "Ann is the only active member; nobody takes turns."),
        ((), False, "No active person is a member of this rotation."),
        ((PEOPLE[0], CoveredPerson(BOB, "Bob", member=False)), True, "Ann is the only"),
    ],
)
def test_a_single_member_is_a_problem(
    people: tuple[CoveredPerson, ...], single: bool, sentence: str
) -> None:
    found = judged(of(a_layer(members=(ANN,))), people=people)
    assert found.single_member is single
    assert found.balance == 1
    assert sentences(found, CoverageProblemKind.SINGLE_MEMBER)[0].startswith(sentence)


def test_nights_and_weekends_follow_the_clock_on_the_wall() -> None:
    """Berlin's clocks go forward on Sunday, 29 March 2026, at 02:00: a night of 7 hours."""
    alone = Shift(ANN, at(2026, 3, 27, 23), at(2026, 3, 29, 22), "first line", None)
    found = coverage_report([alone], [], alone.start, alone.end, "Europe/Berlin", PEOPLE[:1])
    (load,) = found.loads
    assert (load.hours, load.weekend_hours, load.night_hours) == (47, 47, 6 + 7 + 2)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidInput):
        judged(of(a_layer()), zone="Mars/Olympus")


@settings(deadline=None)
@given(samples.changing_days().flatmap(lambda d: st.tuples(st.just(d), samples.schedules(*d))))
def test_the_report_accounts_for_every_hour(case: tuple[tuple[str, datetime], Schedule]) -> None:
    (zone, near), schedule = case
    people = [CoveredPerson(number, f"P{number}") for number in range(1, 7)]
    found = judged(schedule, near - 3 * DAY, 7, zone=zone, people=people)
    total = sum(load.hours for load in found.loads) + found.gap_hours
    assert total == pytest.approx(7 * 24)
    assert 0 <= found.balance <= 1
    for load in found.loads:
        assert 0 <= load.night_hours <= load.hours
        assert 0 <= load.weekend_hours <= load.hours


@settings(deadline=None)
@given(
    samples.changing_days().flatmap(
        lambda d: st.tuples(st.just(d[1]), samples.schedules(*d), samples.schedules(*d))
    )
)
def test_changes_are_where_the_person_differs(case: tuple[datetime, Schedule, Schedule]) -> None:
    near, old, new = case
    start, end = near - 2 * DAY, near + 2 * DAY
    found = diff_shifts(shifts(old, start, end), shifts(new, start, end))
    for number in range(4 * 96):
        instant = start + number * QUARTER
        before, after = (on_call(each, instant) for each in (old, new))
        inside = [each for each in found if each.start <= instant < each.end]
        pair = (before.user_id if before else None, after.user_id if after else None)
        expected = [] if pair[0] == pair[1] else [pair]
        assert [(each.before, each.after) for each in inside] == expected


def test_a_change_is_as_long_as_possible() -> None:
    first = Shift(ANN, START, START + DAY, "one", None)
    second = Shift(ANN, START + DAY, START + 2 * DAY, "one", None)
    assert diff_shifts([first, second], []) == [ShiftChange(START, START + 2 * DAY, ANN, None)]
    assert diff_shifts([], [second]) == [ShiftChange(START + DAY, START + 2 * DAY, None, ANN)]
    assert diff_shifts([first, second], [first, second]) == []
