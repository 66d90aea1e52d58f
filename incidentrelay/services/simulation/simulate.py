"""Simulates intake and plans for items that a source might send, without writing.

Items go through the same functions as real ones, and plans run ahead as if no one
reacts. Alerts and schedules are the current ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.errors import NotFound
from incidentrelay.domain.fingerprint import group_key
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.domain.intake.state import IntakeBatch, ItemResult
from incidentrelay.domain.local_time import check_year
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Route, Team
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.escalation.route_facts import (
    accepts_route,
    load_facts,
    routes_with_plans,
)
from incidentrelay.services.intake import load as intake_load
from incidentrelay.services.simulation import explain as explanations
from incidentrelay.services.simulation.alert_forecast import forecast_alerts
from incidentrelay.services.simulation.forecast import (
    AlertForecast,
    MatcherCheck,
    SimulationForecast,
)

MOST_ITEMS = 100

RouteName = int | tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The forecast for each item sent to ``route`` at ``at``; ``takes_in``: it is enabled."""

    route: Route
    takes_in: bool
    at: datetime
    items: tuple[SimulationForecast, ...]


def find_route(session: Session, memberships: Memberships, name: RouteName) -> Route:
    """Find a route by id or by (group, team, route) slugs and load what its plan needs.

    Raises NotFound if it does not exist or ``memberships`` may not see it.
    """
    query = scope(routes_with_plans(), Route, memberships, Permission.VIEW)
    if isinstance(name, int):
        query = query.where(Route.id == name)
    else:
        group, team, slug = name
        query = query.join(Route.team).join(Team.group)
        query = query.where(Group.slug == group, Team.slug == team, Route.slug == slug)
    route: Route | None = session.scalars(query).one_or_none()
    if route is None:
        raise NotFound("There is no such route.")
    return route


def simulate_request(
    session: Session, route: Route, items: Sequence[SignalItem], at: datetime
) -> Simulation:
    """Simulate one request of ``items`` sent to ``route`` at ``at``.

    Read only; the number of statements does not grow with the items. Raises InvalidInput
    for a time outside the range of schedules.
    """
    check_year(at, "at")
    takes_in = accepts_route(route)
    if takes_in:
        found = _taken_in(session, route, items, at)
    else:
        found = [SimulationForecast(None, "The route is disabled.") for _ in items]
    parsed = matching.parse_list(route.matchers)
    described = [
        _described(forecast, item, route, parsed)
        for item, forecast in zip(items, found, strict=True)
    ]
    explained = [
        replace(forecast, sentences=explanations.explain_forecast(route, forecast, at))
        for forecast in described
    ]
    return Simulation(route, takes_in, at, tuple(explained))


def _taken_in(
    session: Session, route: Route, items: Sequence[SignalItem], at: datetime
) -> list[SimulationForecast]:
    facts = load_facts(session, [route.id], at)[route.id]
    (batch,) = intake_load.load_and_apply(session, [(facts, items)], at, lock=False)
    _number_new_alerts(batch)
    alerts = [result.alert for result in batch.results if result.alert is not None]
    ahead = forecast_alerts(session, facts, batch, alerts, at)
    return [_forecast(result, ahead) for result in batch.results]


def _number_new_alerts(batch: IntakeBatch) -> None:
    """Negative ids for alerts that would be created; real alerts never have one."""
    fresh = [alert for alert in batch.alerts.values() if alert.id is None]
    for number, alert in enumerate(fresh, 1):
        alert.id = -number


def _forecast(result: ItemResult, ahead: Mapping[int, AlertForecast]) -> SimulationForecast:
    alert = result.alert
    if alert is None or alert.id is None:
        return SimulationForecast(result.outcome, result.reason)
    forecast = SimulationForecast(
        result.outcome,
        result.reason,
        group_key=alert.group_key,
        alert_id=alert.id if alert.id > 0 else None,
        alert_status=alert.status,
    )
    course = ahead.get(alert.id)
    if course is None:
        return forecast
    return replace(forecast, **{part.name: getattr(course, part.name) for part in fields(course)})


def _described(
    forecast: SimulationForecast, item: SignalItem, route: Route, parsed: Sequence[matching.Matcher]
) -> SimulationForecast:
    """Add the item and its check against the route's matchers."""
    if isinstance(item, Rejection):
        return replace(forecast, reason=item.reason)
    return replace(
        forecast,
        title=item.title,
        status=item.status,
        severity=item.severity,
        labels=dict(item.labels),
        dedup_key=item.dedup_key,
        matchers=tuple(_checked(matcher, item) for matcher in parsed),
        group_key=forecast.group_key or group_key(item.labels, route.group_by, item.dedup_key),
    )


def _checked(matcher: matching.Matcher, signal: IncomingSignal) -> MatcherCheck:
    text = matching.render_one(matcher)
    value = signal.labels.get(matcher.name)
    return MatcherCheck(text, matcher.name, value, matcher.matches(signal.labels))
