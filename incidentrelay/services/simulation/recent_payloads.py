"""Which of the payloads that arrived recently the matchers of a route would accept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.errors import InvalidInput, NotFound
from incidentrelay.domain.intake.signals import IncomingSignal, SignalItem
from incidentrelay.integrations import json_text
from incidentrelay.integrations.base import Integration
from incidentrelay.models import IntakeRequest, Route, Team
from incidentrelay.services.common import matchers as label_matchers

MOST_REQUESTS = 40
MOST_ALERTS = 20
_MOST_ITEMS = 100


class IntegrationLookup(Protocol):
    """The sources by name; ``get`` raises NotFound."""

    def get(self, name: str) -> Integration: ...


@dataclass(frozen=True, slots=True)
class RecentAlert:
    """An alert of a recent payload. ``missed`` are the matchers that its labels do not match."""

    received_at: datetime
    title: str
    labels: Mapping[str, str]
    missed: Sequence[str]


@dataclass(frozen=True, slots=True)
class RecentMatches:
    """Recent alerts, newest first, each set of labels once; ``matched`` of them match."""

    alerts: Sequence[RecentAlert]

    @property
    def matched(self) -> int:
        return sum(not alert.missed for alert in self.alerts)


def match_recent(
    session: Session,
    team: Team,
    source: str,
    matchers: Sequence[str],
    *,
    integrations: IntegrationLookup,
    route: Route | None = None,
) -> RecentMatches:
    """Match what ``route`` received or, for a new one, the team's latest route of ``source``.

    Raises BadMatchers. Read only; bounded by the newest 40 requests.
    """
    parsed = [(text, matching.parse(text)) for text in label_matchers.parse_matchers(matchers)]
    try:
        integration = integrations.get(source)
    except NotFound:
        return RecentMatches(())
    found: dict[tuple[tuple[str, str], ...], RecentAlert] = {}
    for request in _list_recent(session, team, source, route):
        for signal in _signals(integration, request):
            key = tuple(sorted(signal.labels.items()))
            if key not in found and len(found) < MOST_ALERTS:
                missed = [
                    text for text, each in parsed if not matching.matches(each, signal.labels)
                ]
                found[key] = RecentAlert(request.received_at, signal.title, signal.labels, missed)
    return RecentMatches(tuple(found.values()))


def _list_recent(
    session: Session, team: Team, source: str, route: Route | None
) -> Sequence[IntakeRequest]:
    route_id = route.id if route is not None else _latest_route_id(session, team, source)
    query = select(IntakeRequest).where(IntakeRequest.route_id == route_id)
    query = query.order_by(IntakeRequest.id.desc()).limit(MOST_REQUESTS)
    return [row for row in session.scalars(query) if not row.truncated]


def _latest_route_id(session: Session, team: Team, source: str) -> int | None:
    """The team's route of ``source`` that received the newest request."""
    newest = (
        select(IntakeRequest.id)
        .where(IntakeRequest.route_id == Route.id)
        .correlate(Route)
        .order_by(IntakeRequest.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(Route.id).where(Route.team_id == team.id, Route.source == source)
    return session.scalar(query.order_by(newest.desc().nulls_last()).limit(1))


def _signals(integration: Integration, request: IntakeRequest) -> Iterator[IncomingSignal]:
    """The alerts of a stored request; none if it is no payload of the source, like a test."""
    try:
        payload: Any = json_text.decode(request.body, lenient=True)
        items: Sequence[SignalItem] = integration.normalise(payload, {})
    except InvalidInput:
        return
    yield from (item for item in items[:_MOST_ITEMS] if isinstance(item, IncomingSignal))
