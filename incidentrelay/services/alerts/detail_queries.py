"""Reads for one alert's page: timeline, notifications, possible assignees."""

from sqlalchemy import case, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.enums import AlertStatus, EventKind, SignalStatus
from incidentrelay.models import Alert, Event, GroupMember, Notification, Signal, Team, User
from incidentrelay.services.escalation.alert_details import WORST_FIRST

MOST_EVENTS = 300
MOST_NOTIFICATIONS = 100
MOST_SIGNALS = 20
_MOST_PEOPLE = 300
_ENDINGS = {
    AlertStatus.ACKNOWLEDGED: EventKind.ACKNOWLEDGED,
    AlertStatus.RESOLVED: EventKind.RESOLVED,
}


def list_events(session: Session, alert: Alert) -> list[Event]:
    """The newest timeline entries, newest first, with their actors."""
    query = select(Event).where(Event.alert_id == alert.id).options(joinedload(Event.actor))
    return list(session.scalars(query.order_by(Event.id.desc()).limit(MOST_EVENTS)))


def list_signals(session: Session, alert: Alert) -> list[Signal]:
    """The firing signals, worst first, then the resolved ones, latest first."""
    over = Signal.status == SignalStatus.RESOLVED
    order = (over, case((over, Signal.resolved_at)).desc().nulls_last(), *WORST_FIRST)
    query = select(Signal).where(Signal.alert_id == alert.id).order_by(*order)
    return list(session.scalars(query.limit(MOST_SIGNALS)))


def list_notifications(session: Session, alert: Alert) -> list[Notification]:
    """The newest notifications, newest first, with the person and contact or channel of each."""
    query = (
        select(Notification)
        .where(Notification.alert_id == alert.id)
        .options(
            joinedload(Notification.user),
            joinedload(Notification.contact),
            joinedload(Notification.channel),
            joinedload(Notification.alert),
        )
        .order_by(Notification.id.desc())
        .limit(MOST_NOTIFICATIONS)
    )
    return list(session.scalars(query))


def list_assignable(session: Session, alert: Alert) -> list[User]:
    """The active members of the alert's group, by name."""
    query = (
        select(User)
        .join(GroupMember, GroupMember.user_id == User.id)
        .join(Team, Team.group_id == GroupMember.group_id)
        .where(Team.id == alert.team_id, User.active)
        .order_by(User.display_name, User.id)
        .limit(_MOST_PEOPLE)
    )
    return list(session.scalars(query))


def pending_end(session: Session, alert: Alert) -> str | None:
    """Who acknowledged or resolved the alert, as a sentence; None while it is firing."""
    kind = _ENDINGS.get(alert.status)
    if kind is None:
        return None
    query = (
        select(Event)
        .where(Event.alert_id == alert.id, Event.kind == kind)
        .options(joinedload(Event.actor))
        .order_by(Event.id.desc())
        .limit(1)
    )
    event = session.scalar(query)
    if event is None:
        return f"It is {alert.status}."
    if event.actor is None:
        return event.text
    return f"{alert.status.capitalize()} by {event.actor.display_name}"
