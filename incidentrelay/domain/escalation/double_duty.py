"""Finds people whom two steps of a plan would page at the same time.

If the same person is primary and secondary, a second step reaches nobody new. Only steps
that page different rotations count: a step that names a rotation again is a reminder.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, islice

from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.shifts import Shift

_Pair = tuple[int, int]
# Whether the duty begins or ends; the step; its rotation.
_Change = tuple[bool, int, int]


@dataclass(frozen=True, slots=True)
class DutyStep:
    """The rotations that a step pages: their shifts, by id, in the order of the targets.

    ``hours`` are when the step applies; None: always.
    """

    rotations: Mapping[int, Sequence[Shift]]
    hours: Sequence[Interval] | None = None


@dataclass(frozen=True, slots=True)
class DoubleDuty:
    """One person on call in two rotations in [start, end); the first is paged earlier."""

    user_id: int
    start: datetime
    end: datetime
    first_rotation_id: int
    second_rotation_id: int


def find_double_duty(steps: Sequence[DutyStep]) -> list[DoubleDuty]:
    """All double duty of the ``steps`` of a plan, by start, then by the plan's order.

    Shifts that touch are one. O(n log n) in the number of shifts.
    """
    order: dict[int, int] = {}
    changes: dict[int, dict[datetime, list[_Change]]] = defaultdict(lambda: defaultdict(list))
    for number, step in enumerate(steps):
        for rotation_id, shifts in step.rotations.items():
            order.setdefault(rotation_id, len(order))
            for user_id, start, end in _within(shifts, step.hours):
                changes[user_id][start].append((True, number, rotation_id))
                changes[user_id][end].append((False, number, rotation_id))
    conflicts = [
        DoubleDuty(user_id, start, end, *pair)
        for user_id, timeline in changes.items()
        for pair, start, end in _sweep(timeline, order)
    ]
    return sorted(
        conflicts,
        key=lambda each: (
            each.start,
            order[each.first_rotation_id],
            order[each.second_rotation_id],
            each.user_id,
        ),
    )


def _within(
    shifts: Sequence[Shift], hours: Sequence[Interval] | None
) -> Iterator[tuple[int, datetime, datetime]]:
    """The parts of ``shifts`` inside ``hours``; both are in order and disjoint."""
    if hours is None:
        yield from ((shift.user_id, shift.start, shift.end) for shift in shifts)
        return
    first = 0
    for shift in shifts:
        while first < len(hours) and hours[first].end <= shift.start:
            first += 1
        for each in islice(hours, first, None):
            if each.start >= shift.end:
                break
            yield shift.user_id, max(shift.start, each.start), min(shift.end, each.end)


def _sweep(
    timeline: Mapping[datetime, Sequence[_Change]], order: Mapping[int, int]
) -> Iterator[tuple[_Pair, datetime, datetime]]:
    """When each pair of rotations has one person, whose duties change by ``timeline``."""
    steps_of: dict[int, set[int]] = defaultdict(set)
    since: dict[_Pair, datetime] = {}
    for at in sorted(timeline):
        # Ends come first, so that a handoff to the same person is no interruption.
        for begins, number, rotation_id in sorted(timeline[at]):
            (steps_of[rotation_id].add if begins else steps_of[rotation_id].discard)(number)
        pairs = set(_pairs({key: found for key, found in steps_of.items() if found}, order))
        for pair in since.keys() - pairs:
            yield pair, since.pop(pair), at
        for pair in pairs - since.keys():
            since[pair] = at


def _pairs(steps_of: Mapping[int, set[int]], order: Mapping[int, int]) -> Iterator[_Pair]:
    """The pairs of rotations that two different steps page."""
    for first, second in combinations(sorted(steps_of, key=order.__getitem__), 2):
        if len(steps_of[first] | steps_of[second]) > 1:
            yield first, second
