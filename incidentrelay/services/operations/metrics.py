"""Reads the values of ``/metrics`` from the database at each scrape.

They are therefore the same in every process and after a restart. Each takes one
statement over unfinished rows, failed rows, or the last hour, so the cost of a scrape
does not grow with the retained history.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, extract, func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.models import Alert, Attempt, IntakeRequest, Notification, Route
from incidentrelay.models.delivery.notification import IS_FAILED, IS_UNFINISHED
from incidentrelay.services.access.memberships import Roles
from incidentrelay.services.channels import providers
from incidentrelay.services.common import heartbeats
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.operations import banners
from incidentrelay.services.outbox.records import ALARMS, DUE

HOUR = timedelta(hours=1)
WITHIN = (5, 15, 30, 60, 300)
_EVERYTHING = Roles(is_admin=True, groups={}, teams={})

# Label values, in order, → the value.
Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge: its name, help text and label names."""

    name: str
    doc: str
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"incidentrelay_{self.name}"


ALERTS = Metric("alerts", "Alerts that are not resolved.", ("status", "severity"))
EXHAUSTED = Metric("alerts_exhausted", "Firing alerts whose plan ended without a response.")
ESCALATIONS = Metric("escalations_overdue", "Alerts whose plan is overdue.")
ESCALATION_AGE = Metric("escalations_oldest_overdue_seconds", "Age of the oldest overdue plan.")
WAITING = Metric("notifications", "Unfinished notifications.", ("state",))
OVERDUE = Metric("notifications_overdue", "Unfinished notifications that are overdue.", ("state",))
OVERDUE_AGE = Metric(
    "notifications_oldest_overdue_seconds", "Age of the oldest overdue notification.", ("state",)
)
FAILED = Metric(
    "notifications_failed", "Failed notifications within the retention period.", ("method", "kind")
)
FAILED_OPEN = Metric(
    "notifications_failed_open", "Failed notifications of alerts that have not changed since."
)
ATTEMPTS = Metric("attempts_last_hour", "Tries to deliver.", ("method", "outcome"))
ATTEMPT_SECONDS = Metric(
    "attempt_seconds_last_hour", "Mean duration of a delivery attempt.", ("method",)
)
DELIVERIES = Metric(
    "deliveries_last_hour",
    "Pages, escalations, reminders and fallbacks delivered within this many seconds of"
    " becoming due; +Inf counts all of them.",
    ("method", "within"),
)
INTAKE = Metric(
    "intake_requests_last_hour", "Requests from sources with a valid token.", ("source",)
)
BROKEN = Metric("provider_circuits_open", "Providers whose circuit breaker is open.")
WORKER = Metric(
    "worker_heartbeat_age_seconds", "Time since the last worker heartbeat; +Inf means never."
)


def _one(value: float | None) -> Samples:
    return {(): float(value or 0)}


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)


def _alerts(session: Session, _now: datetime) -> Mapping[Metric, Samples]:
    open_ones = (AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED)
    query = (
        select(Alert.status, Alert.severity, func.count())
        .where(Alert.status.in_(open_ones))
        .group_by(Alert.status, Alert.severity)
    )
    rows = session.execute(query).all()
    return {
        ALERTS: {(status, severity): count for status, severity, count in rows},
        EXHAUSTED: _one(banners.count_exhausted_alerts(session, _EVERYTHING)),
    }


def _escalations(session: Session, now: datetime) -> Mapping[Metric, Samples]:
    query = select(func.count(), func.min(Alert.wake_at)).where(Alert.wake_at <= now)
    count, oldest = session.execute(query).one()
    return {ESCALATIONS: _one(count), ESCALATION_AGE: _one(_age(oldest, now))}


def _outbox(session: Session, now: datetime) -> Mapping[Metric, Samples]:
    overdue = case((Notification.next_at <= now, 1), else_=0)
    query = (
        select(
            Notification.state,
            func.count(),
            func.sum(overdue),
            func.min(Notification.next_at),
        )
        .where(IS_UNFINISHED)
        .group_by(Notification.state)
    )
    found = {row[0]: row[1:] for row in session.execute(query)}
    counts = {state: found.get(state, (0, 0, None)) for state in DUE}
    return {
        WAITING: {(state,): row[0] for state, row in counts.items()},
        OVERDUE: {(state,): row[1] for state, row in counts.items()},
        OVERDUE_AGE: {(state,): _age(row[2], now) for state, row in counts.items()},
    }


def _failed(session: Session, _now: datetime) -> Mapping[Metric, Samples]:
    query = (
        select(Notification.method, Notification.kind, func.count())
        .where(IS_FAILED)
        .group_by(Notification.method, Notification.kind)
    )
    rows = session.execute(query).all()
    return {
        FAILED: {(method, kind): count for method, kind, count in rows},
        FAILED_OPEN: _one(failed_notifications.count_open_failures(session, _EVERYTHING)),
    }


def _attempts(session: Session, now: datetime) -> Mapping[Metric, Samples]:
    query = (
        select(Notification.method, Attempt.outcome, func.count(), func.sum(Attempt.duration_ms))
        .join(Notification, Notification.id == Attempt.notification_id)
        .where(Attempt.started_at >= now - HOUR)
        .group_by(Notification.method, Attempt.outcome)
    )
    counts: dict[tuple[str, ...], float] = {}
    tries: dict[str, tuple[int, float]] = {}
    for method, outcome, count, milliseconds in session.execute(query):
        counts[method, outcome] = count
        all_count, all_time = tries.get(method, (0, 0.0))
        tries[method] = (all_count + count, all_time + float(milliseconds))
    means: Samples = {(method,): time / count / 1000 for method, (count, time) in tries.items()}
    return {ATTEMPTS: counts, ATTEMPT_SECONDS: means}


def _deliveries(session: Session, now: datetime) -> Mapping[Metric, Samples]:
    took = _seconds(session, Notification.created_at, Notification.finished_at)
    within = [func.sum(case((took <= seconds, 1), else_=0)) for seconds in WITHIN]
    query = (
        select(Notification.method, func.count(), *within)
        .where(
            Notification.finished_at >= now - HOUR,
            Notification.state.in_((DeliveryState.SENT, DeliveryState.DELIVERED)),
            Notification.kind.in_(ALARMS),
        )
        .group_by(Notification.method)
    )
    samples: dict[tuple[str, ...], float] = {}
    for method, count, *counts in session.execute(query):
        for seconds, fast in zip(WITHIN, counts, strict=True):
            samples[method, str(seconds)] = fast
        samples[method, "+Inf"] = count
    return {DELIVERIES: samples}


def _seconds(session: Session, start: Any, end: Any) -> Any:
    """``end`` - ``start`` in seconds, in each database's SQL."""
    if session.get_bind().dialect.name == "sqlite":
        return (func.julianday(end) - func.julianday(start)) * 86_400
    return extract("epoch", end - start)


def _intake(session: Session, now: datetime) -> Mapping[Metric, Samples]:
    query = (
        select(Route.source, func.count())
        .select_from(IntakeRequest)
        .join(Route, Route.id == IntakeRequest.route_id)
        .where(IntakeRequest.received_at >= now - HOUR)
        .group_by(Route.source)
    )
    return {INTAKE: {(source,): count for source, count in session.execute(query)}}


def _parts(session: Session, now: datetime) -> Mapping[Metric, Samples]:
    seen = heartbeats.last_heartbeat(session, heartbeats.WORKER)
    age = float("inf") if seen is None else _age(seen, now)
    return {WORKER: _one(age), BROKEN: _one(len(providers.open_circuits(session)))}


_PARTS: Sequence[Callable[[Session, datetime], Mapping[Metric, Samples]]] = (
    _alerts,
    _escalations,
    _outbox,
    _failed,
    _attempts,
    _deliveries,
    _intake,
    _parts,
)
METRICS = (
    ALERTS,
    EXHAUSTED,
    ESCALATIONS,
    ESCALATION_AGE,
    WAITING,
    OVERDUE,
    OVERDUE_AGE,
    FAILED,
    FAILED_OPEN,
    ATTEMPTS,
    ATTEMPT_SECONDS,
    DELIVERIES,
    INTAKE,
    BROKEN,
    WORKER,
)


def measure_all(session: Session, now: datetime) -> dict[Metric, Samples]:
    """All values at ``now``, in a constant number of statements."""
    found: dict[Metric, Samples] = {}
    for part in _PARTS:
        found |= part(session, now)
    return found
