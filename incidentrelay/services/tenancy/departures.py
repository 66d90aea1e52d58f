"""Reassigns open alerts and notifications of people who can no longer be notified.

An alert that they acknowledged, or that is assigned to them, returns to firing and pages the
person on call. Their pending notifications are cancelled; if nobody else was reached by the
same step, the fallback contact is notified. This happens in the transaction that makes them
leave. A sweep repeats it for changes that ran at the same time, such as an acknowledgement.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.enums import AlertStatus, DeliveryState, EventKind
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import join_words
from incidentrelay.models import Alert, Event, Notification, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.access.visibility import visible
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.delivery import fallback, results
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.recipients import state as recipient_state
from incidentrelay.services.recipients.insiders import is_insider

# Alert id → the people who left it.
Departed = Mapping[int, Sequence[User]]
_IS_OUTSIDE = ~is_insider(User.id, Team.group_id)


def move_on(session: Session, user: User, now: datetime) -> None:
    """Call this after ``user`` was deactivated, left a group, or lost the role of admin."""
    session.flush()
    _release(session, and_(User.id == user.id, _IS_OUTSIDE), now)
    pending = _lock_pending(session, user, true())
    outside = recipient_state.find_outsiders(session, [row.id for row in pending])
    _cancel(session, [row for row in pending if row.id in outside], user, now)


def move_on_in_team(session: Session, user: User, team: Team, now: datetime) -> None:
    """Call this after ``user`` left ``team`` but stays in its group.

    Only alerts to which they may no longer respond move on.
    """
    session.flush()
    roles = memberships.load_roles(session, user)
    unanswerable = and_(Alert.team_id == team.id, ~visible(Alert, roles, Permission.RESPOND))
    _release(session, and_(User.id == user.id, unanswerable), now)
    alerts = select(Alert.id).where(unanswerable)
    pending = _lock_pending(session, user, Notification.alert_id.in_(alerts))
    _cancel(session, pending, user, now)


def list_departed(session: Session, *, limit: int) -> list[int]:
    """The open alerts that name somebody who is inactive or outside the group."""
    return list(session.scalars(_holders(_IS_OUTSIDE).with_only_columns(Alert.id).limit(limit)))


def release_alert(session: Session, alert_id: int, now: datetime) -> bool:
    """Move one alert on; False if nobody left it."""
    return _release(session, and_(Alert.id == alert_id, _IS_OUTSIDE), now) == 1


def _holders(condition: ColumnElement[bool]) -> Select[int, User]:
    """Each open alert with the people who have it and meet ``condition``."""
    has_it = or_(User.id == Alert.assignee_id, User.id == Alert.acknowledged_by_id)
    return (
        select(Alert.id, User)
        .join(Team, Team.id == Alert.team_id)
        .join(User, has_it)
        .where(Alert.status != AlertStatus.RESOLVED, condition)
        .order_by(Alert.id, User.id)
    )


def _find_departed(session: Session, condition: ColumnElement[bool]) -> Departed:
    leavers: dict[int, list[User]] = defaultdict(list)
    for row in session.execute(_holders(condition)):
        leavers[row.id].append(row.User)
    return leavers


def _release(session: Session, condition: ColumnElement[bool], now: datetime) -> int:
    """Release the alerts of people who meet ``condition``; returns how many."""
    candidates = _find_departed(session, condition)
    if not candidates:
        return 0
    alerts = alert_transitions.lock_alerts(session, sorted(candidates))
    # Somebody may have reassigned one before it was locked.
    leavers = _find_departed(session, and_(Alert.id.in_(candidates), condition))
    affected = [alert for alert in alerts if alert.id in leavers]
    restarted = [alert for alert in affected if _take_away(alert, leavers[alert.id], now)]
    outbox_queue.cancel_pending(session, [alert.id for alert in restarted], now)
    lines = [
        make_event(
            alert.id, EventKind.RESPONDER_LEFT, _text(leavers[alert.id], alert in restarted), now
        )
        for alert in affected
    ]
    db.insert_all(session, Event, lines)
    escalation_runner.continue_plans(session, restarted, now)
    return len(affected)


def _take_away(alert: Alert, people: Collection[User], now: datetime) -> bool:
    """Returns whether the alert's plan starts again; a quiet alert waits for its time."""
    if alert.assignee_id in {user.id for user in people}:
        alert.assignee_id = None
    if alert.status is AlertStatus.FIRING and alert.quiet_until is not None:
        return False
    alert_transitions.return_to_firing(alert)
    escalation_runner.start_plans(alert, now)
    return True


def _text(people: Sequence[User], restarted: bool) -> str:
    names = join_words([user.display_name for user in people])
    verb = "is" if len(people) == 1 else "are"
    goes_to = "the person on call is paged" if restarted else "nobody is assigned"
    return f"{names} {verb} no longer available; {goes_to}."


def _lock_pending(
    session: Session, user: User, condition: ColumnElement[bool]
) -> Sequence[Notification]:
    """The person's pending notifications, locked after their alerts."""
    is_theirs = and_(
        Notification.user_id == user.id, Notification.state.in_(outbox_queue.WAITING), condition
    )
    results.lock_alerts(session, session.scalars(select(Notification.alert_id).where(is_theirs)))
    query = select(Notification).where(is_theirs).order_by(Notification.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _cancel(session: Session, rows: Sequence[Notification], user: User, now: datetime) -> None:
    """Cancel them, and notify others of the pages that now reach nobody."""
    for row in rows:
        row.state, row.next_at, row.finished_at = DeliveryState.CANCELLED, None, now
        row.last_error = f"{user.display_name} is no longer available."
    session.flush()  # the fallback queries the other notifications of each step
    alerts = results.lock_alerts(session, [row.alert_id for row in rows])
    pages = {(row.alert_id, row.step, row.kind): row for row in rows}
    for row in pages.values():
        if row.alert_id in alerts:
            fallback.fall_back(session, row, alerts[row.alert_id], now)
