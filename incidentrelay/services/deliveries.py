"""Delivering the outbox: claim, perform, record.

Claim and record are short transactions; between them, outside of any, the channel
does its work. A claim is a lease: when it runs out without a result, the worker is
taken for dead and the notification is due again. Its fence grows with each claim,
and a result that comes with an older fence is not written.

What shares a provider shares a lane, in which only a few are sent at the same time:
a provider that hangs holds up its own lane and nobody else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from incidentrelay import db
from incidentrelay.channels.base import (
    Channel,
    NotSetUp,
    PermanentFailure,
    SendResult,
    TemporaryFailure,
)
from incidentrelay.domain.enums import AlertStatus, DeliveryState, NotificationKind
from incidentrelay.domain.messages import Envelope, Links, Message
from incidentrelay.models import Notification
from incidentrelay.services.channel_config import full_config
from incidentrelay.services.vault import Vault

DUE = (DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)
LANE_WIDTH = 3
MOST_OF_A_LANE = 20
ALARMS = (
    NotificationKind.PAGE,
    NotificationKind.ESCALATION,
    NotificationKind.REMINDER,
    NotificationKind.FALLBACK,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt that this worker may make, with all that the channel needs."""

    id: int
    fence: int
    attempt: int
    uid: str
    alert_id: int | None
    user_id: int | None
    method: str
    lane: str
    config: Mapping[str, Any]
    message: Message
    thread_key: str


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended: SENT, DELIVERED, RETRY, FAILED or CANCELLED, and why."""

    state: DeliveryState
    reason: str = ""
    handle: Mapping[str, Any] | None = None
    retry_after: timedelta | None = None
    unknown: bool = False


def due_ids(session: Session, now: datetime, *, limit: int) -> list[int]:
    """What is due, most urgent and oldest first; of each lane only its first ones.

    A lane with a thousand waiting messages must not hide the single one of another.
    """
    order = (Notification.priority, Notification.next_at, Notification.id)
    rank = func.row_number().over(partition_by=Notification.lane, order_by=order)
    ranked = (
        select(Notification.id, Notification.priority, Notification.next_at, rank.label("rank"))
        .where(Notification.state.in_(DUE), Notification.next_at <= now)
        .subquery()
    )
    query = (
        select(ranked.c.id)
        .where(ranked.c.rank <= MOST_OF_A_LANE)
        .order_by(ranked.c.priority, ranked.c.next_at, ranked.c.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def wake_lane(session: Session, lane: str, now: datetime) -> None:
    """A place in the lane is free: whoever waits in it may try."""
    query = (
        select(Notification.id)
        .where(
            Notification.lane == lane,
            Notification.state.in_((DeliveryState.PENDING, DeliveryState.RETRY)),
            Notification.next_at <= now,
        )
        .order_by(Notification.priority, Notification.next_at, Notification.id)
        .limit(LANE_WIDTH)
    )
    for notification_id in session.scalars(query):
        db.hint(session, db.Hint("deliver", notification_id))


def claim(
    session: Session, notification_id: int, vault: Vault, now: datetime, *, lease: timedelta
) -> Claim | None:
    """Take the notification for one attempt.

    None: it is not due, needed no more, or its lane is full; then it is hinted at
    again when a place is free.
    """
    if not _take(session, notification_id, now, now + lease):
        return None
    row = _load(session, notification_id)
    if not _is_needed(row):
        row.state, row.next_at, row.finished_at = DeliveryState.CANCELLED, None, now
        return None
    return Claim(
        id=row.id,
        fence=row.fence,
        attempt=row.attempts,
        uid=row.uid,
        alert_id=row.alert_id,
        user_id=row.user_id,
        method=row.method,
        lane=row.lane,
        config=_config(row, vault),
        message=Message.from_json(row.message),
        thread_key=_thread_key(row),
    )


def _take(session: Session, notification_id: int, now: datetime, until: datetime) -> bool:
    """Lease the row; of several workers that try, one succeeds."""
    other = aliased(Notification)
    in_flight = (
        select(func.count(other.id))
        .where(
            other.lane == Notification.lane,
            other.state == DeliveryState.SENDING,
            other.next_at > now,
        )
        .correlate(Notification)
        .scalar_subquery()
    )
    taken = session.execute(
        update(Notification)
        .where(
            Notification.id == notification_id,
            Notification.state.in_(DUE),
            Notification.next_at <= now,
            in_flight < LANE_WIDTH,
        )
        .values(
            state=DeliveryState.SENDING,
            fence=Notification.fence + 1,
            attempts=Notification.attempts + 1,
            next_at=until,
        )
        .execution_options(synchronize_session=False)
    )
    return taken.rowcount == 1  # type: ignore[attr-defined,no-any-return]


def _load(session: Session, notification_id: int) -> Notification:
    query = (
        select(Notification)
        .where(Notification.id == notification_id)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.channel),
            joinedload(Notification.user),
        )
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one()


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


def _config(row: Notification, vault: Vault) -> Mapping[str, Any]:
    if row.channel is not None:
        return full_config(row.channel, vault)
    if row.method == "email" and row.user is not None and row.user.email:
        return {"to": [row.user.email]}
    return {}


def _thread_key(row: Notification) -> str:
    if row.alert is None:
        return row.uid
    return f"alert-{row.alert.id}-{int(row.alert.opened_at.timestamp())}"


def perform(
    taken: Claim, channel: Channel | None, links: Callable[[Claim, datetime], Links], now: datetime
) -> Result:
    """Send it. Whatever a channel does wrong becomes a result, never an exception."""
    if channel is None:
        return Result(DeliveryState.FAILED, f"There is no channel of the kind {taken.method}.")
    envelope = Envelope(
        message=taken.message,
        links=links(taken, now),
        idempotency_key=taken.uid,
        thread_key=taken.thread_key,
        now=now,
    )
    try:
        sent: SendResult = channel.send(envelope, taken.config)
    except TemporaryFailure as failure:
        return Result(
            DeliveryState.RETRY,
            failure.reason,
            retry_after=failure.retry_after,
            unknown=failure.unknown,
        )
    except NotSetUp as failure:
        # Nobody chose this way for a person: it is one of all that a person could have.
        state = DeliveryState.FAILED if taken.user_id is None else DeliveryState.CANCELLED
        return Result(state, failure.reason)
    except PermanentFailure as failure:
        return Result(DeliveryState.FAILED, failure.reason)
    state = DeliveryState.DELIVERED if sent.delivered else DeliveryState.SENT
    return Result(state, sent.detail, sent.handle)
