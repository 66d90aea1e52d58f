"""What people do with alerts: acknowledge, resolve, snooze, assign, hand on, escalate, comment.

Each action checks the table of transitions, writes the timeline, stops or starts the
plan and tells those who were paged. Acknowledging and resolving twice is no mistake
and changes nothing.
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
    """The alert as it is now; others wait with changing it until this is committed."""
    return alert_transitions.lock_alerts(session, [alert.id])[0]


def acknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Somebody takes it: nobody else is paged (until the team's ack timeout)."""
    alert = lock_alert(session, alert)
    status = transition(alert.status, Action.ACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert_transitions.acknowledge(session, [alert], actor=actor, now=now)
    return alert


def unacknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Nobody has it any more: its plan starts again from the beginning."""
    alert = lock_alert(session, alert)
    status = transition(alert.status, Action.UNACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert_transitions.unacknowledge(session, [alert], actor=actor, now=now)
    return alert


def resolve(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """It is over. If the source says that it fires again, it comes back."""
    alert = lock_alert(session, alert)
    status = transition(alert.status, Action.RESOLVE)
    if alert.status is status:
        return alert
    alert_transitions.resolve(session, [alert], f"Resolved by {actor.name}", actor=actor, now=now)
    return alert


def snooze(
    session: Session, alert: Alert, until: datetime, *, actor: Actor, now: datetime
) -> Alert:
    """Quiet until ``until``; if it is not resolved by then, it pages from the beginning."""
    check_snooze(until, now)
    alert = lock_alert(session, alert)
    transition(alert.status, Action.SNOOZE)
    alert_transitions.snooze(session, [alert], until, actor=actor, now=now)
    return alert


def check_snooze(until: datetime, now: datetime) -> None:
    """Raise InvalidInput for a time that is over or too far away."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInput.of("until", "Choose a time in the next 30 days.")


def assign(session: Session, alert: Alert, user: User, *, actor: Actor, now: datetime) -> Alert:
    """Hand it to ``user``, who is paged now. Raises InvalidInput for an outsider."""
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
    """Hand it to the next member of its rotation, who is paged now and returned.

    Raises Conflict where its plan has no rotation, or nobody else is active there.
    """
    alert = lock_alert(session, alert)
    transition(alert.status, Action.REASSIGN)
    following = reassign.find_next_people(session, [alert], now)
    if alert.id not in following:
        raise Conflict(reassign.why_nobody(alert))
    reassign.reassign_to_next(session, [alert], following, actor=actor, now=now)
    return following[alert.id]


def escalate(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Do not wait: the next step of the plan that asks somebody else runs now."""
    alert = lock_alert(session, alert)
    transition(alert.status, Action.ESCALATE)
    alert_transitions.escalate(session, [alert], actor=actor, now=now)
    return alert


def comment(session: Session, alert: Alert, text: str, *, actor: Actor, now: datetime) -> Alert:
    """A line of the timeline in somebody's own words; any state of the alert will do."""
    text = clean_comment(text)
    alert_transitions.add_note(session, [alert], EventKind.COMMENTED, text, actor, now)
    return alert


def clean_comment(text: str) -> str:
    """``text`` without blanks around it; raises InvalidInput for too little or too much."""
    text = text.strip()
    if not text or len(text) > limits.COMMENT.high:
        raise InvalidInput.of("text", f"Write between 1 and {limits.COMMENT.high} characters.")
    return text
