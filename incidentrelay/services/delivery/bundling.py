"""Which notifications share one message, and which of them are sent after all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.delivery import rate_limit
from incidentrelay.domain.delivery.rate_limit import RateLimit
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.models import Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.outbox.records import ALARMS, PendingMessage
from incidentrelay.services.people import verification
from incidentrelay.services.recipients import state as recipient_state


@dataclass(frozen=True, slots=True)
class AskedNotification:
    """The notification that somebody wants to send."""

    id: int
    alert_id: int | None
    kind: str
    priority: int
    target: str
    method: str
    provider: str
    attempts: int
    bundle: str | None
    per_minute: int | None

    @classmethod
    def of(cls, row: Notification) -> Self:
        return cls(
            row.id,
            row.alert_id,
            row.kind,
            row.priority,
            row.target,
            row.method,
            row.provider,
            row.attempts,
            row.bundle,
            row.channel.messages_per_minute if row.channel else None,
        )

    @property
    def pace(self) -> RateLimit:
        return RateLimit.per_minute(self.per_minute or rate_limit.DEFAULT_PER_MINUTE)


def is_due(now: datetime) -> tuple[Any, ...]:
    return IS_UNFINISHED, Notification.next_at <= now


def choose_bundle(
    session: Session, asked: AskedNotification, credit: int, now: datetime
) -> tuple[list[int], str | None]:
    """The notifications of the next message.

    What was tried once stays as it was: the recipient may know it by its key.
    """
    due = select(Notification.id, Notification.uid, Notification.fence).where(
        Notification.target == asked.target, *is_due(now)
    )
    if asked.bundle is not None:
        rows = session.execute(due.where(Notification.bundle == asked.bundle)).all()
        return [row.id for row in rows], asked.bundle
    if asked.alert_id is None or asked.attempts or asked.method in INTERNAL:
        return [asked.id], None
    fresh = due.where(
        Notification.kind == asked.kind,
        Notification.attempts == 0,
        Notification.alert_id.is_not(None),
    )
    rows = session.execute(fresh.order_by(Notification.id).limit(rate_limit.MOST_IN_ONE)).all()
    count = rate_limit.bundle_size(len(rows), credit)
    if count == 1:
        return [asked.id], None
    # With the fence, because the first one may be sent again by hand among others.
    return [row.id for row in rows[:count]], f"bundle-{rows[0].uid}-{rows[0].fence}"


def lease_rows(
    session: Session, ids: Sequence[int], bundle: str | None, now: datetime, until: datetime
) -> Sequence[Notification]:
    """Lease the rows; of several workers that try, one succeeds."""
    taken = session.scalars(
        update(Notification)
        .where(Notification.id.in_(ids), *is_due(now))
        .values(
            state=DeliveryState.SENDING,
            fence=Notification.fence + 1,
            attempts=Notification.attempts + 1,
            next_at=until,
            bundle=bundle,
        )
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    ).all()
    query = (
        select(Notification)
        .where(Notification.id.in_(taken))
        .order_by(Notification.id)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.channel),
            joinedload(Notification.user),
            joinedload(Notification.contact),
        )
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def is_needed(row: Notification) -> bool:
    """Whether the alert is still as it was when this was owed."""
    alert = row.alert
    if alert is None:
        return True
    if row.generation != alert.generation:
        return False
    if row.kind in ALARMS:
        return alert.status is AlertStatus.FIRING and alert.quiet_until is None
    return True


def cancel_row(row: Notification, now: datetime) -> bool:
    row.state, row.next_at, row.finished_at = DeliveryState.CANCELLED, None, now
    return False


def keep_insiders(
    session: Session, asked: AskedNotification, rows: Sequence[Notification], now: datetime
) -> Sequence[Notification]:
    """Those of a bundle whose recipient is in their alert's group; the rest go alone.

    The asked notification was checked before; each other one may be of another group.
    """
    if all(row.id == asked.id for row in rows):
        return rows
    outsiders = recipient_state.find_outsiders(session, [row.id for row in rows])
    for row in rows:
        if row.id in outsiders:
            _unbundle(session, row, now)
    return [row for row in rows if row.id not in outsiders]


def read_messages(
    rows: Sequence[Notification], vault: SecretBox, now: datetime
) -> list[tuple[Notification, PendingMessage]]:
    """The rows with their messages; an unreadable row of a bundle is retried on its own."""
    readable = []
    for row in rows:
        try:
            message = verification.open_code(row, vault)
        except (KeyError, TypeError, ValueError):
            if len(rows) == 1:
                raise
            row.state, row.next_at, row.bundle = DeliveryState.RETRY, now, None
        else:
            readable.append((row, PendingMessage(row.id, row.fence, row.alert_id, message)))
    return readable


def _unbundle(session: Session, row: Notification, now: datetime) -> None:
    row.state, row.next_at, row.bundle = DeliveryState.RETRY, now, None
    db.hint(session, db.Hint("deliver", row.id))
