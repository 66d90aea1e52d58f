"""The working copies of alerts and signals while a batch is taken in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.signals import Signal


@dataclass(slots=True, eq=False)
class AlertState:
    """The working copy of one alert. ``id`` is None until it is written.

    ``firing`` counts its firing signals. ``page``: it pages after the batch.
    ``severity_thresholds`` are the severities from which steps of its running plan apply.
    ``silenced_until`` is set while silences cover it; if it is ``relabelled``, they are
    matched again.
    """

    id: int | None
    group_key: str
    status: AlertStatus
    severity: Severity
    title: str
    description: str
    labels: dict[str, str]
    annotations: dict[str, str]
    source_link: str | None
    generation: int
    opened_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None = None
    firing: int = 0
    assignee_id: int | None = None
    page: bool = False
    closed: bool = False
    severity_thresholds: frozenset[Severity] = frozenset()
    silenced_until: datetime | None = None
    relabelled: bool = False

    @classmethod
    def open_for(cls, item: Signal, group_key: str, now: datetime) -> "AlertState":
        """A new alert that shows ``item`` and pages."""
        return cls(
            id=None,
            group_key=group_key,
            status=AlertStatus.FIRING,
            severity=item.severity,
            title=item.title,
            description=item.description,
            labels=dict(item.labels),
            annotations=dict(item.annotations),
            source_link=item.link,
            generation=1,
            opened_at=now,
            last_seen_at=now,
            page=True,
        )

    def show_signal(self, item: Signal) -> None:
        """Take the title, labels and link of the only signal."""
        self.title, self.description = item.title, item.description
        self.relabel(dict(item.labels))
        self.annotations = dict(item.annotations)
        self.source_link = item.link

    def relabel(self, labels: dict[str, str]) -> None:
        self.relabelled |= labels != self.labels
        self.labels = labels

    def restart_paging(self) -> None:
        self.generation, self.page = self.generation + 1, True


@dataclass(slots=True, eq=False)
class SignalState:
    """The working copy of the current row of one dedup key."""

    id: int | None
    dedup_key: str
    alert: AlertState
    status: SignalStatus
    severity: Severity
    title: str
    description: str
    labels: dict[str, str]
    annotations: dict[str, str]
    link: str | None
    starts_at: datetime
    ends_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    count: int = 1

    @classmethod
    def start(
        cls, item: Signal, alert: AlertState, starts_at: datetime, now: datetime
    ) -> "SignalState":
        """A firing signal that is not stored yet."""
        return cls(
            id=None,
            dedup_key=item.dedup_key,
            alert=alert,
            status=SignalStatus.FIRING,
            severity=item.severity,
            title=item.title,
            description=item.description,
            labels=dict(item.labels),
            annotations=dict(item.annotations),
            link=item.link,
            starts_at=starts_at,
            ends_at=None,
            first_seen_at=now,
            last_seen_at=now,
        )

    def has_content_of(self, item: Signal) -> bool:
        return (
            (self.severity, self.title, self.description, self.link)
            == (item.severity, item.title, item.description, item.link)
            and dict(self.labels) == dict(item.labels)
            and dict(self.annotations) == dict(item.annotations)
        )

    def overwrite(self, item: Signal) -> None:
        self.severity, self.title, self.description = item.severity, item.title, item.description
        self.labels, self.annotations = dict(item.labels), dict(item.annotations)
        self.link = item.link


@dataclass(frozen=True, slots=True)
class EventState:
    alert: AlertState
    kind: EventKind
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The outcome of one item; ``alert`` is None if it touched none."""

    outcome: Outcome
    reason: str
    dedup_key: str | None = None
    alert: AlertState | None = None
    routing_error: str | None = None


@dataclass(slots=True)
class IntakeBatch:
    """The state of a batch in progress, and its results.

    ``retired`` holds the ids of signal rows that are no longer current.
    """

    now: datetime
    reopen_window: timedelta
    signals: dict[str, SignalState]
    open_alerts: dict[str, AlertState]
    recent_alerts: dict[str, AlertState]
    results: list[ItemResult] = field(default_factory=list)
    events: list[EventState] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    alerts: dict[int, AlertState] = field(default_factory=dict)

    def touch(self, alert: AlertState) -> None:
        alert.last_seen_at = self.now
        self.alerts[id(alert)] = alert

    def note(self, alert: AlertState, kind: EventKind, text: str, **data: Any) -> None:
        self.events.append(EventState(alert, kind, text, data))
