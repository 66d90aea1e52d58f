"""Chooses the route for each item sent with a personal token."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.enums import Outcome
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Route, Team
from incidentrelay.services.access.visibility import Memberships, visible_teams
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.receive import IntakeRequestBody, ItemVerdict


def route_request(
    session: Session,
    memberships: Memberships,
    source: str,
    items: Sequence[SignalItem],
    raw: IntakeRequestBody,
    now: datetime,
) -> list[ItemVerdict]:
    """Send each item to the first matching route in the person's teams.

    Routes are tried by position; an item that names a team only tries that team's
    routes. An item that matches no route is rejected with a routing error.
    """
    routes = _routes(session, memberships, source)
    by_route: dict[int, list[int]] = {}
    verdicts: dict[int, ItemVerdict] = {}
    for index, item in enumerate(items):
        route = None if isinstance(item, Rejection) else _first(routes, item)
        if route is None:
            verdicts[index] = _refused(item)
        else:
            by_route.setdefault(route.id, []).append(index)
    # Lock in id order, so that two such requests cannot deadlock.
    for route_id in sorted(by_route):
        indexes = by_route[route_id]
        locked = intake_receive.lock_route(session, route_id, now)
        received = intake_receive.receive_request(
            session, locked, [items[i] for i in indexes], raw, now
        )
        verdicts.update(zip(indexes, received, strict=True))
    return [verdicts[index] for index in range(len(items))]


def _routes(session: Session, memberships: Memberships, source: str) -> Sequence[Route]:
    query = (
        select(Route)
        .join(Route.team)
        .join(Team.group)
        .where(
            Route.source == source,
            Route.enabled,
            Team.active,
            Group.active,
            visible_teams(memberships, Permission.RESPOND),
        )
        .options(joinedload(Route.team))
        .order_by(Route.position, Route.id)
    )
    return session.scalars(query).all()


def _first(routes: Sequence[Route], item: IncomingSignal) -> Route | None:
    for route in routes:
        if item.team is not None and item.team != route.team.slug:
            continue
        if matching.matches(matching.parse_list(route.matchers), item.labels):
            return route
    return None


def _refused(item: SignalItem) -> ItemVerdict:
    if isinstance(item, Rejection):
        reason, routing_error, dedup_key = item.reason, None, None
    else:
        reason = "None of your enabled routes accepts this."
        routing_error, dedup_key = reason, item.dedup_key
    return ItemVerdict(
        id=None,
        outcome=Outcome.REJECTED,
        status=None,
        created=False,
        reason=reason,
        routing_error=routing_error,
        team_id=None,
        team_slug=None,
        route_id=None,
        rotation_id=None,
        assignee=None,
        dedup_key=dedup_key,
    )
