"""Records how an attempt ended."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.orm import Session, aliased

from incidentrelay import db
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.models import Alert, Attempt, Notification
from incidentrelay.services.outbox.records import (
    ARRIVED,
    DeliveryClaim,
    DeliveryResult,
    PendingMessage,
)

# Built once: building a statement takes longer than running it.
_IDS: Any = bindparam("ids", expanding=True)
_FENCES = (
    select(Notification.id, Notification.fence)
    .where(Notification.id.in_(_IDS), Notification.state == DeliveryState.SENDING)
    .order_by(Notification.id)
    .with_for_update()
)
_ROWS: Any = Notification.__table__
_END = (
    update(_ROWS)
    .where(_ROWS.c.id.in_(_IDS))
    .values(
        state=bindparam("end", type_=_ROWS.c.state.type),
        next_at=None,
        last_error=bindparam("reason", type_=_ROWS.c.last_error.type),
        finished_at=bindparam("now", type_=_ROWS.c.finished_at.type),
    )
)
_END_WITH_HANDLE = _END.values(handle=bindparam("name", type_=_ROWS.c.handle.type))

# Outcomes of attempts, besides the resulting states of a notification.
UNKNOWN, REFUSED = "unknown", "refused"


def log_attempts(
    session: Session,
    claim: DeliveryClaim,
    result: DeliveryResult,
    started_at: datetime,
    now: datetime,
) -> None:
    values = {
        "started_at": started_at,
        "duration_ms": int((now - started_at).total_seconds() * 1000),
        "outcome": _outcome(result),
        "reason": result.reason,
    }
    rows = [
        {"notification_id": each.id, "number": each.attempt, **values} for each in claim.messages
    ]
    db.insert_all(session, Attempt, rows)


def _outcome(result: DeliveryResult) -> str:
    return UNKNOWN if result.unknown else REFUSED if result.refused else str(result.state)


def refused_since(session: Session, ids: Collection[int]) -> Mapping[int, datetime]:
    """When each notification's current run of refusals began.

    The last attempt of each is already logged, and was refused.
    """
    other = aliased(Attempt)
    last_other = (
        select(func.max(other.id))
        .where(other.notification_id == Notification.id, other.outcome != REFUSED)
        .scalar_subquery()
    )
    query = (
        select(Notification.id, func.min(Attempt.started_at))
        .join(Attempt, Attempt.notification_id == Notification.id)
        .where(Notification.id.in_(ids), Attempt.id > func.coalesce(last_other, 0))
        .group_by(Notification.id)
    )
    return dict(session.execute(query).all())


def lock_held(session: Session, claim: DeliveryClaim) -> Sequence[PendingMessage]:
    """Lock and return the notifications that no later claim has fenced off."""
    fences = dict(session.execute(_FENCES, {"ids": claim.ids}).all())
    return [each for each in claim.messages if fences.get(each.id) == each.fence]


def excuse_probes(
    session: Session, claim: DeliveryClaim, locked: Sequence[PendingMessage]
) -> Sequence[PendingMessage]:
    """The notifications after a failed probe, which does not count as a try.

    It counts if the alert is resolved: then nobody needs the message after the outage.
    """
    if not claim.probe:
        return locked
    alerts = {each.alert_id for each in locked}
    query = select(Alert.id).where(Alert.id.in_(alerts), Alert.status != AlertStatus.RESOLVED)
    open_alerts = set(session.scalars(query))
    return [
        replace(each, tries=each.tries - 1) if each.alert_id in open_alerts else each
        for each in locked
    ]


def write_retries(
    session: Session,
    claim: DeliveryClaim,
    result: DeliveryResult,
    retried: Sequence[PendingMessage],
    again: datetime,
) -> None:
    """Let the notifications be sent again, under the same key if they may have arrived."""
    key = claim.uid if result.unknown or claim.unsettled else None
    probes = {each.id: each.attempt - each.tries for each in retried}
    session.execute(
        update(Notification)
        .where(Notification.id.in_(probes))
        .values(
            state=DeliveryState.RETRY,
            next_at=again,
            last_error=result.reason,
            bundle=key,
            probes=case(probes, value=Notification.id),
        )
        .execution_options(synchronize_session=False)
    )


def write_ends(
    session: Session, result: DeliveryResult, ids: Collection[int], now: datetime
) -> None:
    """Give the notifications their final state."""
    exhausted = result.state is DeliveryState.RETRY
    values: dict[str, Any] = {
        "ids": list(ids),
        "end": DeliveryState.FAILED if exhausted else result.state,
        "reason": "" if result.state in ARRIVED else result.reason,
        "now": now,
    }
    if result.handle:
        values["name"] = dict(result.handle)
    session.connection().execute(_END_WITH_HANDLE if result.handle else _END, values)
