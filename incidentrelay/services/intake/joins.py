"""Notifies the person who acknowledged an alert of signals that join it.

The message waits for a minute and lists all signals that join meanwhile, so a storm is
one message a minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, DeliveryState, NotificationKind
from incidentrelay.domain.intake.state import AlertState, IntakeBatch
from incidentrelay.domain.messages import Message
from incidentrelay.models import Notification
from incidentrelay.services.escalation.route_facts import RouteFacts
from incidentrelay.services.intake.paging import subject_of
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox.signal_lines import MAX_SIGNALS, list_signals
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients.directory import Directory, Recipient

WINDOW = timedelta(minutes=1)


def notify_joined(session: Session, facts: RouteFacts, batch: IntakeBatch, now: datetime) -> None:
    """Queue one update for each acknowledged alert, or add to the one that still waits."""
    joined = (alert for alert in batch.alerts.values() if alert.joined)
    alerts = [alert for alert in joined if alert.status is AlertStatus.ACKNOWLEDGED]
    if not alerts:
        return
    people = directories.load_directory(
        session,
        (),
        {facts.route.team_id},
        now=now,
        user_ids=[user_id for a in alerts for user_id in (a.acknowledged_by_id, a.assignee_id)],
    )
    earlier = _load_updates(session, alerts)
    outbox: list[dict[str, Any]] = []
    for alert in alerts:
        # Step 0 is the update that says who acknowledged.
        step = max((row.step for row in earlier.get(alert.id or 0, ())), default=0)
        last = [row for row in earlier.get(alert.id or 0, ()) if row.step == step]
        waiting = last if all(row.state is DeliveryState.PENDING for row in last) else []
        if not _rewrite(session, waiting, _message(alert, facts, people, waiting)):
            subject, body = subject_of(alert, facts), _message(alert, facts, people)
            recipients = _recipients(alert, people)
            outbox += outbox_queue.build_rows(subject, recipients, body, step + 1, now)
    outbox_queue.write_rows(session, outbox)


def _message(
    alert: AlertState, facts: RouteFacts, people: Directory, waiting: Sequence[Notification] = ()
) -> Message:
    """The update about the signals that joined now and those in ``waiting``."""
    before = Message.from_json(waiting[0].message) if waiting else None
    joined = len(alert.joined) + (before.joined if before else 0)
    listed = (before.signals if before else ()) + list_signals(alert.joined.values())
    headline = "1 signal joined" if joined == 1 else f"{joined} signals joined"
    subject = subject_of(alert, facts, people.name(alert.acknowledged_by_id))
    assignee = people.name(alert.assignee_id)
    body = outbox_queue.build_message(subject, NotificationKind.UPDATE, headline, assignee)
    return replace(body, signals=listed[:MAX_SIGNALS], joined=joined)


def _recipients(alert: AlertState, people: Directory) -> list[Recipient]:
    """The immediate contacts of the acknowledger or, if that is no user, the assignee."""
    urgency = people.about(alert.severity)
    recipients = urgency.person(alert.acknowledged_by_id) or urgency.person(alert.assignee_id)
    wait = int(WINDOW.total_seconds())
    return [replace(each, delay=wait) for each in recipients if each.delay == 0]


def _load_updates(
    session: Session, alerts: Sequence[AlertState]
) -> Mapping[int, list[Notification]]:
    """The updates about joins of the present acknowledgements, by alert."""
    present = [(alert.id, alert.generation) for alert in alerts]
    query = (
        select(Notification)
        .where(
            Notification.alert_id.in_([alert.id for alert in alerts]),
            tuple_(Notification.alert_id, Notification.generation).in_(present),
            Notification.kind == NotificationKind.UPDATE,
            Notification.step > 0,
        )
        .execution_options(populate_existing=True)
    )
    updates: dict[int, list[Notification]] = {}
    for row in session.scalars(query):
        updates.setdefault(row.alert_id or 0, []).append(row)
    return updates


def _rewrite(session: Session, waiting: Sequence[Notification], body: Message) -> bool:
    """Change the message of all that wait; False if none does, or one was just claimed."""
    if not waiting:
        return False
    changed = session.scalars(
        update(Notification)
        .where(
            Notification.id.in_([row.id for row in waiting]),
            Notification.state == DeliveryState.PENDING,
        )
        .values(message=body.to_json())
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return len(changed.all()) == len(waiting)
