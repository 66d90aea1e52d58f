"""Writes the alerts, signals and events of a batch in bulk."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.intake.state import AlertState, EventState, IntakeBatch, SignalState
from incidentrelay.models import Alert, Event, Route, Signal
from incidentrelay.services.common import timeline
from incidentrelay.services.escalation.plan_run import PlanRun
from incidentrelay.services.intake import provenance
from incidentrelay.services.intake.provenance import IntakeSender

VIA = "source"


def insert_alerts(session: Session, route: Route, batch: IntakeBatch) -> None:
    """Insert the batch's new alerts and set their ids."""
    fresh = [alert for alert in batch.alerts.values() if alert.id is None]
    unwritten: dict[str, Any] = {"plan": {}, "progress": {}}
    rows = [
        {
            **_alert_values(alert),
            **unwritten,
            "team_id": route.team_id,
            "route_id": route.id,
            "group_key": alert.group_key,
            "opened_at": alert.opened_at,
        }
        for alert in fresh
    ]
    ids: dict[str, list[int]] = {}
    for alert_id, key in db.insert_and_number(session, Alert, rows, "group_key"):
        ids.setdefault(key, []).append(alert_id)
    for alert in fresh:
        alert.id = ids[alert.group_key].pop(0)


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


def write_signals(session: Session, route: Route, batch: IntakeBatch) -> None:
    if batch.retired:
        session.execute(
            update(Signal)
            .where(Signal.id.in_(batch.retired))
            .values(current=False, refire=None, refire_at=None)
            .execution_options(synchronize_session=False)
        )
    fresh = [signal for signal in batch.signals.values() if signal.id is None]
    stored = [signal for signal in batch.signals.values() if signal.id is not None]
    db.update_by_id(
        session, Signal, [{"id": signal.id, **_signal_values(signal)} for signal in stored]
    )
    if fresh:
        rows = [
            {
                **_signal_values(signal),
                "route_id": route.id,
                "alert_id": signal.alert.id,
                "dedup_key": signal.dedup_key,
                "current": True,
                "first_seen_at": signal.first_seen_at,
            }
            for signal in fresh
        ]
        db.insert_all(session, Signal, rows)


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


def write_alerts(session: Session, batch: IntakeBatch, plays: Mapping[int, PlanRun]) -> None:
    """Update in three groups that set different columns: paging, closed, the rest."""
    paging, closed, rest = [], [], []
    for alert in batch.alerts.values():
        values = {"id": alert.id, **_alert_values(alert)}
        play = plays.get(alert.id or 0)
        if play is not None:
            paging.append({**values, **_play_values(play)})
        elif alert.closed:
            stopped = {"wake_at": None, "quiet_until": None, "quiet_reason": None}
            closed.append({**values, **stopped})
        else:
            rest.append(values)
    for rows in (paging, closed, rest):
        db.update_by_id(session, Alert, rows)


def _play_values(play: PlanRun) -> dict[str, Any]:
    return {
        "plan": play.plan.to_json(),
        "progress": play.progress.to_json(),
        "wake_at": play.wake_at,
        "quiet_until": play.quiet_until,
        "quiet_reason": play.quiet_reason,
        "acknowledged_at": None,
        "acknowledged_by_id": None,
    }


def write_events(
    session: Session,
    route: Route,
    sender: IntakeSender | None,
    batch: IntakeBatch,
    plays: Mapping[int, PlanRun],
    now: datetime,
) -> None:
    """Write the timeline. ``sender`` is None for items that were held."""
    rows = [
        timeline.make_event(
            note.alert.id or 0,
            note.kind,
            note.text,
            now,
            via=VIA,
            data=_data(route, sender, batch, note),
        )
        for note in batch.events
    ]
    rows += [row for play in plays.values() for row in play.events]
    db.insert_all(session, Event, rows)


def _data(
    route: Route, sender: IntakeSender | None, batch: IntakeBatch, note: EventState
) -> dict[str, Any]:
    """The entry's own data, or why the route accepted what opens an alert or is held."""
    if sender is None or note.kind not in _ACCEPTED:
        return dict(note.data)
    key = note.data["dedup_key"]
    return provenance.provenance_facts(route, sender, batch.signals[key].labels, key)


_ACCEPTED = (EventKind.CREATED, EventKind.REOPENED, EventKind.REFIRE_HELD)


def note_left_out(session: Session, batch: IntakeBatch, count: int) -> None:
    """Add a line to each alert of the request, unless the alert has the same line already.

    Sources repeat themselves; a request that is cut short would fill the timelines.
    """
    if not count:
        return
    text = word_omission(count)
    ids = [alert.id for alert in batch.alerts.values() if alert.id is not None]
    query = select(Event.alert_id).where(
        Event.alert_id.in_(ids), Event.kind == EventKind.SOURCE_NOTE, Event.text == text
    )
    ids_with_line = set(session.scalars(query))
    for alert in batch.alerts.values():
        if alert.id not in ids_with_line:
            batch.note(alert, EventKind.SOURCE_NOTE, text, left_out=count)


def word_omission(count: int) -> str:
    if not count:
        return ""
    return (
        f"The source left {count} more {'alert' if count == 1 else 'alerts'} out of this request."
    )
