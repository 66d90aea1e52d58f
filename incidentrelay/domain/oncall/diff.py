"""What differs between two versions of the same stretch of time."""

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
    """Where the person on call differs; both in order. Each change is as long as possible."""
    return [each for each in changed_intervals(before, after) if each.before != each.after]


def changed_intervals(before: Sequence[Shift], after: Sequence[Shift]) -> list[ShiftChange]:
    """Both side by side, also where they are the same; between the first start and last end."""
    cuts = sorted({at for shift in (*before, *after) for at in (shift.start, shift.end)})
    found: list[ShiftChange] = []
    left, right = _Pointer(before), _Pointer(after)
    for start, end in pairwise(cuts):
        change = ShiftChange(start, end, left.user_at(start), right.user_at(start))
        last = found[-1] if found else None
        if last is not None and replace(last, start=start, end=end) == change and last.end == start:
            found[-1] = replace(last, end=end)
        else:
            found.append(change)
    return found


class _Pointer:
    """Walks along shifts, with instants that only grow."""

    def __init__(self, shifts: Sequence[Shift]) -> None:
        self._shifts = shifts
        self._index = 0

    def user_at(self, at: datetime) -> int | None:
        while self._index < len(self._shifts) and self._shifts[self._index].end <= at:
            self._index += 1
        if self._index == len(self._shifts) or self._shifts[self._index].start > at:
            return None
        return self._shifts[self._index].user_id
