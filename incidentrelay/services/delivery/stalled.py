"""Pages that wait for a provider that is down: others are notified meanwhile."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import word_of
from incidentrelay.domain.enums import DeliveryState, EventKind
from incidentrelay.models import Alert, Event, Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.channels import providers
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.delivery import fallback, rule_outcomes
from incidentrelay.services.delivery.results import lock_alerts
from incidentrelay.services.outbox.outcomes import recipient_of
from incidentrelay.services.outbox.records import ALARMS


def mark_stalled(session: Session, now: datetime, *, limit: int) -> int:
    """Notify others of pages that wait for a provider that is down.

    The pages keep waiting and are sent when the provider is back, if still needed. Each
    causes this once. Returns their number.
    """
    circuits = providers.stalled_providers(session, now)
    if not circuits:
        return 0
    rows, alerts = _lock_stalled(session, circuits, now, limit)
    lines = []
    for row in rows:
        row.stalled_at = now
        if row.alert_id is not None:
            lines.append(_line(row, row.alert_id, circuits[row.provider].reason, now))
    session.flush()  # rules and fallback query the other notifications of this step
    db.insert_all(session, Event, lines)
    for row in rows:
        rule_outcomes.bring_rules_forward(session, row, now)
        fallback.fall_back(session, row, alerts[row.alert_id], now)
    return len(rows)


def _lock_stalled(
    session: Session, names: Collection[str], now: datetime, limit: int
) -> tuple[Sequence[Notification], Mapping[int | None, Alert]]:
    """Lock the pages that wait for these providers and, before them, their alerts."""
    waiting = (
        IS_UNFINISHED,
        Notification.provider.in_(names),
        Notification.kind.in_(ALARMS),
        Notification.stalled_at.is_(None),
        or_(
            Notification.state == DeliveryState.RETRY,
            (Notification.state == DeliveryState.PENDING) & (Notification.next_at <= now),
        ),
    )
    candidates = select(Notification.id, Notification.alert_id).where(*waiting)
    ids = dict(session.execute(candidates.order_by(Notification.id).limit(limit)).all())
    alerts = lock_alerts(session, ids.values())
    query = (
        select(Notification)
        .where(Notification.id.in_(ids), *waiting)
        .order_by(Notification.id)
        .options(joinedload(Notification.user), joinedload(Notification.channel))
        .with_for_update(skip_locked=True, of=Notification)
    )
    return session.scalars(query).all(), alerts


def _line(row: Notification, alert_id: int, reason: str, now: datetime) -> dict[str, Any]:
    text = f"{recipient_of(row)} cannot be reached by {word_of(row.method)};"
    text += f" others are notified: {reason}"
    data = {"notification_id": row.id, "state": str(row.state)}
    return make_event(alert_id, EventKind.NOTIFICATION_STALLED, text, now, data=data)
