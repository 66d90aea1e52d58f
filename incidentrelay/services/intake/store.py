"""Writes the alerts, signals and events of one transaction in bulk, of all its routes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.intake.state import (
    AlertState,
    EventState,
    IntakeBatch,
    ItemResult,
    SignalState,
)
from incidentrelay.models import Alert, Event, Signal
from incidentrelay.services.common import timeline
from incidentrelay.services.escalation.plan_run import PlanRun
from incidentrelay.services.escalation.route_facts import RouteFacts
from incidentrelay.services.intake import provenance
from incidentrelay.services.intake.provenance import IntakeSender

VIA = "source"


@dataclass(slots=True)
class RouteBatch:
    """What a transaction does to one route. ``created`` are the ids of its new alerts.

    ``sender`` is None for items that were held: who sent them is on the timeline already.
    ``runs`` are the first plan runs of the alerts that page, by alert id.
    """

    facts: RouteFacts
    sender: IntakeSender | None
    batch: IntakeBatch
    created: set[int] = field(default_factory=set)
    runs: Mapping[int, PlanRun] = field(default_factory=dict)


def number_alerts(session: Session, batches: Sequence[RouteBatch]) -> None:
    """Give the new alerts of the batches their ids."""
    fresh = [
        (each, alert)
        for each in batches
        for alert in each.batch.alerts.values()
        if alert.id is None
    ]
    ids = db.reserve_ids(session, Alert, len(fresh))
    for (each, alert), alert_id in zip(fresh, ids, strict=True):
        alert.id = alert_id
        each.created.add(alert_id)


def write_alerts(session: Session, batches: Sequence[RouteBatch]) -> None:
    """Insert the new alerts; update the others in groups that set different columns."""
    created, paging, closed, changed, seen = [], [], [], [], []
    for each in batches:
        for alert in each.batch.alerts.values():
            values = {"id": alert.id, **_alert_values(alert)}
            run = each.runs.get(alert.id or 0)
            if alert.id in each.created:
                own = _run_values(each.facts, run) if run is not None else _NO_RUN
                created.append({**values, **_created_values(each.facts, alert), **own})
            elif run is not None:
                paging.append({**values, **_run_values(each.facts, run)})
            elif alert.closed:
                closed.append({**values, **_STOPPED})
            elif alert.changed:
                changed.append(values)
            else:
                seen.append({"id": alert.id, "last_seen_at": alert.last_seen_at})
    db.insert_all(session, Alert, created)
    for rows in (paging, closed, changed, seen):
        db.update_by_id(session, Alert, rows)


def _created_values(facts: RouteFacts, alert: AlertState) -> dict[str, Any]:
    return {
        "team_id": facts.route.team_id,
        "route_id": facts.route.id,
        "group_key": alert.group_key,
        "opened_at": alert.opened_at,
    }


def _alert_values(alert: AlertState) -> dict[str, Any]:
    return {
        "status": alert.status,
        "severity": alert.severity,
        "title": alert.title,
        "description": alert.description,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "source_link": alert.source_link,
        "generation": alert.generation,
        "last_seen_at": alert.last_seen_at,
        "resolved_at": alert.resolved_at,
        "assignee_id": alert.assignee_id,
    }


_STOPPED: Mapping[str, Any] = {"wake_at": None, "quiet_until": None, "quiet_reason": None}
_NO_RUN: Mapping[str, Any] = {
    "plan": {},
    "progress": {},
    **_STOPPED,
    "acknowledged_at": None,
    "acknowledged_by_id": None,
}


def _run_values(facts: RouteFacts, run: PlanRun) -> dict[str, Any]:
    return {
        "plan": facts.plan_json,
        "progress": run.progress.to_json(),
        "wake_at": run.wake_at,
        "quiet_until": run.quiet_until,
        "quiet_reason": run.quiet_reason,
        "acknowledged_at": None,
        "acknowledged_by_id": None,
    }


def write_signals(session: Session, batches: Sequence[RouteBatch]) -> None:
    retired = [signal_id for each in batches for signal_id in each.batch.retired]
    if retired:
        session.execute(
            update(Signal)
            .where(Signal.id.in_(retired))
            .values(current=False, refire=None, refire_at=None)
            .execution_options(synchronize_session=False)
        )
    known, fresh = [], []
    for each in batches:
        for signal in each.batch.signals.values():
            if signal.id is not None:
                known.append({"id": signal.id, **_signal_values(signal)})
            else:
                fresh.append({**_fresh_values(each.facts, signal), **_signal_values(signal)})
    db.update_by_id(session, Signal, known)
    db.insert_all(session, Signal, fresh)


def _fresh_values(facts: RouteFacts, signal: SignalState) -> dict[str, Any]:
    return {
        "route_id": facts.route.id,
        "alert_id": signal.alert.id,
        "dedup_key": signal.dedup_key,
        "current": True,
        "first_seen_at": signal.first_seen_at,
    }


def _signal_values(signal: SignalState) -> dict[str, Any]:
    return {
        "status": signal.status,
        "severity": signal.severity,
        "title": signal.title,
        "description": signal.description,
        "labels": signal.labels,
        "annotations": signal.annotations,
        "link": signal.link,
        "starts_at": signal.starts_at,
        "start_from_source": signal.start_from_source,
        "ends_at": signal.ends_at,
        "end_from_source": signal.end_from_source,
        "resolved_at": signal.resolved_at,
        "last_seen_at": signal.last_seen_at,
        "count": signal.count,
        "refire": signal.refire.to_json() if signal.refire else None,
        "refire_at": signal.refire_at,
    }


def write_events(session: Session, batches: Sequence[RouteBatch], now: datetime) -> None:
    rows = []
    for each in batches:
        for note in each.batch.events:
            data = _data(each, note)
            alert_id = note.alert.id or 0
            rows.append(
                timeline.make_event(alert_id, note.kind, note.text, now, via=VIA, data=data)
            )
        rows += [row for run in each.runs.values() for row in run.events]
    db.insert_all(session, Event, rows)


def _data(each: RouteBatch, note: EventState) -> dict[str, Any]:
    """The entry's own data, or why the route accepted what opens an alert or is held."""
    if each.sender is None or note.kind not in _ACCEPTED:
        return dict(note.data)
    key = note.data["dedup_key"]
    labels = each.batch.signals[key].labels
    return provenance.provenance_facts(each.facts.route, each.sender, labels, key)


_ACCEPTED = (EventKind.CREATED, EventKind.REOPENED, EventKind.REFIRE_HELD)


def note_left_out(
    session: Session, batch: IntakeBatch, results: Iterable[ItemResult], count: int
) -> None:
    """Add a line to each alert of the results, unless the alert has the same line already.

    Sources repeat themselves; a request that is cut short would fill the timelines.
    """
    if not count:
        return
    text = word_omission(count)
    alerts = {
        id(result.alert): result.alert
        for result in results
        if result.alert is not None and id(result.alert) in batch.alerts
    }
    ids = [alert.id for alert in alerts.values()]
    query = select(Event.alert_id).where(
        Event.alert_id.in_(ids), Event.kind == EventKind.SOURCE_NOTE, Event.text == text
    )
    ids_with_line = set(session.scalars(query))
    for alert in alerts.values():
        if alert.id not in ids_with_line:
            batch.note(alert, EventKind.SOURCE_NOTE, text, left_out=count)


def word_omission(count: int) -> str:
    if not count:
        return ""
    return (
        f"The source left {count} more {'alert' if count == 1 else 'alerts'} out of this request."
    )
