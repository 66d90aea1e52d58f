"""What receiving and paging by a route needs, remembered by each process.

The law is in :mod:`incidentrelay.facts_stamp`: what was read under a stamp holds while the
stamp is the same, and everything read here is in one of its tables. The stamp is read after
the route is locked, so no request that begins after an edit was committed uses old facts.
What depends on the time (shifts, silences, absences) is computed from the facts with ``now``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db, facts_stamp
from incidentrelay.domain import matchers as matching
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.models import Route, RouteChannel, Team
from incidentrelay.services.escalation import plan_snapshot
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients.directory import Directory

# Beyond so many routes, all are forgotten and read again when they are needed.
MOST_REMEMBERED = 1000
# What ended so recently is read too, because the clock may be set back.
_MARGIN = timedelta(hours=1)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_MEMORY = "route facts"


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """``route`` has its team, group, rotation and policy. Threads share it: never change it.

    ``people`` are those that the plan may reach.
    """

    route: Route
    matchers: tuple[matching.Matcher, ...]
    plan: Plan
    plan_json: Mapping[str, Any]
    people: Directory


def routes_with_plans() -> Select[Route]:
    """Routes with everything their plans need loaded."""
    return select(Route).options(
        joinedload(Route.team).joinedload(Team.group),
        joinedload(Route.rotation),
        joinedload(Route.policy),
    )


_ROUTES = routes_with_plans().where(Route.id.in_(_IDS))
_CHANNELS = (
    select(RouteChannel.route_id, RouteChannel.channel_id)
    .where(RouteChannel.route_id.in_(_IDS))
    .order_by(RouteChannel.channel_id)
)


def accepts_route(route: Route) -> bool:
    """Whether the route, its team and its group are all active."""
    return route.enabled and route.team.active and route.team.group.active


def accepts_token(route: Route, digest: bytes, now: datetime) -> bool:
    """Whether the token is the route's, or a replaced one that still works."""
    if digest == route.token_digest:
        return True
    until = route.old_token_until
    return digest == route.old_token_digest and until is not None and now < until


def find_facts(
    session: Session, route_ids: Collection[int], now: datetime
) -> Mapping[int, RouteFacts]:
    """The facts of these (locked) routes by id; routes that do not exist are left out."""
    stamp = facts_stamp.read(session.connection())
    if stamp is None:
        return load_facts(session, route_ids, now)
    known = _remembered(session, stamp)
    missing = [route_id for route_id in route_ids if route_id not in known]
    if missing:
        if len(known) + len(missing) > MOST_REMEMBERED:
            known.clear()
        loaded = load_facts(session, missing, now)
        known.update(loaded)
        return {id: facts for id in route_ids if (facts := loaded.get(id) or known.get(id))}
    return {route_id: known[route_id] for route_id in route_ids}


def _remembered(session: Session, stamp: int) -> dict[int, RouteFacts]:
    """What this process remembers under the stamp; older memories are dropped."""
    memory = db.process_memory(session, _MEMORY)
    known: dict[int, RouteFacts] | None = memory.get(stamp)
    if known is None:
        memory.clear()
        known = memory.setdefault(stamp, {})
    return known


def load_facts(
    session: Session, route_ids: Collection[int], now: datetime
) -> dict[int, RouteFacts]:
    """Read the facts of these routes; the number of statements does not depend on theirs.

    The rows are apart from those of ``session``: nothing changes or expires them.
    """
    with Session(session.connection(), expire_on_commit=False) as apart:
        ids = {"ids": list(route_ids)}
        routes = apart.scalars(_ROUTES, ids).all() if route_ids else []
        channels: dict[int, list[int]] = {}
        for route_id, channel_id in apart.execute(_CHANNELS, ids) if routes else ():
            channels.setdefault(route_id, []).append(channel_id)
        plans = {
            route.id: plan_snapshot.build_plan(route, channels.get(route.id, ()))
            for route in routes
        }
        teams = {route.team_id for route in routes}
        # One directory for all routes, which they share.
        people = directories.load_directory(apart, plans.values(), teams, now=now - _MARGIN)
    return {
        route.id: RouteFacts(
            route,
            matching.parse_list(route.matchers),
            plans[route.id],
            plans[route.id].to_json(),
            people,
        )
        for route in routes
    }
