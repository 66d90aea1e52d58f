"""Schedules over time: every edit is a revision with an instant from which it holds.

What a revision said before that instant is history and stays as it was.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from incidentrelay.domain.local_time import EARLIEST, LATEST, as_utc
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.turns import holder_of, seat_of, shift_at, turn_number


@dataclass(frozen=True, slots=True)
class Revision:
    """``layers``, the lowest priority first, from an instant on (None: since ever).

    ``inactive`` are people who are not on call while this revision holds. It lets
    somebody leave without a change of the past.
    """

    effective_from: datetime | None
    layers: tuple[Layer, ...]
    inactive: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that decides who is on call: revisions in any order, overrides in any order.

    ``inactive`` are people who are never on call, whatever the revision. Of two
    revisions with the same instant the later one in the tuple holds. Before the
    first revision there is nobody but overrides.
    """

    revisions: tuple[Revision, ...]
    overrides: tuple[Override, ...] = ()
    inactive: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AbsencePeriod:
    """Somebody who cannot be on call during [since, until); None: always did, for ever."""

    user_id: int
    since: datetime | None
    until: datetime | None


def exclude_absent(
    revisions: Sequence[Revision], away: Collection[AbsencePeriod]
) -> tuple[Revision, ...]:
    """``revisions`` in their order, cut where somebody leaves or comes back.

    Each part leaves out those who are away at its beginning, so that nobody loses the
    past by leaving, and nobody is given the time of their absence by coming back.
    """
    if not away:
        return tuple(revisions)
    cuts = {instant for one in away for instant in (one.since, one.until) if instant is not None}
    found = []
    for index, revision in enumerate(revisions):
        begin = _begin(revision)
        end = _begin(revisions[index + 1]) if index + 1 < len(revisions) else LATEST
        inside = sorted(cut for cut in cuts if begin < cut < end)
        for since in (revision.effective_from, *inside):
            out = frozenset(one.user_id for one in away if _covers(one, since))
            found.append(replace(revision, effective_from=since, inactive=revision.inactive | out))
    return tuple(found)


def _covers(away: AbsencePeriod, at: datetime | None) -> bool:
    instant = at or EARLIEST
    return (away.since or EARLIEST) <= instant and (away.until is None or instant < away.until)


def effective_revisions(
    schedule: Schedule, start: datetime, end: datetime
) -> Iterator[tuple[Revision, datetime, datetime]]:
    """The revisions that hold in [start, end), each with its part of it; they fill it."""
    current = Revision(None, ())
    for revision in sorted(schedule.revisions, key=_begin):
        begin = _begin(revision)
        if begin >= end:
            break
        if begin > start:
            yield current, start, begin
            start = begin
        current = revision
    yield current, start, end


def revision_at(schedule: Schedule, at: datetime) -> Revision:
    """The revision that holds at ``at``; an empty one before the first."""
    current = Revision(None, ())
    for revision in sorted(schedule.revisions, key=_begin):
        if _begin(revision) <= at:
            current = revision
    return current


def rebase(old: Schedule, layers: tuple[Layer, ...], at: datetime) -> tuple[Layer, ...]:
    """``layers`` as they should hold from ``at`` on, so that nobody loses a turn by the edit.

    Layers are matched by their id with those that hold at ``at``. In each match,
    whoever has the turn keeps it until the next handoff of the edited layer; when
    that person was removed, the next one of the old order who is still there has
    it. Only ``turn_offset`` changes. A layer without a match stays as it is.
    """
    at = as_utc(at, "at")
    revision = revision_at(old, at)
    inactive = old.inactive | revision.inactive
    known = {layer.id: layer for layer in revision.layers if layer.id is not None}
    return tuple(
        _carry_over(known[layer.id], layer, inactive, at) if layer.id in known else layer
        for layer in layers
    )


def _begin(revision: Revision) -> datetime:
    return revision.effective_from or EARLIEST


def _carry_over(old: Layer, new: Layer, inactive: frozenset[int], at: datetime) -> Layer:
    if not old.members or not new.members:
        return new
    seat = _kept_seat(old, new, inactive, turn_number(old, shift_at(old, at)))
    if seat is None:
        return new
    turn = turn_number(new, shift_at(new, at))
    return replace(new, turn_offset=(seat - turn) % len(new.members))


def _kept_seat(old: Layer, new: Layer, inactive: frozenset[int], turn: int) -> int | None:
    """The place in the new members of whoever has that turn of the old layer."""
    holder = holder_of(old, turn, inactive)
    owner = _same_seat(old, seat_of(old, turn), new)
    # Somebody may stand in for an inactive member. As long as that stays so, it
    # remains the turn of the inactive one, and the stand-in's own is yet to come.
    if owner is not None and holder_of(replace(new, turn_offset=owner), 0, inactive) == holder:
        return owner
    spare: int | None = None
    for step in range(len(old.members)):
        seat = seat_of(old, turn + step)
        kept = _same_seat(old, seat, new)
        if kept is not None and old.members[seat] not in inactive:
            return kept
        spare = kept if spare is None else spare
    return spare


def _same_seat(old: Layer, seat: int, new: Layer) -> int | None:
    """Where the member of that old place sits now, the second mention as the second."""
    user_id = old.members[seat]
    mention = old.members[:seat].count(user_id)
    places = [place for place, member in enumerate(new.members) if member == user_id]
    return places[min(mention, len(places) - 1)] if places else None
