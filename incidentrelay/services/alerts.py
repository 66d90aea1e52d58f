"""What people do with alerts: acknowledge, resolve, snooze, assign, escalate, comment.

Each action checks the table of transitions, writes the timeline, stops or starts the
plan and tells those who were paged. Acknowledging and resolving twice is no mistake
and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain import escalation
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.alerts import Action, transition
from incidentrelay.domain.enums import AlertStatus, EventKind, NotificationKind, SignalStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation import Plan, Progress
from incidentrelay.models import Alert, Event, GroupMember, Signal, Team, User
from incidentrelay.services import directory as directories
from incidentrelay.services import escalations, notifications
from incidentrelay.services.escalations import SNOOZE
from incidentrelay.services.timeline import event

LONGEST_SNOOZE = timedelta(days=30)
LONGEST_COMMENT = 10_000


def lock(session: Session, alert: Alert) -> Alert:
    """The alert as it is now; others wait with changing it until this is committed."""
    query = (
        select(Alert)
        .where(Alert.id == alert.id)
        .options(joinedload(Alert.team))
        .with_for_update(of=Alert, key_share=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one()


def acknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Somebody takes it: nobody else is paged (until the team's ack timeout)."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.ACKNOWLEDGE)
    if alert.status is status:
        return alert
    alert.status = status
    alert.acknowledged_at, alert.acknowledged_by_id = now, actor.user_id
    alert.assignee_id = actor.user_id or alert.assignee_id
    _be_loud(alert)
    timeout = alert.team.ack_timeout
    wake_at = now + timedelta(seconds=timeout) if timeout else None
    escalations.stop(session, alert, now, wake_at=wake_at)
    _note(session, alert, EventKind.ACKNOWLEDGED, f"Acknowledged by {actor.name}", actor, now)
    _tell(session, alert, f"Acknowledged by {actor.name}", actor, now)
    return alert


def unacknowledge(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """Nobody has it any more: its plan starts again from the beginning."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.UNACKNOWLEDGE)
    if alert.status is status:
        return alert
    _fire_again(alert)
    text = f"Given back by {actor.name}"
    _note(session, alert, EventKind.UNACKNOWLEDGED, text, actor, now)
    escalations.begin(alert, now)
    escalations.continue_plans(session, [alert], now)
    return alert


def resolve(session: Session, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    """It is over. If the source says that it fires again, it comes back."""
    alert = lock(session, alert)
    status = transition(alert.status, Action.RESOLVE)
    if alert.status is status:
        return alert
    alert.status, alert.resolved_at = status, now
    _be_loud(alert)
    escalations.stop(session, alert, now)
    # The signals' recorded ends stay unknown: the source has not said that they ended.
    session.execute(
        update(Signal)
        .where(Signal.alert_id == alert.id, Signal.status == SignalStatus.FIRING)
        .values(status=SignalStatus.RESOLVED)
        .execution_options(synchronize_session=False)
    )
    _note(session, alert, EventKind.RESOLVED, f"Resolved by {actor.name}", actor, now)
    _tell(session, alert, f"Resolved by {actor.name}", actor, now)
    return alert


def snooze(
    session: Session, alert: Alert, until: datetime, *, actor: Actor, now: datetime
) -> Alert:
    """Quiet until ``until``; if it is not resolved by then, it pages from the beginning."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInput.of("until", "Choose a time in the next 30 days.")
    alert = lock(session, alert)
    transition(alert.status, Action.SNOOZE)
    _fire_again(alert)
    escalations.stop(session, alert, now, wake_at=until)
    alert.quiet_until, alert.quiet_reason = until, SNOOZE
    text = f"Snoozed by {actor.name} until {until:%Y-%m-%d %H:%M} UTC"
    _note(session, alert, EventKind.SNOOZED, text, actor, now)
    return alert


def assign(session: Session, alert: Alert, user: User, *, actor: Actor, now: datetime) -> Alert:
    """Hand it to ``user``, who is paged now. Raises InvalidInput for an outsider."""
    alert = lock(session, alert)
    transition(alert.status, Action.ASSIGN)
    if not user.active or not _belongs(session, alert, user):
        raise InvalidInput.of("username", "Only an active member of the group can be assigned.")
    alert.assignee_id = user.id
    text = f"Assigned to {user.display_name} by {actor.name}"
    _note(session, alert, EventKind.ASSIGNED, text, actor, now)
    progress = Progress.from_json(alert.progress)
    people = directories.load(session, (), {alert.team_id}, now=now, user_ids=[user.id])
    subject = escalations.subject_of(alert)
    headline = f"Assigned to you by {actor.name}"
    body = notifications.message(subject, NotificationKind.ASSIGNMENT, headline, user.display_name)
    rows = notifications.rows(subject, people.person(user.id), body, progress.run, now)
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
        _fire_again(alert)
        alert.generation += 1
        progress = _after_first(plan, now)
    alert.progress = escalation.hurry(plan, progress, now).to_json()
    text = f"Escalated by {actor.name}"
    _note(session, alert, EventKind.ESCALATED, text, actor, now)
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
    _note(session, alert, EventKind.COMMENTED, text, actor, now)
    return alert


def _be_loud(alert: Alert) -> None:
    alert.quiet_until = alert.quiet_reason = None


def _fire_again(alert: Alert) -> None:
    alert.status = AlertStatus.FIRING
    alert.acknowledged_at = alert.acknowledged_by_id = None
    _be_loud(alert)


def _note(
    session: Session, alert: Alert, kind: EventKind, text: str, actor: Actor, now: datetime
) -> None:
    row = event(alert.id, kind, text, now, via=actor.via, actor_id=actor.user_id)
    db.insert_all(session, Event, [row])


def _tell(session: Session, alert: Alert, headline: str, actor: Actor, now: datetime) -> None:
    news: Mapping[int, tuple[notifications.Subject, str]] = {
        alert.id: (escalations.subject_of(alert), headline)
    }
    notifications.tell(session, news, now, but=actor.user_id)
