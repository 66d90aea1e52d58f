"""Starts the plans of the alerts that a batch makes page, and applies silences to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, EventKind
from incidentrelay.domain.escalation.engine import start
from incidentrelay.domain.intake.state import AlertState, IntakeBatch
from incidentrelay.models import Route, RouteChannel, Silence
from incidentrelay.services.escalation import plan_run, plan_snapshot
from incidentrelay.services.escalation.plan_run import PlanRun
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


def start_plans(session: Session, route: Route, batch: IntakeBatch, now: datetime) -> PlanStart:
    """Run the first steps of the plan of each alert that pages, without writing.

    The alerts must have ids; their assignees are set here.
    """
    paging = [alert for alert in batch.alerts.values() if alert.page or _is_regrouped(alert)]
    sure = any(alert.page or alert.silenced_until for alert in paging)
    if not sure and not (paging and _has_silences(session, route, now)):
        return PlanStart()
    plan = plan_snapshot.build_plan(route, _channel_ids(session, route))
    people = directories.load_directory(
        session, [plan], {route.team_id}, now=now, user_ids=[a.assignee_id for a in paging]
    )
    plays: dict[int, PlanRun] = {}
    for alert in paging:
        if not (alert.page or _changes_cover(alert, route, batch, people)):
            continue
        subject = subject_of(alert, route)
        play = plan_run.run_plan(subject, plan, start(plan, now), people, now)
        alert.assignee_id = play.assignee_id
        plays[subject.id] = play
    return PlanStart(plays, people)


def subject_of(alert: AlertState, route: Route, acknowledged_by: str | None = None) -> AlertSubject:
    """The (already inserted) alert as messages and plans need it."""
    assert alert.id is not None  # alerts are inserted first
    shown = alert.shown_signals
    return AlertSubject(
        id=alert.id,
        team_id=route.team_id,
        team_name=route.team.name,
        generation=alert.generation,
        status=alert.status,
        severity=alert.severity,
        title=alert.title,
        description=alert.description,
        labels=alert.labels,
        annotations=alert.annotations,
        source_link=alert.source_link,
        opened_at=alert.opened_at,
        assignee_id=alert.assignee_id,
        signal_count=len(shown) or 1,
        signals=list_signals(shown),
        signal_labels=[signal.labels for signal in alert.firing],
        acknowledged_by=acknowledged_by,
        acknowledged_at=alert.acknowledged_at if acknowledged_by else None,
    )


def _is_regrouped(alert: AlertState) -> bool:
    """Whether its signals changed since silences were matched against them."""
    return alert.changed and alert.status is AlertStatus.FIRING and not alert.snoozed


def _has_silences(session: Session, route: Route, now: datetime) -> bool:
    query = select(Silence.id).where(Silence.team_id == route.team_id, Silence.ends_at > now)
    return session.scalar(query.limit(1)) is not None


def _changes_cover(alert: AlertState, route: Route, batch: IntakeBatch, people: Directory) -> bool:
    """Whether the plan restarts because the silences that cover its signals changed."""
    labels = [signal.labels for signal in alert.firing]
    cover = people.coverage(route.team_id, labels, batch.now)
    if cover is None and alert.silenced_until is not None:
        text = "Its signals changed, and silences do not cover all of them."
        batch.note(alert, EventKind.SILENCE_ENDED, text)
    if (cover.end if cover else None) != alert.silenced_until:
        alert.restart_paging()
    return alert.page


def _channel_ids(session: Session, route: Route) -> list[int]:
    if route.policy is not None:
        return []  # a policy names its own rotations
    query = select(RouteChannel.channel_id).where(RouteChannel.route_id == route.id)
    return list(session.scalars(query.order_by(RouteChannel.channel_id)))
