"""Who is notified if a page does not arrive."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.enums import AlertStatus, DeliveryState, EventKind, NotificationKind
from incidentrelay.models import Alert, Event, Notification
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.alert_details import load_details
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox.records import ALARMS, ARRIVED
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients import targets


def fall_back(session: Session, row: Notification, alert: Alert, now: datetime) -> None:
    """A page of the alert does not arrive. If no other of its step can, others are notified.

    The plan's next step is brought forward and the team's fallback contact is notified.
    An acknowledged alert that was handed to somebody who cannot be reached returns to
    firing: nobody else knows that it is theirs.
    """
    if not _falls_back(row, alert) or _has_hope(session, row):
        return
    if alert.status is AlertStatus.ACKNOWLEDGED:
        _return_to_firing(session, alert, row, now)
        return
    _notify_fallback(session, alert, row.step, now)
    escalation_runner.advance_plan(session, alert, row.step, now)


def _falls_back(row: Notification, alert: Alert) -> bool:
    """Whether the alert still needs somebody to hear of it by this notification."""
    if alert.generation != row.generation or alert.quiet_until is not None:
        return False
    if row.kind is NotificationKind.ASSIGNMENT:
        is_open = alert.status is not AlertStatus.RESOLVED
        return is_open and alert.assignee_id == row.user_id
    is_page = row.kind in ALARMS and row.kind is not NotificationKind.FALLBACK
    return is_page and alert.status is AlertStatus.FIRING


def _return_to_firing(session: Session, alert: Alert, row: Notification, now: datetime) -> None:
    name = row.user.display_name if row.user is not None else "The assignee"
    text = f"{name} could not be reached; the person on call is paged."
    alert.assignee_id = None
    alert_transitions.return_to_firing(alert)
    escalation_runner.start_plans(alert, now)
    outbox_queue.cancel_pending(session, [alert.id], now)
    line = make_event(alert.id, EventKind.UNACKNOWLEDGED, text, now)
    db.insert_all(session, Event, [line])
    escalation_runner.continue_plans(session, [alert], now)


def _has_hope(session: Session, row: Notification) -> bool:
    """Whether another notification of the same step has arrived or still may.

    The inbox does not count: it wakes nobody.
    """
    others = select(Notification.id).where(
        Notification.alert_id == row.alert_id,
        Notification.generation == row.generation,
        Notification.step == row.step,
        Notification.method.not_in(INTERNAL),
        Notification.state.notin_([DeliveryState.FAILED, DeliveryState.CANCELLED]),
        or_(Notification.stalled_at.is_(None), Notification.state.in_(ARRIVED)),
    )
    return session.scalar(others.limit(1)) is not None


def _notify_fallback(session: Session, alert: Alert, step: int, now: datetime) -> None:
    people = directories.load_directory(
        session, (), {alert.team_id}, now=now, user_ids=[alert.assignee_id]
    )
    notified = _notified_targets(session, alert, step)
    contacts = [each for each in people.fallback(alert.team_id) if each.target not in notified]
    if not contacts:
        return
    subject = escalation_runner.subject_of(alert, load_details(session, [alert])[alert.id])
    headline, assignee = "A page could not be delivered", people.name(alert.assignee_id)
    body = outbox_queue.build_message(subject, NotificationKind.FALLBACK, headline, assignee)
    outbox_queue.write_rows(session, outbox_queue.build_rows(subject, contacts, body, step, now))
    names = ", ".join(dict.fromkeys(contact.label for contact in contacts))
    text = f"Fallback contact notified: {names}."
    data = targets.people_facts("fallback", contacts)
    line = make_event(alert.id, EventKind.FALLBACK_NOTIFIED, text, now, data=data)
    db.insert_all(session, Event, [line])


def _notified_targets(session: Session, alert: Alert, step: int) -> set[str]:
    """The targets already notified as fallback of this step."""
    query = select(Notification.target).where(
        Notification.alert_id == alert.id,
        Notification.generation == alert.generation,
        Notification.step == step,
        Notification.kind == NotificationKind.FALLBACK,
    )
    return set(session.scalars(query))
