"""Changes the state of many alerts at once.

Callers pass locked alerts with their teams loaded and have already checked that the
transition is allowed. The number of statements does not grow with the number of alerts.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus, EventKind, NotificationKind, SignalStatus
from incidentrelay.domain.escalation import engine
from incidentrelay.domain.escalation.plan import Plan, Progress
from incidentrelay.models import Alert, Event, Signal, User
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.alert_details import load_details
from incidentrelay.services.escalation.runner import SNOOZE
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients import targets


def lock_alerts(session: Session, alert_ids: Sequence[int]) -> list[Alert]:
    """Lock and reload the alerts; concurrent changes wait until this commits.

    Rows are locked in id order to avoid deadlocks.
    """
    query = (
        select(Alert)
        .where(Alert.id.in_(alert_ids))
        .order_by(Alert.id)
        .options(joinedload(Alert.team))
        .with_for_update(of=Alert, key_share=True)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query)) if alert_ids else []


def acknowledge(session: Session, alerts: Sequence[Alert], *, actor: Actor, now: datetime) -> None:
    """Take the alerts: no one else is paged until the team's ack timeout."""
    for alert in alerts:
        alert.status = AlertStatus.ACKNOWLEDGED
        alert.acknowledged_at, alert.acknowledged_by_id = now, actor.user_id
        alert.assignee_id = actor.user_id or alert.assignee_id
        end_quiet_time(alert)
    _stop(session, alerts, now, _ack_timeout(now))
    text = f"Acknowledged by {actor.name}"
    add_note(session, alerts, EventKind.ACKNOWLEDGED, text, actor=actor, now=now)
    _notify(session, alerts, text, actor, now)


def _ack_timeout(now: datetime) -> Callable[[Alert], datetime | None]:
    def wake_at(alert: Alert) -> datetime | None:
        timeout = alert.team.ack_timeout
        return now + timedelta(seconds=timeout) if timeout else None

    return wake_at


def resolve(
    session: Session, alerts: Sequence[Alert], text: str, *, actor: Actor, now: datetime
) -> None:
    """Close the alerts; ``text`` goes to the timeline and to the people who were paged."""
    for alert in alerts:
        alert.status, alert.resolved_at = AlertStatus.RESOLVED, now
        end_quiet_time(alert)
    _stop(session, alerts, now)
    # The signals' ``ends_at`` stays unset: the source has not reported an end.
    session.execute(
        update(Signal)
        .where(
            Signal.alert_id.in_([alert.id for alert in alerts]),
            Signal.status == SignalStatus.FIRING,
        )
        .values(status=SignalStatus.RESOLVED, resolved_at=now)
        .execution_options(synchronize_session=False)
    )
    add_note(session, alerts, EventKind.RESOLVED, text, actor=actor, now=now)
    _notify(session, alerts, text, actor, now)


def snooze(
    session: Session, alerts: Sequence[Alert], until: datetime, *, actor: Actor, now: datetime
) -> None:
    """Mute the alerts until ``until``; their plans then restart."""
    for alert in alerts:
        return_to_firing(alert)
    _stop(session, alerts, now, lambda _: until)
    for alert in alerts:
        alert.quiet_until, alert.quiet_reason = until, SNOOZE
    text = f"Snoozed by {actor.name} until {until:%Y-%m-%d %H:%M} UTC"
    add_note(session, alerts, EventKind.SNOOZED, text, actor=actor, now=now)


def unacknowledge(
    session: Session, alerts: Sequence[Alert], *, actor: Actor, now: datetime
) -> None:
    """Give the alerts back: their plans restart from the first step."""
    for alert in alerts:
        return_to_firing(alert)
        escalation_runner.start_plans(alert, now)
    text = f"Given back by {actor.name}"
    add_note(session, alerts, EventKind.UNACKNOWLEDGED, text, actor=actor, now=now)
    escalation_runner.continue_plans(session, alerts, now)


def assign(
    session: Session,
    alerts: Sequence[Alert],
    user: User,
    *,
    actor: Actor,
    now: datetime,
    done: str = "Assigned",
) -> None:
    """Assign the alerts to ``user`` (already checked) and page them for each one.

    ``done`` is the verb used in the timeline and the message.
    """
    team_ids = {alert.team_id for alert in alerts}
    people = directories.load_directory(session, (), team_ids, now=now, user_ids=[user.id])
    headline = f"{done} to you by {actor.name}"
    details = load_details(session, alerts)
    outbox: list[dict[str, Any]] = []
    for alert in alerts:
        alert.assignee_id = user.id
        progress = Progress.from_json(alert.progress)
        subject = escalation_runner.subject_of(alert, details[alert.id])
        body = outbox_queue.build_message(
            subject, NotificationKind.ASSIGNMENT, headline, user.display_name
        )
        # No delayed contacts: nothing would cancel them if the alert is already acknowledged.
        addresses = people.at_once(user.id)
        outbox += outbox_queue.build_rows(subject, addresses, body, progress.run, now)
        alert.progress = replace(progress, run=progress.run + 1).to_json()
    text = f"{done} to {user.display_name} by {actor.name}"
    facts = targets.people_facts("assigned", people.at_once(user.id))
    add_note(session, alerts, EventKind.ASSIGNED, text, actor=actor, now=now, data=facts)
    outbox_queue.write_rows(session, outbox)


def escalate(session: Session, alerts: Sequence[Alert], *, actor: Actor, now: datetime) -> None:
    """Run the next step of each plan that pages someone else, without waiting for it."""
    for alert in alerts:
        plan, progress = Plan.from_json(alert.plan), Progress.from_json(alert.progress)
        quiet = alert.status is not AlertStatus.FIRING or alert.quiet_until is not None
        if quiet or progress.due is None:
            return_to_firing(alert)
            alert.generation += 1
            progress = _after_first(plan, now)
        alert.progress = engine.advance_now(plan, progress, now).to_json()
    text = f"Escalated by {actor.name}"
    add_note(session, alerts, EventKind.ESCALATED, text, actor=actor, now=now)
    escalation_runner.continue_plans(session, alerts, now)


def _after_first(plan: Plan, now: datetime) -> Progress:
    """Progress with the first step done, because it ran when the alert opened."""
    return engine.decide(plan, replace(engine.start(plan, now), due=now), now).progress


def end_quiet_time(alert: Alert) -> None:
    alert.quiet_until = alert.quiet_reason = None


def return_to_firing(alert: Alert) -> None:
    alert.status = AlertStatus.FIRING
    alert.acknowledged_at = alert.acknowledged_by_id = None
    end_quiet_time(alert)


def add_note(
    session: Session,
    alerts: Sequence[Alert],
    kind: EventKind,
    text: str,
    *,
    actor: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Add the same entry to each alert's timeline."""
    by: dict[str, Any] = {"via": actor.via, "actor_id": actor.user_id}
    rows = [make_event(alert.id, kind, text, now, **by, data=data) for alert in alerts]
    db.insert_all(session, Event, rows)


def _stop(
    session: Session,
    alerts: Sequence[Alert],
    now: datetime,
    wake_at: Callable[[Alert], datetime | None] = lambda _: None,
) -> None:
    for alert in alerts:
        escalation_runner.stop_plan(session, alert, wake_at(alert))
    outbox_queue.cancel_pending(session, [alert.id for alert in alerts], now)


def _notify(
    session: Session, alerts: Sequence[Alert], headline: str, actor: Actor, now: datetime
) -> None:
    session.flush()  # the details are read with the alerts as they are now
    details = load_details(session, alerts)
    updates = {
        alert.id: (escalation_runner.subject_of(alert, details[alert.id]), headline)
        for alert in alerts
    }
    outbox_queue.notify_update(session, updates, now, exclude=actor.user_id)
