"""What the result of an attempt changes: the outbox, the timeline, and the plan."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session, joinedload, selectinload

from incidentrelay import db
from incidentrelay.domain.delivery.backoff import after_refusal, next_attempt
from incidentrelay.domain.enums import DeliveryState, EventKind, NotificationKind
from incidentrelay.models import Alert, Attempt, Event, Notification
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.channels import providers
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.delivery import fallback, rule_outcomes
from incidentrelay.services.delivery.bundling import cancel_row, is_needed
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import ALARMS, ARRIVED, DeliveryClaim, DeliveryResult

DEFERRED = timedelta(minutes=1)
# Outcomes of attempts, beside the states in which they leave a notification.
UNKNOWN, REFUSED = "unknown", "refused"


def record_result(
    session: Session,
    taken: DeliveryClaim,
    result: DeliveryResult,
    *,
    started_at: datetime,
    now: datetime,
    most_attempts: int,
    jitter: float,
) -> bool:
    """Write down how the attempt ended; False: another worker has taken over since.

    ``jitter`` ∈ [0, 1) spreads the retries.
    """
    provider = providers.lock_providers(session, taken.provider)
    _log_attempt(session, taken, result, started_at, now)
    state, again = result.state, None
    if state is DeliveryState.RETRY:
        again = next_attempt(
            taken.attempt,
            now,
            most=most_attempts,
            jitter=jitter,
            retry_after=result.retry_after,
        )
        if result.refused:
            again = after_refusal(again, _refused_since(session, taken, started_at), now)
        state = DeliveryState.RETRY if again else DeliveryState.FAILED
    written = _write(session, taken, _values(state, result, again, now))
    if not written:
        return False
    down = result.reason if result.down else None
    circuit = providers.record_outcome(session, provider, down, result.retry_after, now)
    if again is not None:
        db.hint(session, db.Hint("deliver", written[0], again))
    else:
        notify_failure(session, written, now)
    if circuit.allows(now):
        outbox_records.wake_provider(session, taken.provider, now)
    elif circuit.open_until:
        outbox_records.wake_provider(session, taken.provider, circuit.open_until, most=1)
    return True


def _refused_since(session: Session, taken: DeliveryClaim, started_at: datetime) -> datetime:
    """When the first of the last attempts in a row that were refused began.

    A test is watched by the person who asked for it, so it gets its answer at once.
    """
    first = taken.owed[0]
    if first.message.kind is NotificationKind.TEST:
        return datetime.min.replace(tzinfo=started_at.tzinfo)
    mine = Attempt.notification_id == first.id
    other = select(func.max(Attempt.id)).where(mine, Attempt.outcome != REFUSED).scalar_subquery()
    query = select(func.min(Attempt.started_at)).where(mine, Attempt.id > func.coalesce(other, 0))
    return session.scalar(query) or started_at


def defer_delivery(
    session: Session, notification_id: int, reason: str, now: datetime, *, most_attempts: int
) -> None:
    """Push back a row that cannot be claimed; after enough attempts it fails.

    A row that is not due is left alone: another worker may be sending it right now.
    """
    row = _lock_due(session, notification_id, now)
    if row is None:
        return
    row.attempts += 1
    row.fence += 1
    row.last_error = reason
    if row.attempts < most_attempts:
        row.state, row.next_at = DeliveryState.RETRY, now + DEFERRED
        return
    row.state, row.next_at, row.finished_at = DeliveryState.FAILED, None, now
    session.flush()  # the fallback queries the other notifications of this step
    notify_failure(session, [row.id], now)


def give_up_delivery(session: Session, notification_id: int, reason: str, now: datetime) -> None:
    """End a due notification that has no recipient left; a page counts as failed."""
    row = _lock_due(session, notification_id, now)
    if row is None:
        return
    row.fence += 1
    if not is_needed(row):
        cancel_row(row, now)
        return
    failed = row.kind in (*ALARMS, NotificationKind.ASSIGNMENT)
    row.state = DeliveryState.FAILED if failed else DeliveryState.CANCELLED
    row.last_error, row.next_at, row.finished_at = reason, None, now
    session.flush()  # the fallback queries the other notifications of this step
    notify_failure(session, [row.id], now)


def _lock_due(session: Session, notification_id: int, now: datetime) -> Notification | None:
    """Lock the alert, then the notification; None if another worker handled it."""
    alert_id = session.scalar(
        select(Notification.alert_id).where(Notification.id == notification_id)
    )
    lock_alerts(session, [alert_id])
    query = (
        select(Notification)
        .where(
            Notification.id == notification_id,
            Notification.state.in_(outbox_records.DUE),
            Notification.next_at <= now,
        )
        .with_for_update()
        .options(selectinload(Notification.alert))
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one_or_none()


def notify_failure(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Record the final states on the timelines, and escalate failed pages.

    Cancelled notifications are those this installation could not send.
    """
    query = (
        select(Notification)
        .where(Notification.id.in_(ids), Notification.alert_id.is_not(None))
        .order_by(Notification.id)
        .options(joinedload(Notification.user), joinedload(Notification.channel))
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(query).all()
    finished = [row for row in rows if row.state is not DeliveryState.CANCELLED]
    db.insert_all(session, Event, [_line(row, len(ids) - 1, now) for row in finished])
    lost = [row for row in rows if row.state not in ARRIVED]
    alerts = lock_alerts(session, [row.alert_id for row in lost])
    for row in lost:
        rule_outcomes.bring_rules_forward(session, row, now)
        failed = row.state is DeliveryState.FAILED
        if failed or rule_outcomes.follows_failure(session, row):
            fallback.fall_back(session, row, alerts[row.alert_id], now)


def lock_alerts(session: Session, ids: Iterable[int | None]) -> Mapping[int | None, Alert]:
    """Lock the alerts before checking for other pending notifications.

    If two contacts fail at once, the second must see the first failure. Acknowledging
    locks the alert before its notifications, so the reverse order would deadlock.
    """
    wanted = sorted({each for each in ids if each is not None})
    return {alert.id: alert for alert in alert_transitions.lock_alerts(session, wanted)}


def _values(
    state: DeliveryState, result: DeliveryResult, again: datetime | None, now: datetime
) -> dict[str, Any]:
    arrived = state in ARRIVED
    values: dict[str, Any] = {
        "state": state,
        "next_at": again,
        "last_error": "" if arrived else result.reason,
    }
    if again is None:
        values["finished_at"] = now
    if result.handle:
        values["handle"] = dict(result.handle)
    return values


def _write(session: Session, taken: DeliveryClaim, values: Mapping[str, Any]) -> list[int]:
    """Write the result unless a later claim fenced this one off; returns the ids written."""
    fences = [(each.id, each.fence) for each in taken.owed]
    written = session.scalars(
        update(Notification)
        .where(
            # Also filter by id: SQLite cannot use an index for row values.
            Notification.id.in_(taken.ids),
            tuple_(Notification.id, Notification.fence).in_(fences),
            Notification.state == DeliveryState.SENDING,
        )
        .values(values)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(written)


def _log_attempt(
    session: Session,
    taken: DeliveryClaim,
    result: DeliveryResult,
    started_at: datetime,
    now: datetime,
) -> None:
    values = {
        "number": taken.attempt,
        "started_at": started_at,
        "duration_ms": int((now - started_at).total_seconds() * 1000),
        "outcome": _outcome(result),
        "reason": result.reason,
    }
    rows = [{"notification_id": each, **values} for each in taken.ids]
    db.insert_all(session, Attempt, rows)


def _outcome(result: DeliveryResult) -> str:
    return UNKNOWN if result.unknown else REFUSED if result.refused else str(result.state)


_NOUNS: Mapping[NotificationKind, str] = {
    NotificationKind.PAGE: "Page",
    NotificationKind.ESCALATION: "Escalation",
    NotificationKind.FALLBACK: "Fallback page",
    NotificationKind.ASSIGNMENT: "Assignment",
    NotificationKind.REMINDER: "Reminder",
    NotificationKind.UPDATE: "Update",
}


def _line(row: Notification, others: int, now: datetime) -> dict[str, Any]:
    """The timeline entry for a finished notification that shared its message with ``others``."""
    assert row.alert_id is not None, "only alerts have a timeline"
    failed = row.state is DeliveryState.FAILED
    kind = EventKind.NOTIFICATION_FAILED if failed else EventKind.NOTIFICATION_SENT
    # Channels are known by their names; a person may have several contacts.
    to = f"{recipient_of(row)} by {row.method}" if row.user else recipient_of(row)
    noun = _NOUNS.get(row.kind, "Message")
    text = f"{noun} to {to} failed" if failed else f"{noun} delivered to {to}"
    if others:
        text += f", in one message with {others} other{'s' if others > 1 else ''}"
    text += f": {row.last_error}" if failed else ""
    data = {"notification_id": row.id, "state": str(row.state), "bundle": row.bundle}
    return make_event(row.alert_id, kind, text, now, data=data)


def recipient_of(row: Notification) -> str:
    return row.user.display_name if row.user else row.channel.name if row.channel else row.target
