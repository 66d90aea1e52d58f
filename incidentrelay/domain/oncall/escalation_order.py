"""The order in which escalation tries people."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from incidentrelay.domain.local_time import as_utc
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import next_opening
from incidentrelay.domain.oncall.schedule import Schedule, revision_at
from incidentrelay.domain.oncall.shifts import on_call
from incidentrelay.domain.oncall.turns import handoff, holder_of, shift_at, turn_number


def escalation_order(schedule: Schedule, at: datetime) -> tuple[int, ...]:
    """Active user ids, each once, in the order in which escalation tries them.

    1. The person on call.
    2. The members of the highest layer that covers ``at``, starting after the person on
       call. If that person is not a member, starting with the one they replace.
    3. The layers below it, then the layers above it, highest first; each starts with its
       current or next turn.

    If no layer covers ``at``, members come in the order of their next turns.
    """
    at = as_utc(at, "at")
    revision = revision_at(schedule, at)
    inactive = schedule.inactive | revision.inactive
    queues = [list(_next_turns(layer, inactive, at)) for layer in reversed(revision.layers)]
    now = on_call(schedule, at)
    first = [now.user_id] if now else []
    top = next((place for place, queue in enumerate(queues) if queue and queue[0][0] == at), None)
    if top is None:
        # Sorting is stable: at the same instant the higher layer comes first.
        turns = sorted((turn for queue in queues for turn in queue), key=lambda turn: turn[0])
        return _once(first + [user_id for _, user_id in turns])
    orders = [_once(user_id for _, user_id in queue) for queue in queues]
    leading = orders[top]
    if now and now.user_id in leading:
        place = leading.index(now.user_id)
        leading = leading[place:] + leading[:place]
    rest = [user_id for order in orders[top + 1 :] + orders[:top] for user_id in order]
    return _once([*first, *leading, *rest])


def next_member(order: Sequence[int], assignee_id: int | None) -> int | None:
    """The member after the assignee, wrapping around; the first if the assignee is not in it."""
    if not order:
        return None
    if assignee_id not in order:
        return order[0]
    return order[(order.index(assignee_id) + 1) % len(order)]


def _next_turns(
    layer: Layer, inactive: frozenset[int], at: datetime
) -> Iterator[tuple[datetime, int]]:
    """Start and holder of each turn in one round of the layer, from ``at`` on."""
    turn: int | None = None
    since = at
    for _ in layer.members:
        start = next_opening(layer.windows, layer.zone, since)
        shift = shift_at(layer, start)
        turn = turn_number(layer, shift) if turn is None else turn + 1
        user_id = holder_of(layer, turn, inactive)
        if user_id is None:
            return
        yield start, user_id
        since = handoff(layer, shift + 1)


def _once(user_ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(user_ids))
