"""Pages that wait for a provider that is down: others are notified meanwhile."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain.enums import DeliveryState, EventKind
from incidentrelay.models import Event, Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.channels import providers
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.delivery import fallback, rule_outcomes
from incidentrelay.services.delivery.results import lock_alerts, recipient_of
from incidentrelay.services.outbox.records import ALARMS


def mark_stalled(session: Session, now: datetime, *, limit: int) -> int:
    """Notify others of pages that wait for a provider that is down.

    The pages keep waiting and are sent when the provider is back, if still needed. Each
    causes this once. Returns their number.
    """
    stalled = providers.stalled_providers(session, now)
    if not stalled:
        return 0
    waiting = (
        IS_UNFINISHED,
        Notification.provider.in_(stalled),
        Notification.kind.in_(ALARMS),
        Notification.stalled_at.is_(None),
        or_(
            Notification.state == DeliveryState.RETRY,
            (Notification.state == DeliveryState.PENDING) & (Notification.next_at <= now),
        ),
    )
    found = select(Notification.id, Notification.alert_id).where(*waiting)
    ids = dict(session.execute(found.order_by(Notification.id).limit(limit)).all())
    alerts = lock_alerts(session, ids.values())
    query = (
        select(Notification)
        .where(Notification.id.in_(ids), *waiting)
        .order_by(Notification.id)
        .options(joinedload(Notification.user), joinedload(Notification.channel))
        .with_for_update(skip_locked=True, of=Notification)
    )
    rows = session.scalars(query).all()
    lines = []
    for row in rows:
        row.stalled_at = now
        if row.alert_id is not None:
            text = f"{recipient_of(row)} cannot be reached by {row.method}; others are notified: "
            text += stalled[row.provider].reason
            data = {"notification_id": row.id, "state": str(row.state)}
            kind = EventKind.NOTIFICATION_STALLED
            lines.append(make_event(row.alert_id, kind, text, now, data=data))
    session.flush()  # what follows looks for messages of the same step that have hope
    db.insert_all(session, Event, lines)
    for row in rows:
        rule_outcomes.bring_rules_forward(session, row, now)
        fallback.fall_back(session, row, alerts[row.alert_id], now)
    return len(rows)
