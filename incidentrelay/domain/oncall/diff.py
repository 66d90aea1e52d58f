"""Compares two versions of a schedule over the same period."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from incidentrelay.domain.oncall.shifts import Shift


@dataclass(frozen=True, slots=True)
class ShiftChange:
    """In [start, end) ``after`` is on call instead of ``before`` (None: nobody)."""

    start: datetime
    end: datetime
    before: int | None
    after: int | None


def diff_shifts(before: Sequence[Shift], after: Sequence[Shift]) -> list[ShiftChange]:
    """List the intervals in which a different person is on call; adjacent equal ones are merged.

    Both sequences are in order.
    """
    return [each for each in changed_intervals(before, after) if each.before != each.after]


def changed_intervals(before: Sequence[Shift], after: Sequence[Shift]) -> list[ShiftChange]:
    """Compare both side by side, unchanged intervals included, from first start to last end."""
    cuts = sorted({at for shift in (*before, *after) for at in (shift.start, shift.end)})
    changes: list[ShiftChange] = []
    left, right = _Pointer(before), _Pointer(after)
    for start, end in pairwise(cuts):
        change = ShiftChange(start, end, left.user_at(start), right.user_at(start))
        last = changes[-1] if changes else None
        if last is not None and replace(last, start=start, end=end) == change and last.end == start:
            changes[-1] = replace(last, end=end)
        else:
            changes.append(change)
    return changes


class _Pointer:
    """A cursor over shifts; each call must ask for a later instant than the one before."""

    def __init__(self, shifts: Sequence[Shift]) -> None:
        self._shifts = shifts
        self._index = 0

    def user_at(self, at: datetime) -> int | None:
        while self._index < len(self._shifts) and self._shifts[self._index].end <= at:
            self._index += 1
        if self._index == len(self._shifts) or self._shifts[self._index].start > at:
            return None
        return self._shifts[self._index].user_id
