"""What a team owns, and what is missing before it can be paged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from incidentrelay.domain.enums import TargetKind
from incidentrelay.models import (
    Channel,
    GroupMember,
    Policy,
    Rotation,
    Route,
    Silence,
    Team,
    User,
)
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import references
from incidentrelay.services.oncall import current
from incidentrelay.services.oncall.current import CurrentShift
from incidentrelay.services.recipients.reachable import find_reachable

MOST_OWNED = 300
MOST_CHOICES = 1000


class GapKind(StrEnum):
    """Why alerts would page nobody."""

    TEAM_INACTIVE = "team_inactive"
    GROUP_INACTIVE = "group_inactive"
    NO_ROUTE = "no_route"
    ROUTES_OFF = "routes_off"
    ROUTE_PAGES_NOBODY = "route_pages_nobody"
    NO_ROTATION = "no_rotation"
    ROTATION_PAUSED = "rotation_paused"
    NOBODY_ON_CALL = "nobody_on_call"
    ON_CALL_UNREACHABLE = "on_call_unreachable"
    NO_FALLBACK = "no_fallback"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class TeamGap:
    """``row`` is the route or rotation at fault; ``person`` is who cannot be reached."""

    kind: GapKind
    row: Route | Rotation | None = None
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPossessions:
    """Everything a team owns, at most 300 of each. ``silences`` counts those not over.

    ``fallback`` are the names of the fallback contacts. ``reachable`` are the ids of people on
    call whom more than their inbox reaches.
    """

    shifts: Sequence[CurrentShift]
    policies: Sequence[Policy]
    routes: Sequence[Route]
    channels: Sequence[Channel]
    silences: int
    fallback: Sequence[str]
    reachable: frozenset[int]


@dataclass(frozen=True, slots=True)
class FallbackChoices:
    """(name in the API, shown name) of each possible fallback contact."""

    people: Sequence[tuple[str, str]]
    channels: Sequence[tuple[str, str]]


def load_possessions(session: Session, team: Team, now: datetime) -> TeamPossessions:
    """What the team owns, in a constant number of statements."""
    rotations = session.scalars(_owned(Rotation, team)).all()
    routes = _owned(Route, team).options(
        selectinload(Route.rotation), selectinload(Route.policy), selectinload(Route.channels)
    )
    silences = select(func.count()).where(Silence.team_id == team.id, Silence.ends_at > now)
    shifts = current.who_is_on_call(session, rotations, now)
    people = {shift.user.id for shift in shifts if shift.user is not None}
    return TeamPossessions(
        shifts=shifts,
        policies=session.scalars(_owned(Policy, team)).all(),
        routes=session.scalars(routes).all(),
        channels=session.scalars(_owned(Channel, team)).all(),
        silences=session.scalar(silences) or 0,
        fallback=_fallback(session, team),
        reachable=find_reachable(session, people),
    )


def find_gaps(team: Team, owned: TeamPossessions) -> list[TeamGap]:
    """What is missing before the team can be paged, worst first."""
    return [*_switched_off(team), *_without_route(owned), *_without_people(team, owned)]


def list_fallback_choices(session: Session, group_id: int, team: Team | None) -> FallbackChoices:
    """Reachable members of the group, and the team's own channels."""
    people = (
        select(User.username, User.display_name)
        .join(GroupMember, GroupMember.user_id == User.id)
        .where(GroupMember.group_id == group_id, user_lookup.is_reachable())
        .order_by(User.display_name, User.id)
        .limit(MOST_CHOICES)
    )
    channels: list[tuple[str, str]] = []
    if team is not None:
        channels = [(row.slug, row.name) for row in session.scalars(_owned(Channel, team))]
    return FallbackChoices([(name, shown) for name, shown in session.execute(people)], channels)


def _owned(model: Any, team: Team) -> Any:
    return (
        select(model)
        .where(model.team_id == team.id)
        .order_by(model.name, model.id)
        .limit(MOST_OWNED)
    )


def _fallback(session: Session, team: Team) -> list[str]:
    names: list[str | None] = []
    if team.fallback_user_id is not None:
        query = select(User.display_name).where(User.id == team.fallback_user_id)
        names.append(session.scalar(query))
    if team.fallback_channel_id is not None:
        query = select(Channel.name).where(Channel.id == team.fallback_channel_id)
        names.append(session.scalar(query))
    return [name for name in names if name]


def _switched_off(team: Team) -> Iterator[TeamGap]:
    if not team.group.active:
        yield TeamGap(GapKind.GROUP_INACTIVE)
    if not team.active:
        yield TeamGap(GapKind.TEAM_INACTIVE)


def _without_route(owned: TeamPossessions) -> Iterator[TeamGap]:
    enabled = [route for route in owned.routes if route.enabled]
    if not enabled:
        yield TeamGap(GapKind.ROUTES_OFF if owned.routes else GapKind.NO_ROUTE)
    for route in enabled:
        channels = [channel for channel in route.channels if channel.enabled]
        if route.policy is None and route.rotation is None and not channels:
            yield TeamGap(GapKind.ROUTE_PAGES_NOBODY, route)


def _without_people(team: Team, owned: TeamPossessions) -> Iterator[TeamGap]:
    if not owned.shifts and not owned.policies:
        yield TeamGap(GapKind.NO_ROTATION)
    paged = _paged_rotations(owned)
    for shift in owned.shifts:
        if shift.rotation.id not in paged:
            continue
        if not shift.rotation.enabled:
            yield TeamGap(GapKind.ROTATION_PAUSED, shift.rotation)
        elif shift.user is None:
            yield TeamGap(GapKind.NOBODY_ON_CALL, shift.rotation)
        elif shift.user.id not in owned.reachable:
            yield TeamGap(GapKind.ON_CALL_UNREACHABLE, shift.rotation, shift.user.display_name)
    if team.fallback_user_id is None and team.fallback_channel_id is None:
        yield TeamGap(GapKind.NO_FALLBACK)
    for person in dict.fromkeys(person for _kind, _place, person in team.unreachable or ()):
        yield TeamGap(GapKind.UNREACHABLE, person=person)


def _paged_rotations(owned: TeamPossessions) -> set[int | None]:
    """The rotations that routes or policies of the team page."""
    found: set[int | None] = {route.rotation_id for route in owned.routes}
    for policy in owned.policies:
        targets = references.step_targets(policy.steps)
        found |= {row_id for kind, row_id in targets if kind is TargetKind.ON_CALL}
    return found
