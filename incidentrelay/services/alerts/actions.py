"""What people do with alerts: acknowledge, resolve, snooze, assign, reassign, escalate, comment.

Each action checks the table of transitions, writes the timeline, stops or starts the
plan and notifies the people who were paged. Acknowledging or resolving an alert twice
is allowed and changes nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.alerts.transitions import Action, transition
from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Alert, GroupMember, Team, User
from incidentrelay.services.alerts import reassign
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.common import limits

LONGEST_SNOOZE = timedelta(days=30)


def lock_alert(session: Session, alert: Alert) -> Alert:
    """Lock the alert and reload it; concurrent changes wait until this commits."""
    return alert_transitions.lock_alerts(session, [alert.id])[0]


def acknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Take the alert: no one else is paged until the team's ack timeout."""
    alert = lock_alert(session, alert)
    status = transition(alert.status, Action.ACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert_transitions.acknowledge(session, [alert], actor=actor, now=now)
    return alert


def unacknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Give the alert back: its plan restarts from the first step."""
    alert = lock_alert(session, alert)
    status = transition(alert.status, Action.UNACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert_transitions.unacknowledge(session, [alert], actor=actor, now=now)
    return alert


def resolve(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Close the alert. It reopens if the source reports it firing again."""
    alert = lock_alert(session, alert)
    status = transition(alert.status, Action.RESOLVE)
    if alert.status is status:
        return alert
    alert_transitions.resolve(session, [alert], f"Resolved by {actor.name}", actor=actor, now=now)
    return alert


def snooze(
    session: Session, alert: Alert, until: datetime, *, actor: Actor, now: datetime
) -> Alert:
    """Mute the alert until ``until``; if still open then, its plan restarts."""
    check_snooze(until, now)
    alert = lock_alert(session, alert)
    transition(alert.status, Action.SNOOZE)
    alert_transitions.snooze(session, [alert], until, actor=actor, now=now)
    return alert


def check_snooze(until: datetime, now: datetime) -> None:
    """Raise InvalidInput if ``until`` is in the past or too far ahead."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInput.of("until", "Choose a time in the next 30 days.")


def assign(session: Session, alert: Alert, user: User, *, actor: Actor, now: datetime) -> Alert:
    """Assign and page ``user``. Raises InvalidInput for anyone outside the group."""
    alert = lock_alert(session, alert)
    transition(alert.status, Action.ASSIGN)
    if not user.active or not _belongs(session, alert, user):
        raise InvalidInput.of("username", "Only an active member of the group can be assigned.")
    alert_transitions.assign(session, [alert], user, actor=actor, now=now)
    return alert


def _belongs(session: Session, alert: Alert, user: User) -> bool:
    if user.is_admin:
        return True
    query = (
        select(GroupMember.id)
        .join(Team, Team.group_id == GroupMember.group_id)
        .where(Team.id == alert.team_id, GroupMember.user_id == user.id)
    )
    return session.scalar(query) is not None


def reassign_to_next(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> User:
    """Assign the alert to the next member of its rotation; page and return that person.

    Raises Conflict if the plan has no rotation, or no one else in it is active.
    """
    alert = lock_alert(session, alert)
    transition(alert.status, Action.REASSIGN)
    following = reassign.find_next_people(session, [alert], now)
    if alert.id not in following:
        raise Conflict(reassign.why_nobody(alert))
    reassign.reassign_to_next(session, [alert], following, actor=actor, now=now)
    return following[alert.id]


def escalate(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Run the next step that pages someone else now, without waiting for it."""
    alert = lock_alert(session, alert)
    transition(alert.status, Action.ESCALATE)
    alert_transitions.escalate(session, [alert], actor=actor, now=now)
    return alert


def comment(session: Session, alert: Alert, text: str, *, actor: Actor, now: datetime) -> Alert:
    """Add a comment to the timeline; works in any state of the alert."""
    text = clean_comment(text)
    alert_transitions.add_note(session, [alert], EventKind.COMMENTED, text, actor=actor, now=now)
    return alert


def clean_comment(text: str) -> str:
    """Strip ``text``; raises InvalidInput if it is empty or too long."""
    text = text.strip()
    if not text or len(text) > limits.COMMENT.high:
        raise InvalidInput.of("text", f"Write between 1 and {limits.COMMENT.high} characters.")
    return text
