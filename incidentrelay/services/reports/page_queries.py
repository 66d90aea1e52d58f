"""Reads the pages that the on-call report counts."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.models import Alert, Notification, Route

# Kinds that count as a page; reminders only repeat one.
PAGES = (NotificationKind.PAGE, NotificationKind.ESCALATION, NotificationKind.FALLBACK)
_RECEIVED = (DeliveryState.SENT, DeliveryState.DELIVERED)


@dataclass(frozen=True, slots=True)
class ReceivedPage:
    """One step of an alert that reached a person; ``rotation_id`` is its route's."""

    team_id: int
    user_id: int
    rotation_id: int | None
    at: datetime


def find_pages(
    session: Session, team_ids: Collection[int], start: datetime, end: datetime
) -> Iterator[ReceivedPage]:
    """Yield the pages of these teams in [start, end), however many methods each used."""
    first = func.min(Notification.created_at)
    query = (
        select(Alert.team_id, Notification.user_id, Route.rotation_id, first)
        .join(Alert, Alert.id == Notification.alert_id)
        .outerjoin(Route, Route.id == Alert.route_id)
        .where(
            Alert.team_id.in_(team_ids),
            Notification.kind.in_(PAGES),
            Notification.state.in_(_RECEIVED),
            Notification.created_at >= start,
            Notification.created_at < end,
        )
        .group_by(
            Alert.team_id,
            Notification.user_id,
            Route.rotation_id,
            Notification.alert_id,
            Notification.generation,
            Notification.step,
        )
    )
    for team_id, user_id, rotation_id, at in session.execute(query) if team_ids else ():
        if user_id is not None:
            yield ReceivedPage(team_id, user_id, rotation_id, at)
