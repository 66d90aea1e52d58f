"""How good a stretch of a schedule is: gaps, and how evenly people carry it.

Nights (22:00 to 06:00) and weekends (Saturday and Sunday) are those of the clock on
the wall in one zone, by the same rule as windows of layers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import islice

from incidentrelay.domain.local_time import wall_of, zone_of
from incidentrelay.domain.oncall.restrictions import Interval, Window, covered
from incidentrelay.domain.oncall.shifts import Shift

NIGHTS = tuple(Window(weekday, time(22), time(6)) for weekday in range(7))
WEEKENDS = (Window(5, time(0), time(0)), Window(6, time(0), time(0)))

# More gaps than this are told as a sum.
_MOST_GAPS = 10
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)
_NONE = timedelta(0)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January February March April May June July August September October November December"
).split()


@dataclass(frozen=True, slots=True)
class CoveredPerson:
    """Somebody of a rotation, by the name that people know.

    ``member``: of a layer, and not only by an override. ``reachable``: has an address
    outside of IncidentRelay itself.
    """

    user_id: int
    name: str
    member: bool = True
    active: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class Workload:
    """What one person carries, in hours; nights and weekends are parts of ``hours``."""

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
    """One finding as a sentence, about a person or about the whole (None)."""

    kind: CoverageProblemKind
    sentence: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """The report of [start, end).

    ``balance`` is 1 where all active members carry the same number of hours, and 0
    where one of several carries all. It is 1 where there is nobody to compare with.
    """

    start: datetime
    end: datetime
    zone: str
    gaps: tuple[Interval, ...]
    gap_hours: float
    loads: tuple[Workload, ...]
    balance: float
    single_member: bool
    problems: tuple[CoverageProblem, ...]


@dataclass(frozen=True, slots=True)
class _Measure:
    """One kind of hours: the sum for each person, and the longest turn.

    A turn is what one person has in a layer within a week, before a handoff or another
    person. Windows and higher layers divide it into shifts, but those do not touch.
    """

    noun: str
    totals: dict[int, timedelta]
    longest: timedelta

    def of(self, person: CoveredPerson) -> timedelta:
        return self.totals.get(person.user_id, _NONE)


def coverage_report(
    shifts: Sequence[Shift],
    gaps: Sequence[Interval],
    start: datetime,
    end: datetime,
    zone: str,
    people: Sequence[CoveredPerson],
) -> CoverageReport:
    """The quality of [start, end), from its ``shifts`` and ``gaps`` (both in order).

    ``people`` are all members of the layers and everybody who has a shift; loads come
    in their order. Raises InvalidInput where there is no such zone.
    """
    inside = [Interval(max(each.start, start), min(each.end, end)) for each in shifts]
    everything, nights, weekends = (
        _measured(noun, shifts, inside, duty)
        for noun, duty in (
            ("hours", [Interval(start, end)] if start < end else []),
            ("night hours", covered(NIGHTS, zone, start, end)),
            ("weekend hours", covered(WEEKENDS, zone, start, end)),
        )
    )
    active = [person for person in people if person.member and person.active]
    return CoverageReport(
        start=start,
        end=end,
        zone=zone,
        gaps=tuple(gaps),
        gap_hours=_hours(sum((gap.end - gap.start for gap in gaps), _NONE)),
        loads=tuple(
            Workload(
                person,
                hours=_hours(everything.of(person)),
                night_hours=_hours(nights.of(person)),
                weekend_hours=_hours(weekends.of(person)),
            )
            for person in people
        ),
        balance=_balance([everything.of(person) for person in active]),
        single_member=len(active) == 1,
        problems=(
            *_gap_problems(gaps, zone),
            *_member_problems(active),
            *_imbalances((everything, nights, weekends), active),
            *_person_problems(people, everything),
        ),
    )


def _measured(
    noun: str, shifts: Sequence[Shift], inside: Sequence[Interval], duty: Sequence[Interval]
) -> _Measure:
    """How much of each shift, whose part in question is ``inside``, lies in ``duty``."""
    totals: dict[int, timedelta] = {}
    turns: dict[str | None, tuple[datetime, Shift, timedelta]] = {}
    longest = _NONE
    first = 0
    for shift, part in zip(shifts, inside, strict=True):
        while first < len(duty) and duty[first].end <= part.start:
            first += 1
        length = _NONE
        for each in islice(duty, first, None):
            if each.start >= part.end:
                break
            length += max(_NONE, min(each.end, part.end) - max(each.start, part.start))
        totals[shift.user_id] = totals.get(shift.user_id, _NONE) + length
        since, last, so_far = turns.get(shift.layer, (shift.start, shift, _NONE))
        touches = last.end == shift.start
        if last.user_id != shift.user_id or touches or shift.start - since >= _WEEK:
            since, so_far = shift.start, _NONE
        so_far += length
        turns[shift.layer] = (since, shift, so_far)
        longest = max(longest, so_far)
    return _Measure(noun, totals, longest)


def _balance(carried: Sequence[timedelta]) -> float:
    """1 less the part of all hours that would have to change hands, as a part of the most."""
    total = sum(carried, _NONE)
    count = len(carried)
    if count < 2 or not total:
        return 1.0
    # Multiplied by the number of people, so that nothing is rounded.
    too_much = sum((max(_NONE, each * count - total) for each in carried), _NONE)
    return 1 - too_much / (total * (count - 1))


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
    measures: Iterable[_Measure], active: Sequence[CoveredPerson]
) -> Iterable[CoverageProblem]:
    """Who carries clearly too much.

    That is a fifth above the fair share, and at least one whole turn: in a time too
    short for a turn of everybody, some have one more than others by necessity.
    """
    count = len(active)
    for measure in measures:
        everybody = sum(measure.totals.values(), _NONE)
        total = sum((measure.of(each) for each in active), _NONE)
        for person in active if total else ():
            own = measure.of(person)
            if own * count - total >= measure.longest * count and own * count * 5 > total * 6:
                sentence = f"{person.name} has {own * 100 // everybody} % of the {measure.noun}."
                yield CoverageProblem(CoverageProblemKind.IMBALANCE, sentence, person.user_id)


def _person_problems(
    people: Iterable[CoveredPerson], carried: _Measure
) -> Iterable[CoverageProblem]:
    for person in people:
        if person.member and not person.active:
            sentence = f"{person.name} is not active and gets no turn."
            yield CoverageProblem(CoverageProblemKind.INACTIVE, sentence, person.user_id)
        elif not person.reachable and (person.member or carried.of(person)):
            sentence = f"{person.name} has neither an e-mail address nor a phone number."
            yield CoverageProblem(CoverageProblemKind.UNREACHABLE, sentence, person.user_id)


def _span(gap: Interval, zone: str) -> str:
    start, end = (wall_of(at, zone_of(zone)) for at in (gap.start, gap.end))
    if start.date() == end.date():
        return f"on {_day(start)} {_clock(start)}–{_clock(end)}"
    return f"from {_day(start)} {_clock(start)} to {_day(end)} {_clock(end)}"


def _day(wall: datetime) -> str:
    return f"{_DAYS[wall.weekday()]}, {wall.day} {_MONTHS[wall.month - 1]},"


def _clock(wall: datetime) -> str:
    return f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"


def _long(length: timedelta) -> str:
    """A length for people: in hours, below one hour in minutes."""
    if length < _HOUR:
        return f"{max(1, round(length / timedelta(minutes=1)))} min"
    return f"{_hours(length):.1f}".removesuffix(".0") + " h"


def _hours(length: timedelta) -> float:
    return length / _HOUR
