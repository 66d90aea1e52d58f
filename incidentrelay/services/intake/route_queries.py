"""What the pages of routes show, in a constant number of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Channel, Group, IntakeRequest, Policy, Rotation, Route, Team
from incidentrelay.models.intake.request import HAS_REJECTED
from incidentrelay.services.access.visibility import Memberships, scope

MAX_ROUTES = 300
PAGE_SIZE = 20
RECENT = timedelta(hours=1)
_MOST_CHOICES = 1000


@dataclass(frozen=True, slots=True)
class RouteHealth:
    """What arrived: when last, and how much in the last hour.

    ``recent`` counts requests, ``rejected`` their rejected items. ``rejecting``: every item
    of the last request was rejected.
    """

    last_at: datetime | None = None
    recent: int = 0
    rejected: int = 0
    rejecting: bool = False


@dataclass(frozen=True, slots=True)
class RouteListing:
    route: Route
    health: RouteHealth


@dataclass(frozen=True, slots=True)
class RouteChoices:
    """What a route of the team may lead to: (slug, name)."""

    rotations: Sequence[tuple[str, str]] = field(default_factory=list)
    policies: Sequence[tuple[str, str]] = field(default_factory=list)
    channels: Sequence[tuple[str, str]] = field(default_factory=list)


def list_routes(
    session: Session, memberships: Memberships, now: datetime, *, team_id: int | None = None
) -> list[RouteListing]:
    """The visible routes of active teams, by team and position; at most 300."""
    query = (
        select(Route)
        .join(Route.team)
        .join(Team.group)
        .options(
            contains_eager(Route.team).contains_eager(Team.group),
            joinedload(Route.rotation),
            joinedload(Route.policy),
            selectinload(Route.channels),
        )
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id, Route.position, Route.id)
        .limit(MAX_ROUTES)
    )
    if team_id is not None:
        query = query.where(Team.id == team_id)
    rows = session.scalars(scope(query, Route, memberships, Permission.VIEW)).all()
    health = load_health(session, [row.id for row in rows], now)
    return [RouteListing(row, health[row.id]) for row in rows]


def load_health(
    session: Session, route_ids: Collection[int], now: datetime
) -> dict[int, RouteHealth]:
    """The health of each route, in one statement that reads little of the last hour."""
    if not route_ids:
        return {}
    # Ids grow with time: the first of the hour bounds a range of (route, id).
    first = (
        select(IntakeRequest.id)
        .where(IntakeRequest.received_at >= now - RECENT)
        .order_by(IntakeRequest.received_at)
        .limit(1)
        .scalar_subquery()
    )
    recent = IntakeRequest.id >= first
    query = select(
        Route.id,
        _last(IntakeRequest.received_at).label("last_at"),
        _last(IntakeRequest.outcomes).label("outcomes"),
        _of_route(func.count(), recent).label("recent"),
        _of_route(func.coalesce(func.sum(IntakeRequest.rejected), 0), recent, HAS_REJECTED).label(
            "rejected"
        ),
    ).where(Route.id.in_(route_ids))
    return {row.id: _health(row) for row in session.execute(query)}


def _health(row: Any) -> RouteHealth:
    outcomes = {item["outcome"] for item in row.outcomes or ()}
    return RouteHealth(row.last_at, row.recent, row.rejected, outcomes == {Outcome.REJECTED})


def _last(column: Any) -> ScalarSelect[Any]:
    """A column of the route's newest request."""
    query = select(column).where(IntakeRequest.route_id == Route.id).correlate(Route)
    return query.order_by(IntakeRequest.id.desc()).limit(1).scalar_subquery()


def _of_route(value: Any, *conditions: Any) -> ScalarSelect[Any]:
    query = select(value).select_from(IntakeRequest)
    return (
        query.where(IntakeRequest.route_id == Route.id, *conditions)
        .correlate(Route)
        .scalar_subquery()
    )


def list_requests(
    session: Session, route_id: int, before: int | None = None
) -> tuple[list[IntakeRequest], int | None]:
    """A page of the route's requests, newest first, and the next ``before``."""
    query = select(IntakeRequest).where(IntakeRequest.route_id == route_id)
    if before is not None:
        query = query.where(IntakeRequest.id < before)
    rows = list(session.scalars(query.order_by(IntakeRequest.id.desc()).limit(PAGE_SIZE + 1)))
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None


def count_open_alerts(session: Session, route: Route) -> int:
    query = select(func.count()).select_from(Alert)
    query = query.where(Alert.route_id == route.id, Alert.status != AlertStatus.RESOLVED)
    return session.scalar(query) or 0


def list_choices(session: Session, team: Team) -> RouteChoices:
    """What a route of ``team`` may lead to, by name."""
    return RouteChoices(*(_named(session, team, model) for model in (Rotation, Policy, Channel)))


def _named(
    session: Session, team: Team, model: type[Rotation] | type[Policy] | type[Channel]
) -> list[tuple[str, str]]:
    query = select(model.slug, model.name).where(model.team_id == team.id)
    rows = session.execute(query.order_by(model.name, model.id).limit(_MOST_CHOICES))
    return [(slug, name) for slug, name in rows]
