"""What people do with alerts: acknowledge, resolve, snooze, assign, escalate, comment.

Each action checks the table of transitions, writes the timeline, stops or starts the
plan and tells those who were paged. Acknowledging and resolving twice is no mistake
and changes nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain import escalation
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.alerts import Action, transition
from incidentrelay.domain.enums import EventKind, NotificationKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation import Plan, Progress
from incidentrelay.models import Alert, GroupMember, Team, User
from incidentrelay.services import alert_sets, escalations, notifications
from incidentrelay.services import directory as directories

LONGEST_SNOOZE = timedelta(days=30)
LONGEST_COMMENT = 10_000


def lock(session: Session, alert: Alert) -> Alert:
    """The alert as it is now; others wait with changing it until this is committed."""
    return alert_sets.lock(session, [alert.id])[0]


def acknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Somebody takes it: nobody else is paged (until the team's ack timeout)."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.ACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert_sets.acknowledge(session, [alert], actor=actor, now=now)
    return alert


def unacknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Nobody has it any more: its plan starts again from the beginning."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.UNACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert_sets.fire_again(alert)
    text = f"Given back by {actor.name}"
    alert_sets.note(session, [alert], EventKind.UNACKNOWLEDGED, text, actor, now)
    escalations.begin(alert, now)
    escalations.continue_plans(session, [alert], now)
    return alert


def resolve(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """It is over. If the source says that it fires again, it comes back."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.RESOLVE)
    if alert.status is status:
        return alert
    alert_sets.resolve(session, [alert], f"Resolved by {actor.name}", actor=actor, now=now)
    return alert


def snooze(
    session: Session, alert: Alert, until: datetime, *, actor: Actor, now: datetime
) -> Alert:
    """Quiet until ``until``; if it is not resolved by then, it pages from the beginning."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInput.of("until", "Choose a time in the next 30 days.")
    alert = lock(session, alert)
    transition(alert.status, Action.SNOOZE)
    alert_sets.snooze(session, [alert], until, actor=actor, now=now)
    return alert


def assign(session: Session, alert: Alert, user: User, *, actor: Actor, now: datetime) -> Alert:
    """Hand it to ``user``, who is paged now. Raises InvalidInput for an outsider."""
    alert = lock(session, alert)
    transition(alert.status, Action.ASSIGN)
    if not user.active or not _belongs(session, alert, user):
        raise InvalidInput.of("username", "Only an active member of the group can be assigned.")
    alert.assignee_id = user.id
    text = f"Assigned to {user.display_name} by {actor.name}"
    alert_sets.note(session, [alert], EventKind.ASSIGNED, text, actor, now)
    progress = Progress.from_json(alert.progress)
    people = directories.load(session, (), {alert.team_id}, now=now, user_ids=[user.id])
    subject = escalations.subject_of(alert)
    headline = f"Assigned to you by {actor.name}"
    body = notifications.message(subject, NotificationKind.ASSIGNMENT, headline, user.display_name)
    # Later ways would not be stopped by anything: it may be acknowledged already.
    rows = notifications.rows(subject, people.at_once(user.id), body, progress.run, now)
    alert.progress = replace(progress, run=progress.run + 1).to_json()
    notifications.write(session, rows)
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


def escalate(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Do not wait: the next step of the plan that asks somebody else runs now."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.ESCALATE)
    plan, progress = Plan.from_json(alert.plan), Progress.from_json(alert.progress)
    if alert.status is not status or alert.quiet_until is not None or progress.due is None:
        alert_sets.fire_again(alert)
        alert.generation += 1
        progress = _after_first(plan, now)
    alert.progress = escalation.hurry(plan, progress, now).to_json()
    text = f"Escalated by {actor.name}"
    alert_sets.note(session, [alert], EventKind.ESCALATED, text, actor, now)
    escalations.continue_plans(session, [alert], now)
    return alert


def _after_first(plan: Plan, now: datetime) -> Progress:
    """A plan whose first step counts as done, because it was when the alert came."""
    return escalation.decide(plan, replace(escalation.start(plan, now), due=now), now).progress


def comment(session: Session, alert: Alert, text: str, *, actor: Actor, now: datetime) -> Alert:
    """A line of the timeline in somebody's own words; any state of the alert will do."""
    text = text.strip()
    if not text or len(text) > LONGEST_COMMENT:
        raise InvalidInput.of("text", f"Write between 1 and {LONGEST_COMMENT} characters.")
    alert_sets.note(session, [alert], EventKind.COMMENTED, text, actor, now)
    return alert
