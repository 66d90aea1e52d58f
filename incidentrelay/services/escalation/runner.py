"""Runs escalation plans: load, decide, write.

The decisions are in :mod:`incidentrelay.domain.escalation.engine`, and
:mod:`incidentrelay.services.escalation.plan_run` carries them out; this module reads and writes
rows.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain.alerts.transitions import Action, transition
from incidentrelay.domain.enums import AlertStatus, EventKind
from incidentrelay.domain.escalation import engine
from incidentrelay.domain.escalation.plan import Plan, Progress
from incidentrelay.models import Alert, Event, Route, Team
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.escalation.alert_details import (
    NO_DETAILS,
    AlertDetails,
    describe_alert,
    load_details,
)
from incidentrelay.services.escalation.plan_run import SILENCE, run_plan
from incidentrelay.services.escalation.signal_labels import SignalLabels, load_silenceable_labels
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox.queue import AlertSubject
from incidentrelay.services.recipients import directory as directories

SNOOZE = "snooze"
# How long to wait before retrying an alert that cannot be escalated.
DEFER_DELAY = timedelta(minutes=1)
CONTINUE_DELAY = timedelta(seconds=10)
BATCH = 200


def run_due_plans(session: Session, now: datetime, *, limit: int = BATCH) -> int:
    """Run the plans that are due, oldest first; returns how many.

    Safe in parallel: PostgreSQL skips rows that another worker holds, and SQLite has one writer
    at a time.
    """
    due = (
        select(Alert.id)
        .where(Alert.wake_at <= now)
        .order_by(Alert.wake_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return _run(session, list(session.scalars(due)), now)


def due_alert_ids(session: Session, now: datetime, *, limit: int) -> list[int]:
    """The alerts whose plans are due, oldest first."""
    query = select(Alert.id).where(Alert.wake_at <= now).order_by(Alert.wake_at).limit(limit)
    return list(session.scalars(query))


def wake_alert(session: Session, alert_id: int, now: datetime) -> bool:
    """Run the plan of one alert if it is due."""
    due = (
        select(Alert.id)
        .where(Alert.id == alert_id, Alert.wake_at <= now)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return _run(session, list(session.scalars(due)), now) == 1


def _run(session: Session, alert_ids: Collection[int], now: datetime) -> int:
    alerts = load_alerts(session, alert_ids)
    for alert in alerts:
        if alert.status is AlertStatus.ACKNOWLEDGED:
            _time_out(session, alert, now)
        if alert.quiet_until is not None:
            _end_quiet(session, alert, now)
    continue_plans(session, alerts, now)
    return len(alerts)


def defer_plan(session: Session, alert_id: int, now: datetime) -> None:
    """Push an alert that cannot be escalated back, so that it blocks no other."""
    session.execute(update(Alert).where(Alert.id == alert_id).values(wake_at=now + DEFER_DELAY))


def load_alerts(session: Session, alert_ids: Collection[int]) -> list[Alert]:
    """Load the alerts afresh, with the relationships that :func:`subject_of` and plans need."""
    if not alert_ids:
        return []
    query = select(Alert).where(Alert.id.in_(alert_ids)).order_by(Alert.id)
    # Load the group too, or a caller that had loaded it would lose it.
    whole = joinedload(Alert.team).joinedload(Team.group)
    query = query.options(whole).execution_options(populate_existing=True)
    return list(session.scalars(query))


def _time_out(session: Session, alert: Alert, now: datetime) -> None:
    alert.status = transition(alert.status, Action.UNACKNOWLEDGE)
    alert.acknowledged_at = alert.acknowledged_by_id = None
    start_plans(alert, now)
    text = "The acknowledgement has run out, and it is still firing."
    db.insert_all(session, Event, [make_event(alert.id, EventKind.ACK_TIMED_OUT, text, now)])


def _end_quiet(session: Session, alert: Alert, now: datetime, which: str = "") -> None:
    """End the quiet time and start the plan; ``which`` signals are no longer silenced."""
    silenced = alert.quiet_reason == SILENCE
    kind = EventKind.SILENCE_ENDED if silenced else EventKind.SNOOZE_ENDED
    text = f"The silence is over{which}." if silenced else "The snooze is over."
    alert.quiet_until = alert.quiet_reason = None
    start_plans(alert, now)
    db.insert_all(session, Event, [make_event(alert.id, kind, text, now)])


def start_plans(alert: Alert, now: datetime) -> None:
    """Start the alert's plan from its beginning, as a new generation."""
    alert.generation += 1
    progress = engine.start(Plan.from_json(alert.plan), now)
    alert.progress, alert.wake_at = progress.to_json(), progress.due


def stop_plan(session: Session, alert: Alert, wake_at: datetime | None) -> None:
    """Stop the alert's plan. The caller cancels its pending notifications."""
    alert.generation += 1
    alert.progress = Progress(due=wake_at).to_json()
    alert.wake_at = wake_at
    hint_wake(session, alert.id, wake_at)


def hint_wake(session: Session, alert_id: int, at: datetime | None) -> None:
    if at is not None:
        db.hint(session, db.Hint("wake", alert_id, at))


def subject_of(
    alert: Alert, details: AlertDetails = NO_DETAILS, signal_labels: SignalLabels | None = None
) -> AlertSubject:
    """The alert (with its team) as messages and plans need it."""
    return describe_alert(alert, alert.team, details, signal_labels or ())


def continue_plans(session: Session, alerts: Sequence[Alert], now: datetime) -> None:
    """Run the due steps of each alert's plan and write the results."""
    firing = [alert for alert in alerts if alert.status is AlertStatus.FIRING]
    if not firing:
        return
    plans = {alert.id: Plan.from_json(alert.plan) for alert in firing}
    people = directories.load_directory(
        session,
        plans.values(),
        {alert.team_id for alert in firing},
        now=now,
        user_ids=[alert.assignee_id for alert in firing],
    )
    details = load_details(session, firing)
    labels = load_silenceable_labels(session, firing, people)
    events: list[dict[str, Any]] = []
    outbox: list[dict[str, Any]] = []
    for alert in firing:
        subject = subject_of(alert, details[alert.id], labels.get(alert.id))
        progress = Progress.from_json(alert.progress)
        run = run_plan(subject, plans[alert.id], progress, people, now)
        alert.progress, alert.wake_at = run.progress.to_json(), run.wake_at
        alert.assignee_id = run.assignee_id
        alert.quiet_until, alert.quiet_reason = run.quiet_until, run.quiet_reason
        events += run.events
        outbox += run.outbox
        hint_wake(session, alert.id, run.wake_at)
    db.insert_all(session, Event, events)
    outbox_queue.write_rows(session, outbox)


def reconsider(session: Session, team_id: int, *, now: datetime) -> None:
    """The team's silences changed, started or ended: silence and unsilence its firing alerts."""
    session.flush()  # the silences that are looked at below may be new
    alerts = load_alerts(session, _lock_open(session, team_id))
    people = directories.load_directory(session, (), {team_id}, now=now)
    firing = [
        alert
        for alert in alerts
        if alert.status is AlertStatus.FIRING and alert.quiet_reason != SNOOZE
    ]
    labels = load_silenceable_labels(session, firing, people)
    changed = []
    for alert in firing:
        signals = labels.get(alert.id, ())
        cover = people.coverage(team_id, signals, now)
        quiet_until = cover.end if cover else None
        if quiet_until == alert.quiet_until:
            continue
        if cover is None:
            silenced = sum(people.covers(team_id, each, now) for each in signals)
            which = f" for {len(signals) - silenced} of {len(signals)} signals" if silenced else ""
            _end_quiet(session, alert, now, which)
        elif alert.quiet_until is None:
            outbox_queue.cancel_pending(session, [alert.id], now)
            start_plans(alert, now)
        changed.append(alert)
    continue_plans(session, changed, now)


def _lock_open(session: Session, team_id: int) -> Sequence[int]:
    """The team's open alerts, including those of requests that began before this change.

    Requests hold a lock on their route, and on alerts that fire again. Waiting for both locks
    makes visible everything that was decided without this change.
    """
    routes = select(Route.id).where(Route.team_id == team_id).order_by(Route.id)
    session.execute(routes.with_for_update(key_share=True)).all()
    query = select(Alert.id).where(Alert.team_id == team_id, Alert.status != AlertStatus.RESOLVED)
    return session.scalars(query.order_by(Alert.id).with_for_update(key_share=True)).all()


def advance_plan(session: Session, alert: Alert, number: int, now: datetime) -> None:
    """Step ``number`` reached nobody: the next step with other targets is due soon.

    The first time at once, then after growing delays, so that a plan that reaches nobody does
    not race around its rotation.
    """
    progress = Progress.from_json(alert.progress)
    if progress.due is None:
        return
    due = min(progress.due, now + number * CONTINUE_DELAY)
    progress = engine.advance_now(Plan.from_json(alert.plan), progress, due)
    alert.progress, alert.wake_at = progress.to_json(), progress.due
    hint_wake(session, alert.id, progress.due)
