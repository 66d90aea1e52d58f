"""Starts the plans of the alerts that page, applies silences to them, and queues messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, EventKind
from incidentrelay.domain.escalation.engine import start
from incidentrelay.domain.intake.state import AlertState, IntakeBatch
from incidentrelay.services.escalation import plan_run
from incidentrelay.services.escalation.alert_details import AlertDetails, describe_alert
from incidentrelay.services.escalation.plan_run import PlanRun
from incidentrelay.services.escalation.route_facts import RouteFacts
from incidentrelay.services.intake.store import RouteBatch
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox.queue import AlertSubject
from incidentrelay.services.outbox.signal_lines import list_signals
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients.directory import Directory


@dataclass(frozen=True, slots=True)
class PlanStart:
    """The first plan runs of the alerts that page, by alert id.

    ``people`` is the directory they were run with.
    """

    plays: Mapping[int, PlanRun] = field(default_factory=dict)
    people: Directory = field(default_factory=Directory)


def start_plans(
    session: Session, facts: RouteFacts, batch: IntakeBatch, now: datetime
) -> PlanStart:
    """Run the first steps of the plan of each alert that pages, without writing.

    The alerts must have ids; their assignees are set here.
    """
    silences = facts.people.silences.get(facts.route.team_id)
    paging = [
        alert
        for alert in batch.alerts.values()
        if alert.page or (_is_regrouped(alert) and (silences or alert.silenced_until))
    ]
    if not paging:
        return PlanStart()
    people = _people(session, facts, paging, now)
    team_id = facts.route.team_id
    starting = {
        alert.id or 0: alert
        for alert in paging
        if alert.page or _changes_cover(alert, team_id, batch, people)
    }
    subjects = [subject_of(alert, facts) for alert in starting.values()]
    plays = plan_run.run_plans(subjects, facts.plan, start(facts.plan, now), people, now)
    for alert_id, play in plays.items():
        starting[alert_id].assignee_id = play.assignee_id
    return PlanStart(plays, people)


def notify(session: Session, batches: Sequence[RouteBatch], now: datetime) -> None:
    """Cancel stale notifications, announce resolved alerts, and page.

    Nobody was notified of alerts that are new.
    """
    before = [
        (alert, alert.id, each.facts)
        for each in batches
        for alert in each.batch.alerts.values()
        if alert.id is not None and alert.id not in each.created
    ]
    stale = [alert_id for alert, alert_id, _ in before if alert.closed or alert.page]
    outbox_queue.cancel_pending(session, stale, now)
    updates = {
        alert_id: (subject_of(alert, facts), "Resolved by the source")
        for alert, alert_id, facts in before
        if alert.closed
    }
    outbox_queue.notify_update(session, updates, now)
    pages = [row for each in batches for run in each.runs.values() for row in run.outbox]
    outbox_queue.write_rows(session, pages)


def _people(
    session: Session, facts: RouteFacts, alerts: Sequence[AlertState], now: datetime
) -> Directory:
    """The people of the route's plan and, if others are assigned, these too."""
    assigned = {alert.assignee_id for alert in alerts if alert.assignee_id is not None}
    if assigned <= facts.people.users.keys():
        return facts.people
    return directories.load_directory(
        session, [facts.plan], {facts.route.team_id}, now=now, user_ids=assigned
    )


def subject_of(
    alert: AlertState, facts: RouteFacts, acknowledged_by: str | None = None
) -> AlertSubject:
    """The alert (with its id) as messages and plans need it."""
    shown = alert.shown_signals
    details = AlertDetails(len(shown) or 1, list_signals(shown), acknowledged_by)
    labels = [signal.labels for signal in alert.firing]
    return describe_alert(alert, facts.route.team, details, labels)


def _is_regrouped(alert: AlertState) -> bool:
    """Whether its signals changed since silences were matched against them."""
    return alert.changed and alert.status is AlertStatus.FIRING and not alert.snoozed


def _changes_cover(alert: AlertState, team_id: int, batch: IntakeBatch, people: Directory) -> bool:
    """Whether the plan restarts because the silences that cover its signals changed."""
    labels = [signal.labels for signal in alert.firing]
    cover = people.coverage(team_id, labels, batch.now)
    if cover is None and alert.silenced_until is not None:
        text = "Its signals changed, and silences do not cover all of them."
        batch.note(alert, EventKind.SILENCE_ENDED, text)
    if (cover.end if cover else None) != alert.silenced_until:
        alert.restart_paging()
    return alert.page
