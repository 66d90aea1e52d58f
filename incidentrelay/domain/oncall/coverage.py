"""Reports the gaps of a schedule, and how evenly its hours are shared.

Nights (22:00 to 06:00) and weekends (Saturday and Sunday) follow the wall clock of one
zone, by the same rule as the windows of layers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from incidentrelay.domain.local_time import wall_of, zone_of
from incidentrelay.domain.oncall.restrictions import Interval, Window, covered
from incidentrelay.domain.oncall.shifts import Shift
from incidentrelay.domain.oncall.workload import (
    HoursMeasure,
    balance_of,
    is_even,
    measure_hours,
)
from incidentrelay.domain.text import MONTHS, WEEKDAYS, clock

NIGHTS = tuple(Window(weekday, time(22), time(6)) for weekday in range(7))
WEEKENDS = (Window(5, time(0), time(0)), Window(6, time(0), time(0)))

# Further gaps are reported as one sum.
_MOST_GAPS = 10
_HOUR = timedelta(hours=1)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class CoveredPerson:
    """A person in a rotation, with their display name.

    ``member``: in a layer, not only in an override. ``reachable``: has a contact outside
    IncidentRelay that a page can go to.
    """

    user_id: int
    name: str
    member: bool = True
    active: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class Workload:
    """The hours of one person; nights and weekends are included in ``hours``."""

    person: CoveredPerson
    hours: float
    night_hours: float
    weekend_hours: float


class CoverageProblemKind(StrEnum):
    GAP = "gap"
    SINGLE_MEMBER = "single_member"
    IMBALANCE = "imbalance"
    INACTIVE = "inactive"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class CoverageProblem:
    """One problem as a sentence; ``user_id`` is None if it concerns the whole schedule."""

    kind: CoverageProblemKind
    sentence: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Coverage of [start, end).

    ``balance`` ranges from 0 (one of several active members has all hours) to 1 (all have
    the same, or there is only one). ``even``: each has within 20 % of the fair share.
    """

    start: datetime
    end: datetime
    zone: str
    gaps: tuple[Interval, ...]
    gap_hours: float
    loads: tuple[Workload, ...]
    balance: float
    even: bool
    single_member: bool
    problems: tuple[CoverageProblem, ...]


def coverage_report(
    shifts: Sequence[Shift],
    gaps: Sequence[Interval],
    start: datetime,
    end: datetime,
    zone: str,
    people: Sequence[CoveredPerson],
) -> CoverageReport:
    """Report on [start, end), given its ``shifts`` and ``gaps`` in order.

    ``people`` are all members of the layers and everybody who has a shift; ``loads`` keeps
    their order. Raises InvalidInput for an unknown zone.
    """
    measures = _measure(shifts, start, end, zone)
    total = measures[0]
    active = [person for person in people if person.member and person.active]
    hours = [total.hours_of(person.user_id) for person in active]
    return CoverageReport(
        start=start,
        end=end,
        zone=zone,
        gaps=tuple(gaps),
        gap_hours=_hours(sum((gap.end - gap.start for gap in gaps), _NONE)),
        loads=tuple(_load(person, measures) for person in people),
        balance=balance_of(hours),
        even=is_even(hours),
        single_member=len(active) == 1,
        problems=(
            *_gap_problems(gaps, zone),
            *_member_problems(active),
            *_imbalances(measures, active),
            *_person_problems(people, total),
        ),
    )


def _measure(
    shifts: Sequence[Shift], start: datetime, end: datetime, zone: str
) -> tuple[HoursMeasure, HoursMeasure, HoursMeasure]:
    """All hours, night hours and weekend hours of ``shifts`` in [start, end)."""
    inside = [Interval(max(each.start, start), min(each.end, end)) for each in shifts]
    period = [Interval(start, end)] if start < end else []
    return (
        measure_hours("hours", shifts, inside, period),
        measure_hours("night hours", shifts, inside, covered(NIGHTS, zone, start, end)),
        measure_hours("weekend hours", shifts, inside, covered(WEEKENDS, zone, start, end)),
    )


def _load(person: CoveredPerson, measures: Iterable[HoursMeasure]) -> Workload:
    return Workload(person, *(_hours(each.hours_of(person.user_id)) for each in measures))


def _gap_problems(gaps: Sequence[Interval], zone: str) -> Iterable[CoverageProblem]:
    for gap in gaps[:_MOST_GAPS]:
        sentence = f"Nobody is on call {_span(gap, zone)} ({_long(gap.end - gap.start)})."
        yield CoverageProblem(CoverageProblemKind.GAP, sentence)
    rest = gaps[_MOST_GAPS:]
    if rest:
        length = _long(sum((gap.end - gap.start for gap in rest), _NONE))
        more = "gap" if len(rest) == 1 else "gaps"
        yield CoverageProblem(
            CoverageProblemKind.GAP, f"There are {len(rest)} more {more} ({length})."
        )


def _member_problems(active: Sequence[CoveredPerson]) -> Iterable[CoverageProblem]:
    if not active:
        yield CoverageProblem(
            CoverageProblemKind.SINGLE_MEMBER, "No active person is a member of this rotation."
        )
    elif len(active) == 1:
        sentence = f"{active[0].name} is the only active member; nobody takes turns."
        yield CoverageProblem(CoverageProblemKind.SINGLE_MEMBER, sentence, active[0].user_id)


def _imbalances(
    measures: Iterable[HoursMeasure], active: Sequence[CoveredPerson]
) -> Iterable[CoverageProblem]:
    """Report people with clearly too many hours or, if there are none, with clearly too few.

    "Clearly" means more than 20 % off the fair share and at least one whole turn: in a
    period too short for everybody's turn, some people have one turn more than others.
    """
    for measure in measures:
        everybody = sum(measure.totals.values(), _NONE)
        above, below = _outliers(measure, active)
        for person in above or below:
            share = measure.hours_of(person.user_id) * 100 // everybody
            only = "" if above else "only "
            sentence = f"{person.name} has {only}{share} % of the {measure.noun}."
            yield CoverageProblem(CoverageProblemKind.IMBALANCE, sentence, person.user_id)


def _outliers(
    measure: HoursMeasure, active: Sequence[CoveredPerson]
) -> tuple[list[CoveredPerson], list[CoveredPerson]]:
    """People clearly above and people clearly below the fair share."""
    total = sum((measure.hours_of(person.user_id) for person in active), _NONE)
    above: list[CoveredPerson] = []
    below: list[CoveredPerson] = []
    for person in active if total else ():
        # Multiplied by the number of people to stay exact.
        excess = measure.hours_of(person.user_id) * len(active) - total
        if abs(excess) * 5 > total and abs(excess) >= measure.longest * len(active):
            (above if excess > _NONE else below).append(person)
    return above, below


def _person_problems(
    people: Iterable[CoveredPerson], measure: HoursMeasure
) -> Iterable[CoverageProblem]:
    for person in people:
        if person.member and not person.active:
            sentence = f"{person.name} is inactive and takes no turns."
            yield CoverageProblem(CoverageProblemKind.INACTIVE, sentence, person.user_id)
        elif not person.reachable and (person.member or measure.hours_of(person.user_id)):
            sentence = (
                f"Pages cannot reach {person.name}: no confirmed contact and no e-mail address."
            )
            yield CoverageProblem(CoverageProblemKind.UNREACHABLE, sentence, person.user_id)


def _span(gap: Interval, zone: str) -> str:
    start, end = (wall_of(at, zone_of(zone)) for at in (gap.start, gap.end))
    if start.date() == end.date():
        return f"on {_day(start)} {clock(start)}–{clock(end)}"
    return f"from {_day(start)} {clock(start)} to {_day(end)} {clock(end)}"


def _day(wall: datetime) -> str:
    return f"{WEEKDAYS[wall.weekday()]}, {wall.day} {MONTHS[wall.month - 1]},"


def _long(length: timedelta) -> str:
    """Format a length: ``12.5 h``, or ``45 min`` if below one hour."""
    if length < _HOUR:
        return f"{max(1, round(length / timedelta(minutes=1)))} min"
    return f"{_hours(length):.1f}".removesuffix(".0") + " h"


def _hours(length: timedelta) -> float:
    return length / _HOUR
