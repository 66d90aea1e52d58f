"""Overrides: one person replaces the person on call for a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import pairwise

from incidentrelay.domain.oncall.segments import Segment


@dataclass(frozen=True, slots=True)
class Override:
    """``user_id`` is on call in [start, end), even if nobody else would be.

    If two overlap, the newer one (higher ``id``) wins.
    """

    id: int
    user_id: int
    start: datetime
    end: datetime


def override_segments(
    overrides: Iterable[Override], inactive: frozenset[int], start: datetime, end: datetime
) -> list[Segment]:
    """The overridden parts of [start, end), in order.

    An override by an inactive person is ignored: the person it would replace stays on call.
    """
    waiting = sorted(
        (
            each
            for each in overrides
            if each.start < end and start < each.end and each.user_id not in inactive
        ),
        key=lambda each: each.start,
        reverse=True,
    )
    cuts = sorted({max(each.start, start) for each in waiting} | {each.end for each in waiting})
    running: list[tuple[int, Override]] = []
    segments: list[Segment] = []
    for cut, following in pairwise(cuts):
        while waiting and waiting[-1].start <= cut:
            override = waiting.pop()
            heappush(running, (-override.id, override))
        while running and running[0][1].end <= cut:
            heappop(running)
        if running and cut < end:
            segments.append(_segment(running[0][1], cut, min(following, end)))
    return segments


def _segment(override: Override, start: datetime, end: datetime) -> Segment:
    return Segment(override.user_id, start, end, override.start, override.end, None, override.id)
