"""Sends notifications: one after a hint, or all that are due."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from incidentrelay.db import is_unavailable
from incidentrelay.domain.delivery.leases import LeaseHolder, is_dead
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.services.delivery import claims, recovery, stalled
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.outbox import internal
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult
from incidentrelay.tasks.context import BATCH, WorkerContext
from incidentrelay.tasks.lease_holder import start_of

log = logging.getLogger(__name__)

INTERNAL_ERROR = "Something went wrong inside IncidentRelay; see the worker's log."


def deliver(context: WorkerContext, notification_id: int) -> bool:
    """Try to deliver one notification; returns whether an attempt was made."""
    try:
        claim = _claim(context, notification_id)
    except Exception as error:
        if isinstance(error, DBAPIError) and is_unavailable(error):
            # The row is unchanged: the next sweep takes it.
            log.exception("Notification %s was not claimed.", notification_id)
            return False
        # A row that cannot be claimed must not block the others.
        log.exception("Notification %s could not be claimed.", notification_id)
        _defer(context, notification_id)
        return False
    if claim is None:
        return False
    started_at = context.clock()
    result = _send(context, claim)
    is_recorded = _record(context, claim, result, started_at=started_at)
    log.info(
        "Notification %s: attempt %s by %s: %s %s%s",
        ", ".join(map(str, claim.ids)),
        claim.attempt,
        claim.method,
        result.state,
        result.reason,
        "" if is_recorded else " (another worker has taken over)",
    )
    return True


def deliver_due(context: WorkerContext) -> bool:
    """Deliver the due notifications, in parallel; returns whether more may be due."""
    with context.database.read() as session:
        due = outbox_records.due_notification_ids(session, context.clock(), limit=BATCH)
    if not due:
        return False
    attempted = False
    with ThreadPoolExecutor(context.settings.worker_threads, "sweep") as pool:
        for future in [pool.submit(deliver, context, notification_id) for notification_id in due]:
            failure = future.exception()
            if failure is not None:
                log.error("A delivery of the sweep failed.", exc_info=failure)
            else:
                attempted |= future.result()
    return attempted and len(due) == BATCH


def mark_stalled(context: WorkerContext) -> bool:
    """Notify others of pages that wait for a provider that is down."""
    with context.database.write() as session:
        return stalled.mark_stalled(session, context.clock(), limit=BATCH) == BATCH


def correct_times(context: WorkerContext) -> bool:
    """Make rows due that a fast clock postponed for too long."""
    now, longest = context.clock(), context.longest_lease
    with context.database.write() as session:
        count = recovery.correct_times(session, now, longest_lease=longest)
    if count:
        log.warning("%s waits were too long for any rule: a clock was set back.", count)
    # The next round of the sweep sends them.
    return count > 0


def wake_abandoned(context: WorkerContext, _notification_id: int | None = None) -> bool:
    """Wake workers for what a dead worker was sending, whichever of its messages is asked for."""
    with context.database.write() as session:
        recovery.wake_abandoned(session, context.clock())
    return False


def end_dead_leases(context: WorkerContext, me: LeaseHolder) -> int:
    """Take back what dead workers of the same machine as ``me`` were sending."""
    with context.database.write() as session:
        return recovery.end_dead_leases(
            session, lambda holder: is_dead(holder, me, start_of), context.clock()
        )


def _claim(context: WorkerContext, notification_id: int) -> DeliveryClaim | None:
    holder = str(context.holder) if context.holder else None
    lease = claims.LeaseTerms(context.lease_length, holder)
    with context.database.write() as session:
        return claims.claim_notification(
            session, notification_id, context.vault, context.clock(), lease=lease
        )


def _send(context: WorkerContext, claim: DeliveryClaim) -> DeliveryResult:
    try:
        known = claim.method in context.channels.names()
        channel = context.channels.get(claim.method) if known else None
        return outbox_records.send_claim(claim, channel, context.links, context.clock())
    except Exception:
        log.exception("Notification %s: the channel %s failed.", claim.uid, claim.method)
        return DeliveryResult(DeliveryState.RETRY, INTERNAL_ERROR, unknown=True)


def _record(
    context: WorkerContext, claim: DeliveryClaim, result: DeliveryResult, *, started_at: datetime
) -> bool:
    now = context.clock()
    with context.database.write() as session:
        written = delivery_results.record_result(
            session,
            claim,
            result,
            started_at=started_at,
            now=now,
            most_attempts=context.settings.delivery_max_attempts,
            jitter=context.jitter(),
        )
        if written:
            internal.deliver_waiting(session, claim, result, now)
        return written


def _defer(context: WorkerContext, notification_id: int) -> None:
    with context.database.write() as session:
        delivery_results.defer_delivery(
            session,
            notification_id,
            INTERNAL_ERROR,
            context.clock(),
            most_attempts=context.settings.delivery_max_attempts,
        )
