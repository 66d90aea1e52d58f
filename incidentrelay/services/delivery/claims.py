"""Claiming: which notifications a worker may send now, alone or in one message.

Three things can delay a notification, and each leaves it as it is: the provider's circuit
is open, the provider has its maximum in flight, or the recipient's rate limit is used up.
Whatever ends the delay wakes the waiting messages; the sweep does so anyway.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.orm import Session, defer, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL, PROFILE
from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.delivery.circuit_breaker import Circuit
from incidentrelay.domain.enums import DeliveryState, EventKind
from incidentrelay.models import Channel, Event, Notification, RecipientRate, User
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.channels import providers
from incidentrelay.services.channels.config import full_config
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import recovery
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.delivery.bundling import (
    AskedNotification,
    Bundle,
    attempt_key,
    cancel_row,
    choose_bundle,
    keep_insiders,
    lease_rows,
    read_messages,
)
from incidentrelay.services.outbox.records import (
    IS_DUE,
    MAX_CONCURRENT_PER_PROVIDER,
    DeliveryClaim,
    PendingMessage,
    is_due,
    is_needed,
    wake_provider,
)
from incidentrelay.services.recipients import state as recipient_state

_ASKED = (
    select(Notification)
    .where(Notification.id == bindparam("id"), *IS_DUE)
    .options(
        defer(Notification.message),
        joinedload(Notification.channel).load_only(
            Channel.name, Channel.enabled, Channel.messages_per_minute
        ),
        joinedload(Notification.user).load_only(User.display_name, User.active, User.email),
    )
)
_IN_FLIGHT = select(
    func.count(func.coalesce(Notification.bundle, Notification.uid).distinct())
).where(
    IS_UNFINISHED,
    Notification.provider == bindparam("provider"),
    Notification.state == DeliveryState.SENDING,
    Notification.next_at > bindparam("now"),
)


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """``length`` of a lease by delivery method; ``worker`` is the slot of its holder."""

    length: Callable[[str], timedelta]
    worker: str | None = None


def claim_notification(
    session: Session, notification_id: int, vault: SecretBox, now: datetime, *, lease: LeaseTerms
) -> DeliveryClaim | None:
    """Claim the notification for one attempt, with others if they share a message.

    None if it is not due, is no longer needed, or has to wait (a hint wakes it then).
    """
    row = _find_due(session, notification_id, now)
    if row is None:
        return None
    reason = recipient_state.why_outside(session, row)
    if reason is not None:
        delivery_results.give_up_delivery(session, notification_id, reason, now)
        return None
    asked = AskedNotification.of(row)
    provider = providers.try_lock_provider(session, asked.provider, now)
    if provider is None:
        return None
    circuit = providers.load_circuit(provider)
    if not _may_send(session, asked, circuit, now):
        return None
    internal = asked.method in INTERNAL
    rate = None if internal else providers.load_rate(session, asked.target)
    bundle = _choose_bundle(session, asked, rate, now)
    if bundle is None:
        return None
    until = now + lease.length(asked.method)
    rows = lease_rows(session, bundle, now, until, lease.worker)
    needed = [row for row in rows if is_needed(row) or cancel_row(row, now)]
    sendable = read_messages(keep_insiders(session, asked, needed, now), vault, now)
    if not sendable:
        wake_provider(session, asked.provider, now)
        return None
    if not internal:
        _consume_rate(session, asked, rate, now)
    # If the circuit is open, this is its probe.
    providers.save_circuit(provider, circuit_breaker.half_open(circuit, until))
    recovery.hint_take_over(session, asked.id, until, now)
    return _claim_of(session, sendable, bundle, vault, probe=circuit.is_open)


def _find_due(session: Session, notification_id: int, now: datetime) -> Notification | None:
    return session.scalars(_ASKED, {"id": notification_id, "now": now}).one_or_none()


def _may_send(session: Session, asked: AskedNotification, circuit: Circuit, now: datetime) -> bool:
    """Whether the provider accepts this notification now."""
    if not circuit.allows(now):
        return False
    if _count_in_flight(session, asked.provider, now) >= MAX_CONCURRENT_PER_PROVIDER:
        return False
    return not (circuit.is_open and _gives_way_as_probe(session, asked, now))


def _count_in_flight(session: Session, provider: str, now: datetime) -> int:
    """How many messages of the provider are being sent."""
    return session.scalar(_IN_FLIGHT, {"provider": provider, "now": now}) or 0


def _gives_way_as_probe(session: Session, asked: AskedNotification, now: datetime) -> bool:
    """Whether another probes the provider, because it was sent less often; that one is woken.

    A message that always fails must not be every probe.
    """
    query = (
        select(Notification.id)
        .where(
            Notification.provider == asked.provider,
            Notification.fence < asked.fence,
            *is_due(now),
        )
        .order_by(Notification.fence, Notification.priority, Notification.id)
    )
    better = session.scalar(query.limit(1))
    if better is not None:
        db.hint(session, db.Hint("deliver", better))
    return better is not None


def _choose_bundle(
    session: Session, asked: AskedNotification, rate: RecipientRate | None, now: datetime
) -> Bundle | None:
    """What to send; None if the rate limit or another of the recipient's messages comes first."""
    busy_until = rate.busy_until if rate else None
    credit = asked.rate_limit.credits(busy_until, now)
    if not credit:
        _put_off(session, asked, asked.rate_limit.next_allowed_at(busy_until, now), now)
        return None
    return choose_bundle(session, asked, credit, now)


def _put_off(session: Session, asked: AskedNotification, until: datetime, now: datetime) -> None:
    """Delay the recipient's messages; the provider sends others meanwhile.

    An abandoned lease of a dead worker no longer counts as in flight: it would fill the
    provider. It keeps its key, because the message may have arrived.
    """
    abandoned = Notification.state == DeliveryState.SENDING
    session.execute(
        update(Notification)
        .where(Notification.target == asked.target, *is_due(now))
        .values(
            next_at=until,
            rate_limited=True,
            bundle=attempt_key,
            state=case((abandoned, DeliveryState.RETRY), else_=Notification.state),
        )
        .execution_options(synchronize_session=False)
    )
    db.hint(session, db.Hint("deliver", asked.id, until))
    wake_provider(session, asked.provider, now)


def _consume_rate(
    session: Session, asked: AskedNotification, rate: RecipientRate | None, now: datetime
) -> None:
    """Count the message against the recipient's rate."""
    busy_until = asked.rate_limit.consume(rate.busy_until if rate else None, now)
    providers.save_rate(session, asked.target, rate, busy_until)


def _claim_of(
    session: Session,
    sendable: Sequence[tuple[Notification, PendingMessage]],
    bundle: Bundle,
    vault: SecretBox,
    *,
    probe: bool,
) -> DeliveryClaim:
    """If one notification of a bundle remains, it is sent under its own uid."""
    row, key = sendable[0][0], bundle.key
    if len(sendable) == 1:
        row.bundle = key = None
    messages = [message for _, message in sendable]
    return DeliveryClaim(
        messages=tuple(sorted(messages, key=lambda each: -each.message.severity.rank)),
        attempt=row.attempts,
        uid=key or row.uid,
        user_id=row.user_id,
        method=row.method,
        provider=row.provider,
        config=_config(row, vault),
        thread_key=key or _thread_key(row),
        zone=row.user.zone if row.user else "UTC",
        reopened=len(sendable) == 1 and _was_reopened(session, row),
        unsettled=bundle.unsettled,
        probe=probe,
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
