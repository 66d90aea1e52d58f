"""Claiming: which notifications a worker may send now, alone or in one message.

Three things can stand in the way, and each leaves the notification as it is: the
provider's circuit is open, its provider is full, or the recipient has had its share of
messages. Whoever frees the way wakes what waits (and the sweep does in any case).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Select, case, func, select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain.delivery import circuit_breaker, rate_limit
from incidentrelay.domain.delivery.rate_limit import RateLimit
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.models import Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.channels import providers
from incidentrelay.services.channels.config import full_config
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.outbox.records import (
    ALARMS,
    MAX_CONCURRENT_PER_PROVIDER,
    DeliveryClaim,
    PendingMessage,
    wake_provider,
)
from incidentrelay.services.people import verification
from incidentrelay.services.recipients import state as recipient_state
from incidentrelay.services.recipients.state import INBOX


@dataclass(frozen=True, slots=True)
class _Asked:
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


def claim_notification(
    session: Session, notification_id: int, vault: SecretBox, now: datetime, *, lease: timedelta
) -> DeliveryClaim | None:
    """Take the notification for one attempt, with others if they share a message.

    None if it is not due, no longer needed, or has to wait (it is hinted at again when
    it may go).
    """
    found = _find(session, notification_id, now)
    if found is None:
        return None
    gone = recipient_state.why_outside(session, found)
    if gone is not None:
        delivery_results.give_up_delivery(session, notification_id, gone, now)
        return None
    asked = _Asked.of(found)
    provider = providers.lock_providers(session, asked.provider)
    state = providers.load_circuit(provider)
    if (
        not state.allows(now)
        or _in_flight(session, asked.provider, now) >= MAX_CONCURRENT_PER_PROVIDER
    ):
        return None
    if state.is_open and _gives_way(session, _better_probe(asked, now)):
        return None
    pace = providers.load_rate(session, asked.target)
    busy_until = pace.busy_until if pace else None
    credit = asked.pace.credits(busy_until, now)
    if not credit:
        _put_off(session, asked, asked.pace.next_allowed_at(busy_until, now), now)
        return None
    if credit == 1 and _gives_way(session, _more_urgent(asked, now)):
        return None
    ids, bundle = _together(session, asked, credit, now)
    rows = _take(session, ids, bundle, now, now + lease)
    needed = [row for row in rows if _is_needed(row) or _cancel(row, now)]
    sendable = _readable(_insiders(session, needed, now), vault, now)
    if not sendable:
        wake_provider(session, asked.provider, now)
        return None
    if asked.method != INBOX:
        providers.save_rate(session, asked.target, pace, asked.pace.consume(busy_until, now))
    providers.save_circuit(provider, circuit_breaker.half_open(state, now + lease))
    return _claim_of(sendable, bundle, vault)


def _find(session: Session, notification_id: int, now: datetime) -> Notification | None:
    query = (
        select(Notification)
        .where(Notification.id == notification_id, *_is_due(now))
        .options(joinedload(Notification.channel), joinedload(Notification.user))
    )
    return session.scalars(query).one_or_none()


def _is_due(now: datetime) -> tuple[Any, ...]:
    return IS_UNFINISHED, Notification.next_at <= now


def _in_flight(session: Session, provider: str, now: datetime) -> int:
    """How many messages of the provider are being sent."""
    message = func.coalesce(Notification.bundle, Notification.uid)
    query = select(func.count(message.distinct())).where(
        IS_UNFINISHED,
        Notification.provider == provider,
        Notification.state == DeliveryState.SENDING,
        Notification.next_at > now,
    )
    return session.scalar(query) or 0


def _better_probe(asked: _Asked, now: datetime) -> Select[int]:
    """What was tried less often: one that always fails must not be every probe."""
    return (
        select(Notification.id)
        .where(
            Notification.provider == asked.provider,
            Notification.attempts < asked.attempts,
            *_is_due(now),
        )
        .order_by(Notification.attempts, Notification.priority, Notification.id)
    )


def _more_urgent(asked: _Asked, now: datetime) -> Select[int]:
    """What its recipient should hear first, if there is but one message to be had."""
    return (
        select(Notification.id)
        .where(
            Notification.target == asked.target,
            Notification.priority < asked.priority,
            *_is_due(now),
        )
        .order_by(Notification.priority, Notification.id)
    )


def _gives_way(session: Session, before: Select[int]) -> bool:
    """Whether there is one that should go first, and then wakes it."""
    found = session.scalar(before.limit(1))
    if found is not None:
        db.hint(session, db.Hint("deliver", found))
    return found is not None


def _put_off(session: Session, asked: _Asked, until: datetime, now: datetime) -> None:
    """Let the recipient's messages wait, and others of the provider go meanwhile.

    What a dead worker has left counts no longer as being sent: it would fill the provider.
    """
    left = Notification.state == DeliveryState.SENDING
    session.execute(
        update(Notification)
        .where(Notification.target == asked.target, *_is_due(now))
        .values(next_at=until, state=case((left, DeliveryState.RETRY), else_=Notification.state))
        .execution_options(synchronize_session=False)
    )
    db.hint(session, db.Hint("deliver", asked.id, until))
    wake_provider(session, asked.provider, now)


def _together(
    session: Session, asked: _Asked, credit: int, now: datetime
) -> tuple[list[int], str | None]:
    """The notifications of the next message.

    What was tried once stays as it was: the recipient may know it by its key.
    """
    due = select(Notification.id, Notification.uid, Notification.fence).where(
        Notification.target == asked.target, *_is_due(now)
    )
    if asked.bundle is not None:
        rows = session.execute(due.where(Notification.bundle == asked.bundle)).all()
        return [row.id for row in rows], asked.bundle
    if asked.alert_id is None or asked.attempts or asked.method == INBOX:
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


def _take(
    session: Session, ids: Sequence[int], bundle: str | None, now: datetime, until: datetime
) -> Sequence[Notification]:
    """Lease the rows; of several workers that try, one succeeds."""
    taken = session.scalars(
        update(Notification)
        .where(Notification.id.in_(ids), *_is_due(now))
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


def _is_needed(row: Notification) -> bool:
    """Whether the alert is still as it was when this was owed."""
    alert = row.alert
    if alert is None:
        return True
    if row.generation != alert.generation:
        return False
    if row.kind in ALARMS:
        return alert.status is AlertStatus.FIRING and alert.quiet_until is None
    return True


def _cancel(row: Notification, now: datetime) -> bool:
    row.state, row.next_at, row.finished_at = DeliveryState.CANCELLED, None, now
    return False


def _insiders(
    session: Session, rows: Sequence[Notification], now: datetime
) -> Sequence[Notification]:
    """Those of a bundle whose recipient is in their alert's group; the rest go alone."""
    if len(rows) < 2:
        return rows
    outsiders = recipient_state.find_outsiders(session, [row.id for row in rows])
    for row in rows:
        if row.id in outsiders:
            _unbundle(session, row, now)
    return [row for row in rows if row.id not in outsiders]


def _readable(
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


def _claim_of(
    sendable: Sequence[tuple[Notification, PendingMessage]], bundle: str | None, vault: SecretBox
) -> DeliveryClaim:
    """What is left of a bundle may be one notification, which goes out as itself."""
    row = sendable[0][0]
    if len(sendable) == 1:
        row.bundle = bundle = None
    messages = [message for _, message in sendable]
    return DeliveryClaim(
        owed=tuple(sorted(messages, key=lambda each: -each.message.severity.rank)),
        attempt=row.attempts,
        uid=bundle or row.uid,
        user_id=row.user_id,
        method=row.method,
        provider=row.provider,
        config=_config(row, vault),
        thread_key=bundle or _thread_key(row),
    )


def _config(row: Notification, vault: SecretBox) -> Mapping[str, Any]:
    if row.channel is not None:
        return full_config(row.channel, vault)
    if row.contact is not None:
        return {"to": [row.contact.address]}
    if row.method == "email" and row.user is not None and row.user.email:
        return {"to": [row.user.email]}
    return {}


def _thread_key(row: Notification) -> str:
    if row.alert is None:
        return row.uid
    return f"alert-{row.alert.id}-{int(row.alert.opened_at.timestamp())}"
