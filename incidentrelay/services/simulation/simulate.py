"""What would happen if a source sent something: intake and plans, without writing.

Items are taken in by the same functions as real ones, and plans are played ahead as
they will run if nobody reacts. Alerts and schedules are those that there are now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.errors import InvalidInput, NotFound
from incidentrelay.domain.fingerprint import group_key
from incidentrelay.domain.intake.signals import Rejection, Signal, SignalItem
from incidentrelay.domain.intake.state import IntakeBatch, ItemResult
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Route, Team
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.intake import load as intake_load
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.simulation import explain as explanations
from incidentrelay.services.simulation.alert_forecast import forecast_alerts
from incidentrelay.services.simulation.forecast import (
    AlertForecast,
    MatcherCheck,
    SimulationForecast,
)

MOST_ITEMS = 100
_YEARS = range(1971, 2199)

RouteName = int | tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What ``route`` would make of each item at ``at``; ``takes_in``: it takes anything."""

    route: Route
    takes_in: bool
    at: datetime
    items: tuple[SimulationForecast, ...]


def find_route(session: Session, memberships: Memberships, name: RouteName) -> Route:
    """The route of an id, or of the slugs of its group, team and itself, with its plan's rows.

    Raises NotFound where there is none, or none that ``memberships`` may see.
    """
    query = scope(intake_receive.routes_with_plans(), Route, memberships, Permission.VIEW)
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
    """What would become of ``items``, all of one request, if ``route`` got them at ``at``.

    Reads only, in a number of statements that does not grow with the items. Raises
    InvalidInput for an instant that no schedule is about.
    """
    if at.year not in _YEARS:
        raise InvalidInput.of("at", "This time is out of range.")
    takes_in = intake_receive.accepts_route(route)
    if takes_in:
        found = _taken_in(session, route, items, at)
    else:
        found = [SimulationForecast(None, "The route is not in use.") for _ in items]
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
    batch = intake_load.load_and_apply(session, route, items, at, lock=False)
    _number_new_alerts(batch)
    alerts = [result.alert for result in batch.results if result.alert is not None]
    ahead = forecast_alerts(session, route, batch, alerts, at)
    return [_forecast(result, ahead) for result in batch.results]


def _number_new_alerts(batch: IntakeBatch) -> None:
    """Ids below zero for the alerts that would be made; no alert has such a one."""
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
    """With what was sent, and how it meets the route's matchers."""
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


def _checked(matcher: matching.Matcher, signal: Signal) -> MatcherCheck:
    text = matching.render([matcher]).removeprefix("{").removesuffix("}")
    value = signal.labels.get(matcher.name)
    return MatcherCheck(text, matcher.name, value, matcher.matches(signal.labels))
