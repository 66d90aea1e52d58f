"""Recovers from clocks that were set back, and from workers that died."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.delivery.clock_steps import LatestTimes, latest_times
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification, Provider, RecipientRate
from incidentrelay.models.delivery.notification import IS_UNFINISHED

_BATCH = 500
_IS_LEASED = (IS_UNFINISHED, Notification.state == DeliveryState.SENDING)


def correct_times(session: Session, now: datetime, *, longest_lease: timedelta) -> int:
    """End waits that are longer than their rule allows; returns how many times changed.

    A notification that was delayed on purpose keeps its time. If it was created in the
    future, it keeps its delay, which begins now.
    """
    latest = latest_times(now, longest_lease)
    # In the lock order of services/channels/providers.
    statements = (
        update(Provider).where(Provider.open_until > latest.open_until).values(open_until=now),
        update(Provider).where(Provider.since > latest.since).values(since=now),
        update(RecipientRate)
        .where(RecipientRate.busy_until > latest.busy_until)
        .values(busy_until=now),
        update(Notification).where(IS_UNFINISHED, _waits_too_long(latest)).values(next_at=now),
    )
    count = sum(
        session.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
        for statement in statements
    )
    return count + _correct_creation(session, latest, now)


def _correct_creation(session: Session, latest: LatestTimes, now: datetime) -> int:
    query = (
        select(Notification)
        .where(IS_UNFINISHED, Notification.created_at > latest.created_at)
        .order_by(Notification.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(query).all()
    for row in rows:
        if row.state is DeliveryState.PENDING and not row.rate_limited and row.next_at:
            row.next_at = now + (row.next_at - row.created_at)
        row.created_at = now
    return len(rows)


def _waits_too_long(latest: LatestTimes) -> Any:
    by_rule = (
        (Notification.rate_limited, latest.rate_limited),
        (Notification.state == DeliveryState.RETRY, latest.retry),
        (Notification.state == DeliveryState.SENDING, latest.lease),
    )
    # The earliest limit comes first, so that an index on the time serves all of them.
    return and_(
        Notification.next_at > min(at for _, at in by_rule),
        or_(*(and_(rule, Notification.next_at > at) for rule, at in by_rule)),
    )


def end_dead_leases(session: Session, is_dead: Callable[[str], bool], now: datetime) -> int:
    """Make the notifications that dead workers were sending due; returns how many."""
    holders = session.scalars(select(Notification.leased_by).where(*_IS_LEASED).distinct())
    dead = [holder for holder in holders if holder is not None and is_dead(holder)]
    if not dead:
        return 0
    ended = session.scalars(
        update(Notification)
        .where(*_IS_LEASED, Notification.leased_by.in_(dead), Notification.next_at > now)
        .values(next_at=now)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    ).all()
    for notification_id in ended:
        db.hint(session, db.Hint("deliver", notification_id))
    return len(ended)


def wake_abandoned(session: Session, now: datetime) -> None:
    """Wake workers for messages whose leases have ended without a result."""
    ended = session.scalars(
        select(Notification.id)
        .where(*_IS_LEASED, Notification.next_at <= now)
        .order_by(Notification.next_at)
        .limit(db.MOST_HINTS)
    )
    for notification_id in ended:
        db.hint(session, db.Hint("deliver", notification_id))


def hint_take_over(session: Session, notification_id: int, until: datetime, now: datetime) -> None:
    """If this worker dies, another one takes over when its lease ends at ``until``.

    One hint is for all leases of this process that end within the same second.
    """
    at = until if not until.microsecond else until.replace(microsecond=0) + timedelta(seconds=1)
    hinted = db.process_memory(session, "lease ends")
    for past in [each for each in tuple(hinted) if each <= now]:
        hinted.pop(past, None)
    if at not in hinted:
        hinted[at] = True
        db.hint(session, db.Hint("leases", notification_id, at))
