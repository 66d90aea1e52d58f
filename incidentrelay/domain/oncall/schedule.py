"""Schedules over time: every edit is a revision that takes effect at an instant.

Edits never change the past.
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
    """``layers``, lowest priority first, in effect from an instant (None: always).

    ``inactive`` people are not on call during this revision. So a person can leave
    without changing the past.
    """

    effective_from: datetime | None
    layers: tuple[Layer, ...]
    inactive: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that decides who is on call: revisions and overrides, in any order.

    ``inactive`` people are never on call, in any revision. Of two revisions with the same
    instant, the later one in the tuple wins. Before the first revision, only overrides
    apply.
    """

    revisions: tuple[Revision, ...]
    overrides: tuple[Override, ...] = ()
    inactive: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AbsencePeriod:
    """A person who cannot be on call in [since, until); None is unbounded."""

    user_id: int
    since: datetime | None
    until: datetime | None


def exclude_absent(
    revisions: Sequence[Revision], away: Collection[AbsencePeriod]
) -> tuple[Revision, ...]:
    """Split ``revisions`` (in order) where a person leaves or returns.

    Each part marks those absent at its start as inactive: leaving does not erase
    somebody's past shifts, and returning does not add shifts during the absence.
    """
    if not away:
        return tuple(revisions)
    cuts = {instant for one in away for instant in (one.since, one.until) if instant is not None}
    parts = []
    for index, revision in enumerate(revisions):
        begin = _begin(revision)
        end = _begin(revisions[index + 1]) if index + 1 < len(revisions) else LATEST
        inside = sorted(cut for cut in cuts if begin < cut < end)
        for since in (revision.effective_from, *inside):
            out = frozenset(one.user_id for one in away if _covers(one, since))
            parts.append(replace(revision, effective_from=since, inactive=revision.inactive | out))
    return tuple(parts)


def _covers(away: AbsencePeriod, at: datetime | None) -> bool:
    instant = at or EARLIEST
    return (away.since or EARLIEST) <= instant and (away.until is None or instant < away.until)


def effective_revisions(
    schedule: Schedule, start: datetime, end: datetime
) -> Iterator[tuple[Revision, datetime, datetime]]:
    """The revisions in effect in [start, end), each with its part; together they fill it."""
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
    """The revision in effect at ``at``; an empty one before the first."""
    current = Revision(None, ())
    for revision in sorted(schedule.revisions, key=_begin):
        if _begin(revision) <= at:
            current = revision
    return current


def rebase(old: Schedule, layers: tuple[Layer, ...], at: datetime) -> tuple[Layer, ...]:
    """Set ``turn_offset`` of the edited ``layers`` so that an edit at ``at`` moves no turn.

    Layers are matched by id with those in effect at ``at``. In each match the person
    whose turn it is keeps it until the next handoff of the edited layer; if they were
    removed, the next remaining member of the old order gets it. A layer without a match
    is returned unchanged.
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
    """The index in the new members of the person who has that turn in the old layer."""
    holder = holder_of(old, turn, inactive)
    owner = _same_seat(old, seat_of(old, turn), new)
    # A person may stand in for an inactive member. While they do, the turn stays the
    # inactive member's, and the stand-in's own turn is still to come.
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
    """The new index of the member in that old seat; repeated members keep their order."""
    user_id = old.members[seat]
    mention = old.members[:seat].count(user_id)
    places = [place for place, member in enumerate(new.members) if member == user_id]
    return places[min(mention, len(places) - 1)] if places else None
