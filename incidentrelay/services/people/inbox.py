"""A person's inbox: their notifications, one line per alert."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from incidentrelay.channels.kinds import INBOX
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Notification
from incidentrelay.services.access.visibility import Memberships, visible

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class InboxItem:
    """The newest notification of one alert, and the current alert (with its team)."""

    at: datetime
    headline: str
    alert: Alert


def list_inbox(
    session: Session, memberships: Memberships, user_id: int, *, before: int | None = None
) -> tuple[list[InboxItem], int | None]:
    """One page, newest first, and the ``before`` of the next page (None at the end).

    Alerts that the person may no longer see are left out.
    """
    alert = joinedload(Notification.alert).joinedload(Alert.team)
    query = _theirs(select(Notification), memberships, user_id).options(alert)
    newer = aliased(Notification)
    query = query.where(
        ~select(newer.id)
        .where(
            newer.alert_id == Notification.alert_id,
            newer.user_id == user_id,
            newer.method == INBOX,
            newer.id > Notification.id,
        )
        .exists()
    )
    if before is not None:
        query = query.where(Notification.id < before)
    rows = list(session.scalars(query.order_by(Notification.id.desc()).limit(PAGE_SIZE + 1)))
    shown = rows[:PAGE_SIZE]
    items = [
        InboxItem(row.created_at, str(row.message.get("headline", "")), row.alert)
        for row in shown
        if row.alert is not None
    ]
    return items, shown[-1].id if len(rows) > PAGE_SIZE else None


def count_inbox(session: Session, memberships: Memberships, user_id: int) -> int:
    """Counts the firing alerts in the person's inbox."""
    query = select(func.count(Notification.alert_id.distinct()))
    query = _theirs(query, memberships, user_id).where(Alert.status == AlertStatus.FIRING)
    return session.scalar(query) or 0


def _theirs(query: Select[Any], memberships: Memberships, user_id: int) -> Select[Any]:
    return query.join(Alert, Alert.id == Notification.alert_id).where(
        Notification.user_id == user_id,
        Notification.method == INBOX,
        visible(Alert, memberships, Permission.VIEW),
    )
