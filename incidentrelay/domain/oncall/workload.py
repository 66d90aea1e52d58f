"""Measures how many hours each person carries, and how evenly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.shifts import Shift

_WEEK = timedelta(days=7)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class HoursMeasure:
    """One kind of hours: the total of each person, and the longest turn.

    A turn ends at a handoff, at another person's shift, or after a week. Windows and
    higher layers split a turn into shifts that do not touch.
    """

    noun: str
    totals: dict[int, timedelta]
    longest: timedelta

    def hours_of(self, user_id: int) -> timedelta:
        return self.totals.get(user_id, _NONE)


def measure_hours(
    noun: str, shifts: Sequence[Shift], inside: Sequence[Interval], counted: Sequence[Interval]
) -> HoursMeasure:
    """Sum how much of each shift, cut to its interval of ``inside``, is in ``counted``."""
    totals: dict[int, timedelta] = {}
    turns: dict[str | None, tuple[datetime, Shift, timedelta]] = {}
    longest = _NONE
    first = 0
    for shift, part in zip(shifts, inside, strict=True):
        while first < len(counted) and counted[first].end <= part.start:
            first += 1
        length = _NONE
        for each in islice(counted, first, None):
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
    return HoursMeasure(noun, totals, longest)


def balance_of(hours: Sequence[timedelta]) -> float:
    """1 minus the share of hours that must move to be even, relative to the worst case."""
    total = sum(hours, _NONE)
    count = len(hours)
    if count < 2 or not total:
        return 1.0
    # Multiplied by the number of people to stay exact.
    too_much = sum((max(_NONE, each * count - total) for each in hours), _NONE)
    return 1 - too_much / (total * (count - 1))


def is_even(hours: Sequence[timedelta]) -> bool:
    """Whether everybody is within 20 % of the fair share."""
    total = sum(hours, _NONE)
    return all(abs(own * len(hours) - total) * 5 <= total for own in hours)
