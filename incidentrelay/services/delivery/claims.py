"""Claiming: which notifications a worker may send now, alone or in one message.

Three things can delay a notification, and each leaves it as it is: the provider's circuit
is open, the provider has its maximum in flight, or the recipient's rate limit is used up.
What ends the delay wakes what waits; the sweep does so anyway.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL, PROFILE
from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.enums import DeliveryState, EventKind
from incidentrelay.models import Event, Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.channels import providers
from incidentrelay.services.channels.config import full_config
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.delivery.bundling import (
    AskedNotification,
    cancel_row,
    choose_bundle,
    is_due,
    is_needed,
    keep_insiders,
    lease_rows,
    read_messages,
)
from incidentrelay.services.outbox.records import (
    MAX_CONCURRENT_PER_PROVIDER,
    DeliveryClaim,
    PendingMessage,
    wake_provider,
)
from incidentrelay.services.recipients import state as recipient_state


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
    asked = AskedNotification.of(found)
    provider = providers.try_lock_provider(session, asked.provider, now)
    if provider is None:
        return None
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
    ids, bundle = choose_bundle(session, asked, credit, now)
    rows = lease_rows(session, ids, bundle, now, now + lease)
    needed = [row for row in rows if is_needed(row) or cancel_row(row, now)]
    sendable = read_messages(keep_insiders(session, asked, needed, now), vault, now)
    if not sendable:
        wake_provider(session, asked.provider, now)
        return None
    if asked.method not in INTERNAL:
        providers.save_rate(session, asked.target, pace, asked.pace.consume(busy_until, now))
    providers.save_circuit(provider, circuit_breaker.half_open(state, now + lease))
    return _claim_of(session, sendable, bundle, vault)


def _find(session: Session, notification_id: int, now: datetime) -> Notification | None:
    query = (
        select(Notification)
        .where(Notification.id == notification_id, *is_due(now))
        .options(joinedload(Notification.channel), joinedload(Notification.user))
    )
    return session.scalars(query).one_or_none()


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


def _better_probe(asked: AskedNotification, now: datetime) -> Select[int]:
    """What was tried less often: one that always fails must not be every probe."""
    return (
        select(Notification.id)
        .where(
            Notification.provider == asked.provider,
            Notification.attempts < asked.attempts,
            *is_due(now),
        )
        .order_by(Notification.attempts, Notification.priority, Notification.id)
    )


def _more_urgent(asked: AskedNotification, now: datetime) -> Select[int]:
    """What its recipient should hear first, if there is but one message to be had."""
    return (
        select(Notification.id)
        .where(
            Notification.target == asked.target,
            Notification.priority < asked.priority,
            *is_due(now),
        )
        .order_by(Notification.priority, Notification.id)
    )


def _gives_way(session: Session, before: Select[int]) -> bool:
    """Whether there is one that should go first, and then wakes it."""
    found = session.scalar(before.limit(1))
    if found is not None:
        db.hint(session, db.Hint("deliver", found))
    return found is not None


def _put_off(session: Session, asked: AskedNotification, until: datetime, now: datetime) -> None:
    """Let the recipient's messages wait, and others of the provider go meanwhile.

    What a dead worker has left counts no longer as being sent: it would fill the provider.
    """
    left = Notification.state == DeliveryState.SENDING
    session.execute(
        update(Notification)
        .where(Notification.target == asked.target, *is_due(now))
        .values(next_at=until, state=case((left, DeliveryState.RETRY), else_=Notification.state))
        .execution_options(synchronize_session=False)
    )
    db.hint(session, db.Hint("deliver", asked.id, until))
    wake_provider(session, asked.provider, now)


def _claim_of(
    session: Session,
    sendable: Sequence[tuple[Notification, PendingMessage]],
    bundle: str | None,
    vault: SecretBox,
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
        zone=row.user.zone if row.user else "UTC",
        reopened=len(sendable) == 1 and _was_reopened(session, row),
    )


def _was_reopened(session: Session, row: Notification) -> bool:
    if row.alert is None or row.generation == 1:
        return False
    query = select(Event.id).where(Event.alert_id == row.alert.id, Event.kind == EventKind.REOPENED)
    return session.scalar(query.limit(1)) is not None


def _config(row: Notification, vault: SecretBox) -> Mapping[str, Any]:
    if row.channel is not None:
        return full_config(row.channel, vault)
    if row.contact is not None:
        return {"to": [row.contact.address]}
    if row.method == PROFILE and row.user is not None and row.user.email:
        return {"to": [row.user.email]}
    return {}


def _thread_key(row: Notification) -> str:
    if row.alert is None:
        return row.uid
    return f"alert-{row.alert.id}-{int(row.alert.opened_at.timestamp())}"
