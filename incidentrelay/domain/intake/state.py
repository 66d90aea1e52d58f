"""The working copies of alerts and signals while a batch is processed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.firing import FiringSignals
from incidentrelay.domain.intake.signals import IncomingSignal


@dataclass(slots=True, eq=False)
class AlertState:
    """The working copy of one alert. ``id`` is None until it is written.

    ``firing`` has all its firing signals, ``ended`` those that ended and ``joined`` those that
    joined it while it was acknowledged, in this batch. ``changed``: what it shows is computed
    again, and silences are matched again. ``page``: it pages after the batch.
    ``severity_thresholds`` are the lowest severities of the steps of its running plan.
    ``silenced_until`` is set while silences cover it, ``snoozed`` while a person mutes it.
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
    acknowledged_at: datetime | None = None
    acknowledged_by_id: int | None = None
    assignee_id: int | None = None
    firing: "FiringSignals[SignalState]" = field(default_factory=FiringSignals)
    ended: dict[str, "SignalState"] = field(default_factory=dict)
    joined: dict[str, "SignalState"] = field(default_factory=dict)
    changed: bool = False
    page: bool = False
    closed: bool = False
    severity_thresholds: frozenset[Severity] = frozenset()
    silenced_until: datetime | None = None
    snoozed: bool = False

    @classmethod
    def open_for(cls, item: IncomingSignal, group_key: str, now: datetime) -> "AlertState":
        """A new alert that pages; its first signal is still to be added."""
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

    @property
    def shown_signals(self) -> "Sequence[SignalState]":
        """The signals whose content it shows: the firing ones, else the last ones."""
        return tuple(self.firing) or tuple(self.ended.values())

    def restart_paging(self) -> None:
        self.generation, self.page = self.generation + 1, True


@dataclass(slots=True, eq=False)
class SignalState:
    """The working copy of the current row of one dedup key.

    ``starts_at`` and ``ends_at`` are the source's times, or our times of receipt where it
    gave none; ``start_from_source`` and ``end_from_source`` tell them apart, because times
    of two clocks are never compared. ``resolved_at`` is when its resolve was received.
    ``refire`` is a late firing item that counts from ``refire_at``, if nothing drops it.
    """

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
    start_from_source: bool
    ends_at: datetime | None
    end_from_source: bool
    resolved_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    count: int = 1
    refire: IncomingSignal | None = None
    refire_at: datetime | None = None

    @classmethod
    def start(cls, item: IncomingSignal, alert: AlertState, now: datetime) -> "SignalState":
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
            starts_at=item.starts_at or now,
            start_from_source=item.starts_at is not None,
            ends_at=None,
            end_from_source=False,
            resolved_at=None,
            first_seen_at=now,
            last_seen_at=now,
        )

    def fire_again(self, item: IncomingSignal, now: datetime) -> None:
        self.status, self.last_seen_at = SignalStatus.FIRING, now
        self.starts_at = item.starts_at or now
        self.start_from_source = item.starts_at is not None
        self.ends_at, self.end_from_source, self.resolved_at = None, False, None
        self.refire = self.refire_at = None
        self.count += 1
        self.overwrite(item)

    def repeat(self, item: IncomingSignal, now: datetime) -> None:
        """Count a firing item; keep the latest start that the source gave."""
        self.count += 1
        self.last_seen_at = now
        if item.starts_at is not None:
            later = not self.start_from_source or item.starts_at > self.starts_at
            self.starts_at = item.starts_at if later else self.starts_at
            self.start_from_source = True

    def end(self, item: IncomingSignal, now: datetime) -> None:
        self.status, self.last_seen_at = SignalStatus.RESOLVED, now
        self.ends_at = item.ends_at or now
        self.end_from_source = item.ends_at is not None
        self.resolved_at = now
        self.count += 1

    def record_end(self, item: IncomingSignal, now: datetime) -> None:
        """Another resolve of a signal that has ended.

        The time in which firing items count as late still runs from the first resolve,
        unless that one had no end from the source, as when a person resolved the alert.
        """
        self.count += 1
        if item.ends_at is None:
            return
        if self.end_from_source and self.ends_at is not None:
            self.ends_at = max(self.ends_at, item.ends_at)
        else:
            self.ends_at, self.end_from_source, self.resolved_at = item.ends_at, True, now

    def has_content_of(self, item: IncomingSignal) -> bool:
        return (
            (self.severity, self.title, self.description, self.link)
            == (item.severity, item.title, item.description, item.link)
            and dict(self.labels) == dict(item.labels)
            and dict(self.annotations) == dict(item.annotations)
        )

    def overwrite(self, item: IncomingSignal) -> None:
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

    ``retired`` holds the ids of signal rows that are no longer current. ``ack_covers``:
    an acknowledgement that is older does not cover signals that join.
    """

    now: datetime
    reopen_window: timedelta
    ack_covers: timedelta
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
