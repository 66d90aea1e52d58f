"""Take, cover and swap shifts by creating overrides.

The past never changes: of a shift that has started, only the rest changes hands.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.local_time import check_year
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, on_call, shifts
from incidentrelay.models import Rotation, RotationOverride, Team, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import resources, team_lookup
from incidentrelay.services.oncall import overrides, previews, schedules

MAX_PARTS = 100


def take_shift(
    session: Session,
    rotation: Rotation,
    *,
    at: datetime | None = None,
    until: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> list[RotationOverride]:
    """Give the actor the shift that contains ``at`` (None: now), to its end or ``until``.

    Raises Conflict if there is no shift then or the actor already has it, and InvalidInput
    if the shift is over or ``until`` is not within the rest of it.
    """
    team, schedule = _locked(session, rotation)
    me = _myself(session, team, actor)
    shift = _shift(schedule, now if at is None else at, "at", now)
    if shift.user_id == me.id:
        raise Conflict("You already have this shift.")
    start = max(shift.start, now)
    end = shift.end if until is None else until
    if not start < end <= shift.end:
        rest = _format_interval(start, shift.end)
        raise InvalidInput.of("until", f"The rest of the shift is from {rest}.")
    reason = f"Taken over from {_name(session, shift)}."
    return [_override(session, rotation, me, Interval(start, end), reason, actor=actor, now=now)]


def cover_shift(
    session: Session,
    rotation: Rotation,
    *,
    user: str,
    start: datetime,
    end: datetime,
    covered: str | None = None,
    actor: Actor,
    now: datetime,
) -> list[RotationOverride]:
    """Let ``user`` replace ``covered`` (None: the actor) in all their shifts in [start, end).

    Starts now at the earliest. Both are usernames of active members of the group. Raises
    InvalidInput (``user``, ``for``, ``from``, ``to``), and Conflict if the covered person
    is not on call then, or in more than 100 separate shifts.
    """
    if end <= now:
        raise InvalidInput.of("to", "This is in the past.")
    start = max(start, now)
    previews.check_span(start, end)
    team, schedule = _locked(session, rotation)
    whom = (
        _myself(session, team, actor)
        if covered is None
        else user_lookup.find_member(session, team.group_id, covered, "for")
    )
    other = user_lookup.find_member(session, team.group_id, user, "user")
    if other.id == whom.id:
        raise InvalidInput.of("user", "Nobody can stand in for themselves.")
    parts = _parts(shifts(schedule, start, end), whom.id)
    if not parts:
        raise Conflict(f"{whom.display_name} is not on call in this period.")
    if len(parts) > MAX_PARTS:
        raise Conflict(f"This period has more than {MAX_PARTS} shifts; choose a shorter one.")
    reason = f"Stands in for {whom.display_name}."
    return [
        _override(session, rotation, other, part, reason, actor=actor, now=now) for part in parts
    ]


def swap_shifts(
    session: Session,
    rotation: Rotation,
    *,
    mine: datetime,
    theirs: datetime,
    actor: Actor,
    now: datetime,
) -> list[RotationOverride]:
    """Swap the actor's shift at ``mine`` with another person's at ``theirs``.

    Raises Conflict if the first is not the actor's, the second is, or one does not exist;
    InvalidInput if one is over.
    """
    team, schedule = _locked(session, rotation)
    me = _myself(session, team, actor)
    own = _shift(schedule, mine, "mine", now)
    other = _shift(schedule, theirs, "theirs", now)
    if own.user_id != me.id:
        raise Conflict(f"The shift at “mine” is not yours; {_name(session, own)} has it.")
    if other.user_id == me.id:
        raise Conflict("The shift at “theirs” is your own.")
    them = session.get_one(User, other.user_id)
    swaps = ((me, other, them), (them, own, me))
    return [
        _override(
            session,
            rotation,
            taker,
            _rest(shift, now),
            f"Swapped with {giver.display_name}.",
            actor=actor,
            now=now,
        )
        for taker, shift, giver in swaps
    ]


def _locked(session: Session, rotation: Rotation) -> tuple[Team, Schedule]:
    """The team and the schedule; locks the group against concurrent overrides."""
    team = team_lookup.find_team(session, rotation)
    resources.lock_group(session, team.group_id)
    return team, schedules.load_schedule(session, rotation.id)


def _myself(session: Session, team: Team, actor: Actor) -> User:
    if actor.user_id is not None:
        query = select(User.username).where(User.id == actor.user_id)
        try:
            return user_lookup.find_member(session, team.group_id, session.scalar(query), "user")
        except InvalidInput:
            # Site admins may do this without belonging to the group.
            raise Conflict("Only members of the group can be on call; you are not one.") from None
    raise Conflict("Only a person can be on call.")


def _shift(schedule: Schedule, at: datetime, field: str, now: datetime) -> Shift:
    check_year(at, field)
    shift = on_call(schedule, at)
    if shift is None:
        raise Conflict(f"Nobody has a shift at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC.")
    if shift.end <= now:
        raise InvalidInput.of(field, "This shift is over.")
    return shift


def _rest(shift: Shift, now: datetime) -> Interval:
    return Interval(max(shift.start, now), shift.end)


def _parts(planned: Sequence[Shift], user_id: int) -> list[Interval]:
    """When that person is on call; adjacent shifts are merged."""
    parts: list[Interval] = []
    for shift in planned:
        if shift.user_id != user_id:
            continue
        if parts and parts[-1].end == shift.start:
            parts[-1] = Interval(parts[-1].start, shift.end)
        else:
            parts.append(Interval(shift.start, shift.end))
    return parts


def _override(
    session: Session,
    rotation: Rotation,
    user: User,
    part: Interval,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> RotationOverride:
    if part.end - part.start > overrides.LONGEST:
        days = overrides.LONGEST.days
        raise Conflict(f"This shift is longer than {days} days; create overrides for parts of it.")
    data = {
        "user": user.username,
        "starts_at": part.start,
        "ends_at": part.end,
        "reason": reason,
    }
    return overrides.create(session, rotation, data, actor=actor, now=now)


def _name(session: Session, shift: Shift) -> str:
    return session.get_one(User, shift.user_id).display_name


def _format_interval(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
