"""Segments of shifts, and how layers of them are overlaid.

A segment knows the whole turn or override that it is part of. This distinguishes a
handoff, which must stay visible, from a cut, which must not.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import Interval, covered
from incidentrelay.domain.oncall.turns import handoff, holder_of, shift_at, turn_number


class Segment(NamedTuple):
    """One person from ``start`` to ``end``, within a turn from ``since`` to ``until``.

    ``layer`` is the layer's id and name. An override has ``override_id`` instead.
    """

    user_id: int
    start: datetime
    end: datetime
    since: datetime
    until: datetime
    layer: tuple[int | None, str] | None
    override_id: int | None


def layer_segments(
    layer: Layer, inactive: frozenset[int], start: datetime, end: datetime
) -> list[Segment]:
    """Who is on call in [start, end) by this layer alone, in order."""
    if inactive.issuperset(layer.members):
        return []
    shift = shift_at(layer, start)
    turn = turn_number(layer, shift)
    since = handoff(layer, shift)
    intervals = [Interval(since, end)]
    if layer.windows:
        intervals = covered(layer.windows, layer.zone, since, end)
    segments: list[Segment] = []
    name = (layer.id, layer.name)
    index = 0
    while since < end and index < len(intervals):
        shift += 1
        until = handoff(layer, shift)
        takes_turn = False
        user_id = holder_of(layer, turn, inactive)
        while index < len(intervals) and intervals[index].start < until and user_id is not None:
            segment_start = max(intervals[index].start, since)
            segment_end = min(intervals[index].end, until)
            takes_turn = takes_turn or segment_start < segment_end
            if max(segment_start, start) < segment_end:
                segment_start = max(segment_start, start)
                segments.append(
                    Segment(user_id, segment_start, segment_end, since, until, name, None)
                )
            if intervals[index].end > until:
                break
            index += 1
        turn += takes_turn
        since = until
    return segments


def overlay(below: list[Segment], above: list[Segment]) -> list[Segment]:
    """``above`` where somebody is on call there, else ``below``; both sorted and disjoint."""
    if not below or not above:
        return above or below
    result: list[Segment] = []
    index = 0
    for segment in below:
        start = segment.start
        while index < len(above) and above[index].start < segment.end:
            top = above[index]
            if start < top.start:
                result.append(segment._replace(start=start, end=top.start))
            if top.end > segment.end:
                start = segment.end
                break
            result.append(top)
            start = max(start, top.end)
            index += 1
        if start < segment.end:
            result.append(segment if start == segment.start else segment._replace(start=start))
    result.extend(above[index:])
    return result


def join(segments: Iterable[Segment]) -> list[Segment]:
    """Merge sorted ``segments`` that are separated only by a cut inside a turn."""
    result: list[Segment] = []
    for segment in segments:
        if result and _same_turn(result[-1], segment):
            result[-1] = result[-1]._replace(end=segment.end, until=segment.until)
        else:
            result.append(segment)
    return result


def _same_turn(left: Segment, right: Segment) -> bool:
    cut = right.start
    return (
        left.end == cut
        and left.user_id == right.user_id
        and left.layer == right.layer
        and left.override_id == right.override_id
        and left.until > cut > right.since
    )
