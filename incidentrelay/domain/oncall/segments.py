"""Pieces of shifts, and how layers of them are laid over each other.

A piece knows the whole turn (or override) that it is a part of. That tells a
handoff, which must stay visible, from a mere cut, which must not.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import Interval, covered
from incidentrelay.domain.oncall.turns import handoff, holder_of, shift_at, turn_number


class Segment(NamedTuple):
    """One person from ``start`` to ``end``, within a turn from ``since`` to ``until``.

    ``layer`` is the id and the name of the layer; None for an override, which has
    ``override_id``.
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
    """Whom the layer alone has on call in [start, end), in order."""
    if inactive.issuperset(layer.members):
        return []
    shift = shift_at(layer, start)
    turn = turn_number(layer, shift)
    since = handoff(layer, shift)
    on_duty = [Interval(since, end)]
    if layer.windows:
        on_duty = covered(layer.windows, layer.zone, since, end)
    pieces: list[Segment] = []
    name = (layer.id, layer.name)
    index = 0
    while since < end and index < len(on_duty):
        shift += 1
        until = handoff(layer, shift)
        takes_turn = False
        user_id = holder_of(layer, turn, inactive)
        while index < len(on_duty) and on_duty[index].start < until and user_id is not None:
            piece_start = max(on_duty[index].start, since)
            piece_end = min(on_duty[index].end, until)
            takes_turn = takes_turn or piece_start < piece_end
            if max(piece_start, start) < piece_end:
                piece_start = max(piece_start, start)
                pieces.append(Segment(user_id, piece_start, piece_end, since, until, name, None))
            if on_duty[index].end > until:
                break
            index += 1
        turn += takes_turn
        since = until
    return pieces


def overlay(below: list[Segment], above: list[Segment]) -> list[Segment]:
    """``above`` where it has somebody, else ``below``. Both are in order and do not overlap."""
    if not below or not above:
        return above or below
    result: list[Segment] = []
    index = 0
    for piece in below:
        start = piece.start
        while index < len(above) and above[index].start < piece.end:
            top = above[index]
            if start < top.start:
                result.append(piece._replace(start=start, end=top.start))
            if top.end > piece.end:
                start = piece.end
                break
            result.append(top)
            start = max(start, top.end)
            index += 1
        if start < piece.end:
            result.append(piece if start == piece.start else piece._replace(start=start))
    result.extend(above[index:])
    return result


def join(pieces: Iterable[Segment]) -> list[Segment]:
    """``pieces`` in order, with those made one that only a cut inside a turn divides."""
    result: list[Segment] = []
    for piece in pieces:
        if result and _same_turn(result[-1], piece):
            result[-1] = result[-1]._replace(end=piece.end, until=piece.until)
        else:
            result.append(piece)
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
