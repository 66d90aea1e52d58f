"""The contents of a calendar feed: the shifts that its user may see now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from incidentrelay.domain.calendar_grid import whole_shifts
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import CalendarFeed, Group, Rotation, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.access.secrets import TokenKind, token_digest, token_kind
from incidentrelay.services.access.visibility import scope
from incidentrelay.services.calendars.feeds import FeedScope, feed_scope
from incidentrelay.services.oncall import schedules

# The past quarter, to count hours, and the next two.
BEHIND = timedelta(days=90)
AHEAD = timedelta(days=180)
# Calendar programs become slow beyond this.
MOST_ROTATIONS = 100
MOST_ENTRIES = 3000
# Shifts computed to find a person's own ones.
MOST_COMPUTED = 20_000
_MOST_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One shift as a calendar shows it; ``rotation`` has its team and group.

    ``sequence`` grows whenever the rotation's on-call people change; ``changed_at`` also
    follows changes of names.
    """

    shift: Shift
    rotation: Rotation
    person: str
    sequence: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FeedContents:
    """``cut``: there are too many shifts, so ``entries`` does not have all of them."""

    feed_id: int
    name: str
    entries: Sequence[FeedEntry]
    cut: bool


def read_feed(session: Session, token: str, now: datetime) -> FeedContents | None:
    """The contents of the feed with that token.

    None for an unknown or revoked token, an inactive user, or a subject that the user may no
    longer see.
    """
    feed = _find(session, token)
    if feed is None:
        return None
    roles = memberships.load_roles(session, feed.user)
    name = _name(session, feed, roles)
    if name is None:
        return None
    start = datetime.combine(now.date(), time.min, now.tzinfo) - BEHIND
    end = start + BEHIND + AHEAD
    rotations = _rotations(session, feed, roles)
    loaded = schedules.load_schedules(session, [rotation.id for rotation in rotations])
    only = feed.user_id if feed_scope(feed) is FeedScope.USER else None
    if only is not None:
        rotations = [each for each in rotations if _names(loaded[each.id], only)]
    found, cut = _shifts(rotations, loaded, start, end, only)
    return FeedContents(feed.id, name, _entries(session, found), cut)


def _find(session: Session, token: str) -> CalendarFeed | None:
    if token_kind(token) is not TokenKind.FEED:
        return None
    return session.scalar(
        select(CalendarFeed)
        .join(CalendarFeed.user)
        .options(contains_eager(CalendarFeed.user))
        .where(CalendarFeed.digest == token_digest(token), User.active)
    )


def _name(session: Session, feed: CalendarFeed, roles: memberships.Roles) -> str | None:
    """The name of the feed's subject; None if its user may not see it."""
    if feed.rotation_id is not None:
        query = select(Rotation).options(joinedload(Rotation.team))
        query = query.where(Rotation.id == feed.rotation_id)
        rotation = session.scalar(scope(query, Rotation, roles, Permission.VIEW))
        return None if rotation is None else f"{rotation.team.name}, {rotation.name}"
    if feed.team_id is not None:
        team = select(Team).where(Team.id == feed.team_id)
        found = session.scalar(scope(team, Team, roles, Permission.VIEW))
        return None if found is None else found.name
    return feed.user.display_name


def _rotations(
    session: Session, feed: CalendarFeed, roles: memberships.Roles
) -> Sequence[Rotation]:
    """The enabled rotations of active teams that the feed is about."""
    query: Select[Any] = (
        select(Rotation)
        .join(Rotation.team)
        .join(Team.group)
        .options(contains_eager(Rotation.team).contains_eager(Team.group))
        .where(Rotation.enabled, Team.active, Group.active)
        .order_by(Team.name, Team.id, Rotation.name, Rotation.id)
        .limit(_MOST_LOOKED_AT)
    )
    match feed_scope(feed):
        case FeedScope.ROTATION:
            query = query.where(Rotation.id == feed.rotation_id)
        case FeedScope.TEAM:
            query = query.where(Rotation.team_id == feed.team_id)
        case FeedScope.USER:
            # Only members of a group are on call in it, site admins too.
            query = query.where(Team.group_id.in_(roles.groups))
    return session.scalars(scope(query, Rotation, roles, Permission.VIEW)).all()


def _names(schedule: Schedule, user_id: int) -> bool:
    """Whether the person can ever be on call; if not, nothing needs to be computed."""
    return any(override.user_id == user_id for override in schedule.overrides) or any(
        user_id in layer.members for revision in schedule.revisions for layer in revision.layers
    )


def _shifts(
    rotations: Iterable[Rotation],
    loaded: Mapping[int, Schedule],
    start: datetime,
    end: datetime,
    only: int | None,
) -> tuple[list[tuple[Rotation, Shift]], bool]:
    """The shifts of whole rotations up to the limits, and whether some were left out."""
    found: list[tuple[Rotation, Shift]] = []
    computed = 0
    for count, rotation in enumerate(rotations):
        if count >= MOST_ROTATIONS or computed > MOST_COMPUTED:
            return found, True
        shifts = whole_shifts(loaded[rotation.id], start, end)
        computed += len(shifts)
        shown = [(rotation, shift) for shift in shifts if only in {None, shift.user_id}]
        if found and len(found) + len(shown) > MOST_ENTRIES:
            return found, True
        found += shown
    return found, False


def _entries(session: Session, found: Sequence[tuple[Rotation, Shift]]) -> list[FeedEntry]:
    ids = {shift.user_id for _, shift in found}
    query = select(User).where(User.id.in_(ids))
    people = {user.id: user for user in session.scalars(query)} if ids else {}
    return [_entry(rotation, shift, people[shift.user_id]) for rotation, shift in found]


def _entry(rotation: Rotation, shift: Shift, person: User) -> FeedEntry:
    changes = (rotation.schedule_changed_at, rotation.updated_at, person.updated_at)
    return FeedEntry(
        shift=shift,
        rotation=rotation,
        person=person.display_name,
        sequence=rotation.schedule_changes,
        changed_at=max(change for change in changes if change is not None),
    )
