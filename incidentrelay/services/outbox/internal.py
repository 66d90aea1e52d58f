"""Notifications that never leave IncidentRelay: all that wait are delivered at once.

Nothing is sent, so nothing can fail or arrive twice: no lease is needed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, defer, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Alert, Attempt, Channel, Notification, User
from incidentrelay.services.outbox import outcomes
from incidentrelay.services.outbox.records import (
    ARRIVED,
    IS_DUE,
    DeliveryClaim,
    DeliveryResult,
    is_needed,
)
from incidentrelay.services.recipients import state as recipient_state

MOST = 200
_WAITING = (
    select(Notification)
    .where(
        *IS_DUE,
        Notification.provider == bindparam("provider"),
        Notification.state == DeliveryState.PENDING,
    )
    .order_by(Notification.id)
    .limit(MOST)
    .options(
        defer(Notification.message),
        joinedload(Notification.alert).load_only(Alert.generation, Alert.status, Alert.quiet_until),
        joinedload(Notification.channel).load_only(Channel.name, Channel.enabled),
        joinedload(Notification.user).load_only(User.display_name, User.active, User.email),
    )
    .with_for_update(skip_locked=True, of=Notification)
)
_ROWS: Any = Notification.__table__
_DELIVER = (
    update(_ROWS)
    .where(_ROWS.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=bindparam("end", type_=_ROWS.c.state.type),
        fence=_ROWS.c.fence + 1,
        attempts=_ROWS.c.attempts + 1,
        next_at=None,
        finished_at=bindparam("now", type_=_ROWS.c.finished_at.type),
    )
)


def deliver_waiting(
    session: Session, claim: DeliveryClaim, result: DeliveryResult, now: datetime
) -> int:
    """Deliver what waits behind an internal ``claim`` that arrived; returns how many.

    The caller has recorded the claim's ``result``, and so holds the provider's lock. Rows
    that are no longer needed, or whose recipient is gone, are left to their own claims.
    """
    if claim.method not in INTERNAL or result.state not in ARRIVED:
        return 0
    rows = session.scalars(_WAITING, {"provider": claim.provider, "now": now}).all()
    wanted = [row for row in rows if is_needed(row) and recipient_state.why_gone(row) is None]
    outsiders = recipient_state.find_outsiders(session, [row.id for row in wanted])
    delivered = [row for row in wanted if row.id not in outsiders]
    if delivered:
        _write(session, delivered, result, now)
    return len(delivered)


def _write(
    session: Session, rows: Sequence[Notification], result: DeliveryResult, now: datetime
) -> None:
    ids = [row.id for row in rows]
    attempts = [
        {
            "notification_id": row.id,
            "number": row.attempts + 1,
            "started_at": now,
            "duration_ms": 0,
            "outcome": str(result.state),
            "reason": result.reason,
        }
        for row in rows
    ]
    session.connection().execute(_DELIVER, {"ids": ids, "end": result.state, "now": now})
    db.insert_all(session, Attempt, attempts)
    outcomes.write_outcomes(session, ids, now, others=0)
