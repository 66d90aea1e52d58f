"""What the result of an attempt changes: the outbox, the timeline, and the plan."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain.backoff import next_attempt
from incidentrelay.domain.enums import AlertStatus, DeliveryState, EventKind, NotificationKind
from incidentrelay.models import Alert, Attempt, Event, Notification
from incidentrelay.services import deliveries, escalations, notifications
from incidentrelay.services import directory as directories
from incidentrelay.services.deliveries import ALARMS, Claim, Result
from incidentrelay.services.timeline import event

DEFERRED = timedelta(minutes=1)


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
    state, again = result.state, None
    if state is DeliveryState.RETRY:
        again = next_attempt(
            taken.attempt,
            now,
            most=most_attempts,
            chance=chance,
            retry_after=result.retry_after,
        )
        state = DeliveryState.RETRY if again else DeliveryState.FAILED
    _log_attempt(session, taken, result, started_at, now)
    if not _write(session, taken, _values(state, result, again, now)):
        return False
    deliveries.wake_lane(session, taken.lane, now)
    if again is not None:
        db.hint(session, db.Hint("deliver", taken.id, again))
    else:
        _tell_of_the_end(session, taken.id, now)
    return True


def defer(
    session: Session, notification_id: int, reason: str, now: datetime, *, most_attempts: int
) -> None:
    """Push a row out of the way that cannot be claimed; after enough tries it has failed.

    A row that is not due is left alone: another worker may be sending it right now.
    """
    query = (
        select(Notification)
        .where(
            Notification.id == notification_id,
            Notification.state.in_(deliveries.DUE),
            Notification.next_at <= now,
        )
        .with_for_update()
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        return
    row.attempts += 1
    row.fence += 1
    row.last_error = reason
    if row.attempts < most_attempts:
        row.state, row.next_at = DeliveryState.RETRY, now + DEFERRED
        return
    row.state, row.next_at, row.finished_at = DeliveryState.FAILED, None, now
    session.flush()  # what follows looks for messages of the same step that have hope
    _tell_of_the_end(session, row.id, now)


def _tell_of_the_end(session: Session, notification_id: int, now: datetime) -> None:
    """The notification's last state goes on the timeline; a page that failed has followers."""
    row = session.get_one(
        Notification,
        notification_id,
        options=[joinedload(Notification.user), joinedload(Notification.channel)],
        populate_existing=True,
    )
    if row.alert_id is None or row.state is DeliveryState.CANCELLED:
        return
    _put_on_timeline(session, row, row.alert_id, now)
    if row.state is DeliveryState.FAILED:
        _fall_back(session, row, now)


def _values(
    state: DeliveryState, result: Result, again: datetime | None, now: datetime
) -> dict[str, Any]:
    arrived = state in {DeliveryState.SENT, DeliveryState.DELIVERED}
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


def _write(session: Session, taken: Claim, values: Mapping[str, Any]) -> bool:
    """Write the result unless a later claim has fenced this one off."""
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
    return written.rowcount == 1  # type: ignore[attr-defined,no-any-return]


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


def _put_on_timeline(session: Session, row: Notification, alert_id: int, now: datetime) -> None:
    who = row.user.display_name if row.user else row.channel.name if row.channel else row.target
    failed = row.state is DeliveryState.FAILED
    kind = EventKind.NOTIFICATION_FAILED if failed else EventKind.NOTIFICATION_SENT
    verb = "could not be told" if failed else "was told"
    # A message that could not even be read has no headline.
    why = row.message.get("headline") or row.kind
    text = f"{who} {verb} by {row.method} ({why})"
    text += f": {row.last_error}" if failed else ""
    data = {"notification_id": row.id, "state": str(row.state)}
    db.insert_all(session, Event, [event(alert_id, kind, text, now, data=data)])


def _fall_back(session: Session, row: Notification, now: datetime) -> None:
    """A page has failed for good: where no other of its step can arrive, others are told.

    The plan's next step is brought forward and the team's fallback contact is told.
    """
    alarming = row.kind in ALARMS and row.kind is not NotificationKind.FALLBACK
    if not alarming or _has_hope(session, row):
        return
    query = select(Alert).where(Alert.id == row.alert_id).options(joinedload(Alert.team))
    alert = session.scalars(query.with_for_update(of=Alert, key_share=True)).one()
    if alert.generation != row.generation or alert.status is not AlertStatus.FIRING:
        return
    _tell_fallback(session, alert, row.step, now)
    escalations.bring_forward(session, alert, row.step, now)


def _has_hope(session: Session, row: Notification) -> bool:
    """Whether another notification of the same step has arrived or still may.

    The inbox does not count: nobody wakes up of it.
    """
    others = select(Notification.id).where(
        Notification.alert_id == row.alert_id,
        Notification.generation == row.generation,
        Notification.step == row.step,
        Notification.method != "inbox",
        Notification.state.notin_([DeliveryState.FAILED, DeliveryState.CANCELLED]),
    )
    return session.scalar(others.limit(1)) is not None


def _tell_fallback(session: Session, alert: Alert, step: int, now: datetime) -> None:
    people = directories.load(session, (), {alert.team_id}, now=now, user_ids=[alert.assignee_id])
    contacts = people.fallback(alert.team_id)
    if not contacts:
        return
    subject = escalations.subject_of(alert)
    headline, assignee = "A page could not be delivered", people.name(alert.assignee_id)
    body = notifications.message(subject, NotificationKind.FALLBACK, headline, assignee)
    notifications.write(session, notifications.rows(subject, contacts, body, step, now))
    names = ", ".join(dict.fromkeys(contact.label for contact in contacts))
    text = f"The team's fallback contact is told: {names}."
    line = event(alert.id, EventKind.FALLBACK_NOTIFIED, text, now)
    db.insert_all(session, Event, [line])
