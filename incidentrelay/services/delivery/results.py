"""What the result of an attempt changes: the outbox, the timeline, and the plan."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload

from incidentrelay import db
from incidentrelay.domain.delivery.backoff import after_refusal, next_attempt
from incidentrelay.domain.delivery.circuit_breaker import Circuit
from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.models import Alert, Notification
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.channels import providers
from incidentrelay.services.delivery import fallback, rule_outcomes
from incidentrelay.services.delivery.bundling import cancel_row
from incidentrelay.services.outbox import attempts, outcomes
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import (
    ALARMS,
    ARRIVED,
    DeliveryClaim,
    DeliveryResult,
    PendingMessage,
    is_needed,
)

DEFERRED = timedelta(minutes=1)

_LOST = (
    select(Notification)
    .where(
        Notification.id.in_(bindparam("ids", expanding=True)), Notification.alert_id.is_not(None)
    )
    .order_by(Notification.id)
    .options(joinedload(Notification.user), joinedload(Notification.channel))
    .execution_options(populate_existing=True)
)


def record_result(
    session: Session,
    claim: DeliveryClaim,
    result: DeliveryResult,
    *,
    started_at: datetime,
    now: datetime,
    most_attempts: int,
    jitter: float,
) -> bool:
    """Record how the attempt ended; False if another worker has taken over.

    ``jitter`` ∈ [0, 1) spreads the retries.
    """
    provider = providers.lock_providers(session, claim.provider)
    attempts.log_attempts(session, claim, result, started_at, now)
    held = attempts.lock_held(session, claim)
    if not held:
        return False
    down = result.reason if result.down else None
    circuit = providers.record_outcome(session, provider, down, result.retry_after, now)
    retried: Sequence[PendingMessage] = ()
    if result.state is DeliveryState.RETRY:
        excused = attempts.excuse_probes(session, claim, held) if result.down else held
        retriable = [each for each in excused if each.tries < most_attempts]
        fewest = min((each.tries for each in retriable), default=1)
        again = next_attempt(fewest, now, jitter=jitter, retry_after=result.retry_after)
        if claim.probe and circuit.open_until:
            again = circuit.open_until
        retried, again = _end_refusals(session, result, retriable, again, now)
    if retried:
        attempts.write_retries(session, claim, result, retried, again)
        db.hint(session, db.Hint("deliver", min(each.id for each in retried), again))
    ended = {each.id for each in held} - {each.id for each in retried}
    if ended:
        attempts.write_ends(session, result, ended, now)
        notify_failure(session, sorted(ended), now)
    _wake_waiting(session, claim.provider, circuit, now)
    return True


def _end_refusals(
    session: Session,
    result: DeliveryResult,
    retriable: Sequence[PendingMessage],
    again: datetime,
    now: datetime,
) -> tuple[Sequence[PendingMessage], datetime]:
    """Those that are sent again, and when; a message that is refused for minutes is not.

    Somebody watches a test, so a refusal ends it at once.
    """
    if not result.refused:
        return retriable, again
    tested = NotificationKind.TEST
    since = attempts.refused_since(session, [each.id for each in retriable])
    times = {
        each.id: after_refusal(again, since[each.id], now)
        for each in retriable
        if each.message.kind is not tested
    }
    ends = [at for at in times.values() if at is not None]
    return [each for each in retriable if times.get(each.id)], min(ends, default=again)


def _wake_waiting(session: Session, provider: str, circuit: Circuit, now: datetime) -> None:
    if circuit.allows(now):
        outbox_records.wake_provider(session, provider, now)
    elif circuit.open_until:
        outbox_records.wake_provider(session, provider, circuit.open_until, most=1)


def defer_delivery(
    session: Session, notification_id: int, reason: str, now: datetime, *, most_attempts: int
) -> None:
    """Postpone a row that cannot be claimed; after enough attempts it fails.

    A row that is not due stays as it is: another worker may be sending it right now.
    """
    row = _lock_due(session, notification_id, now)
    if row is None:
        return
    row.attempts += 1
    row.fence += 1
    row.last_error = reason
    if row.attempts - row.probes < most_attempts:
        row.state, row.next_at, row.bundle = DeliveryState.RETRY, now + DEFERRED, row.uid
        # It may have been the first in line.
        outbox_records.wake_provider(session, row.provider, now)
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
        .where(Notification.id == notification_id, *outbox_records.is_due(now))
        .with_for_update()
        .options(selectinload(Notification.alert))
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one_or_none()


def notify_failure(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Record the final states on the timelines, and escalate failed pages.

    Cancelled notifications are those this installation could not send.
    """
    states = outcomes.write_outcomes(session, ids, now, others=len(ids) - 1)
    if lost := [each for each, state in states.items() if state not in ARRIVED]:
        _replace_lost(session, lost, now)


def _replace_lost(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Notify others instead."""
    lost = session.scalars(_LOST, {"ids": ids}).all()
    alerts = lock_alerts(session, [row.alert_id for row in lost])
    for row in lost:
        rule_outcomes.bring_rules_forward(session, row, now)
        fallback.fall_back(session, row, alerts[row.alert_id], now)


def lock_alerts(session: Session, ids: Iterable[int | None]) -> Mapping[int | None, Alert]:
    """Lock the alerts before checking for other pending notifications.

    If two contacts fail at once, the second must see the first failure. Acknowledging
    locks the alert before its notifications, so the reverse order would deadlock.
    """
    wanted = sorted({each for each in ids if each is not None})
    return {alert.id: alert for alert in alert_transitions.lock_alerts(session, wanted)}
