"""Delivering the outbox: claim, perform, record.

Claim and record are short transactions; between them, outside of any, the channel
does its work. A claim is a lease: when it runs out without a result, the worker is
taken for dead and the notification is due again. Its fence grows with each claim,
and a result that comes with an older fence is not written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.base import (
    Channel,
    NotSetUp,
    PermanentFailure,
    SendResult,
    TemporaryFailure,
)
from incidentrelay.domain.backoff import next_attempt
from incidentrelay.domain.enums import AlertStatus, DeliveryState, EventKind, NotificationKind
from incidentrelay.domain.messages import Envelope, Links, Message
from incidentrelay.models import Alert, Attempt, Event, Notification
from incidentrelay.services import directory as directories
from incidentrelay.services import escalations, notifications
from incidentrelay.services.channel_config import full_config
from incidentrelay.services.timeline import event
from incidentrelay.services.vault import Vault

DUE = (DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)
DEFERRED = timedelta(minutes=1)
_ALARMS = (
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
    """What is due, most urgent and oldest first."""
    query = (
        select(Notification.id)
        .where(Notification.state.in_(DUE), Notification.next_at <= now)
        .order_by(Notification.priority, Notification.next_at, Notification.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def claim(
    session: Session, notification_id: int, vault: Vault, now: datetime, *, lease: timedelta
) -> Claim | None:
    """Take the notification for one attempt; None: it is not due, or needed no more."""
    taken = session.execute(
        update(Notification)
        .where(
            Notification.id == notification_id,
            Notification.state.in_(DUE),
            Notification.next_at <= now,
        )
        .values(
            state=DeliveryState.SENDING,
            fence=Notification.fence + 1,
            attempts=Notification.attempts + 1,
            next_at=now + lease,
        )
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return None
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
    row = session.scalars(query).one()
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
        config=_config(row, vault),
        message=Message.from_json(row.message),
        thread_key=_thread_key(row),
    )


def defer(
    session: Session, notification_id: int, reason: str, now: datetime, *, most_attempts: int
) -> None:
    """Push a row out of the way that cannot be claimed; after enough tries it has failed."""
    row = session.get(Notification, notification_id)
    if row is None or row.state not in DUE:
        return
    row.attempts += 1
    row.fence += 1
    row.last_error = reason
    if row.attempts >= most_attempts:
        row.state, row.next_at, row.finished_at = DeliveryState.FAILED, None, now
    else:
        row.state, row.next_at = DeliveryState.RETRY, now + DEFERRED


def _is_needed(row: Notification) -> bool:
    """Whether the alert is still as it was when this was owed."""
    alert = row.alert
    if alert is None:
        return True
    if row.generation != alert.generation:
        return False
    if row.kind in _ALARMS:
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


def record(
    session: Session,
    taken: Claim,
    result: Result,
    *,
    started_at: datetime,
    now: datetime,
    most_attempts: int,
    chance: float,
) -> bool:
    """Write down how the attempt ended; False: another worker has taken over since.

    ``chance`` ∈ [0, 1) spreads the retries.
    """
    again = None
    if result.state is DeliveryState.RETRY:
        again = next_attempt(
            taken.attempt,
            now,
            most=most_attempts,
            chance=chance,
            retry_after=result.retry_after,
        )
    failed = result.state is DeliveryState.RETRY and again is None
    state = DeliveryState.FAILED if failed else result.state
    _log_attempt(session, taken, result, started_at, now)
    values: dict[str, Any] = {"state": state, "next_at": again, "last_error": ""}
    if state in {DeliveryState.RETRY, DeliveryState.FAILED, DeliveryState.CANCELLED}:
        values["last_error"] = result.reason
    if state is not DeliveryState.RETRY:
        values["finished_at"] = now
    if result.handle:
        values["handle"] = dict(result.handle)
    written = session.execute(
        update(Notification)
        .where(
            Notification.id == taken.id,
            Notification.fence == taken.fence,
            Notification.state == DeliveryState.SENDING,
        )
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if written.rowcount != 1:  # type: ignore[attr-defined]
        return False
    if again is not None:
        db.hint(session, db.Hint("deliver", taken.id, again))
    elif state is not DeliveryState.CANCELLED:
        _put_on_timeline(session, taken, state, result.reason, now)
    if state is DeliveryState.FAILED:
        _fall_back(session, taken, now)
    return True


def _log_attempt(
    session: Session, taken: Claim, result: Result, started_at: datetime, now: datetime
) -> None:
    row = {
        "notification_id": taken.id,
        "number": taken.attempt,
        "started_at": started_at,
        "duration_ms": int((now - started_at).total_seconds() * 1000),
        "outcome": "unknown" if result.unknown else str(result.state),
        "reason": result.reason,
    }
    db.insert_all(session, Attempt, [row])


def _put_on_timeline(
    session: Session, taken: Claim, state: DeliveryState, reason: str, now: datetime
) -> None:
    if taken.alert_id is None:
        return
    row = session.get_one(
        Notification,
        taken.id,
        options=[joinedload(Notification.user), joinedload(Notification.channel)],
    )
    who = row.user.display_name if row.user else row.channel.name if row.channel else row.target
    failed = state is DeliveryState.FAILED
    kind = EventKind.NOTIFICATION_FAILED if failed else EventKind.NOTIFICATION_SENT
    verb = "could not be told" if failed else "was told"
    text = f"{who} {verb} by {taken.method} ({taken.message.headline})"
    text += f": {reason}" if failed else ""
    data = {"notification_id": taken.id, "state": str(state)}
    db.insert_all(session, Event, [event(taken.alert_id, kind, text, now, data=data)])


def _fall_back(session: Session, taken: Claim, now: datetime) -> None:
    """A page has failed for good: where no other of its step can arrive, others are told.

    The plan's next step is brought forward and the team's fallback contact is told.
    The inbox does not count: nobody wakes up of it.
    """
    row = session.get_one(Notification, taken.id)
    if row.alert_id is None or row.kind not in _ALARMS or row.kind is NotificationKind.FALLBACK:
        return
    siblings = select(Notification.id).where(
        Notification.alert_id == row.alert_id,
        Notification.generation == row.generation,
        Notification.step == row.step,
        Notification.method != "inbox",
        Notification.state.notin_([DeliveryState.FAILED, DeliveryState.CANCELLED]),
    )
    if session.scalar(siblings.limit(1)) is not None:
        return
    query = select(Alert).where(Alert.id == row.alert_id).options(joinedload(Alert.team))
    alert = session.scalars(query.with_for_update(of=Alert, key_share=True)).one()
    if alert.generation != row.generation or alert.status is not AlertStatus.FIRING:
        return
    people = directories.load(session, (), {alert.team_id}, now=now, user_ids=[alert.assignee_id])
    subject = escalations.subject_of(alert)
    body = notifications.message(
        subject,
        NotificationKind.FALLBACK,
        "A page could not be delivered",
        people.name(alert.assignee_id),
    )
    contacts = people.fallback(alert.team_id)
    notifications.write(session, notifications.rows(subject, contacts, body, row.step, now))
    if contacts:
        names = ", ".join(dict.fromkeys(contact.label for contact in contacts))
        text = f"The team's fallback contact is told: {names}."
        line = event(alert.id, EventKind.FALLBACK_NOTIFIED, text, now)
        db.insert_all(session, Event, [line])
    escalations.bring_forward(session, alert, row.step, now)
