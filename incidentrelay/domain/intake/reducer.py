"""What a batch of signals does to the alerts of one route.

:func:`apply_signals` takes the stored state and the items in order, and returns the
new state. It implements the table of an alert's life:

=================== =================== ================== ======================
what arrives        no open alert       open alert         resolved in the window
=================== =================== ================== ======================
firing, new         create, page        join (an           reopen, page
                                        acknowledged one
                                        pages only if the
                                        severity rises, a
                                        firing one if steps
                                        of its plan did not
                                        apply before)
firing, known       –                   count, last seen   reopen, page
resolved, known     –                   signal resolves;   ignored
                                        the alert with the
                                        last one
resolved, unknown   ignored             ignored            ignored
=================== =================== ================== ======================

Late items change nothing but counters: a firing item that began before the recorded
end of its signal, and a resolve that ended before its signal's present beginning.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.alerts.transitions import Action, transition
from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.signals import Rejection, Signal, SignalItem

FIRING, RESOLVED = SignalStatus


@dataclass(slots=True, eq=False)
class AlertState:
    """The working copy of one alert. ``id`` is None until it is written.

    ``firing`` counts its firing signals. ``page`` and ``told`` say what is owed at
    the end: a page, or news to those who know of it already. ``severity_thresholds`` are the
    severities from which on steps of its running plan apply. ``silenced_until`` is set
    while silences cover it; whether they still do is to be asked once it is ``relabelled``.
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


@dataclass(frozen=True, slots=True)
class EventState:
    alert: AlertState
    kind: EventKind
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The verdict on one item; ``alert`` is None where it touched none."""

    outcome: Outcome
    reason: str
    dedup_key: str | None = None
    alert: AlertState | None = None
    routing_error: str | None = None


@dataclass(slots=True)
class IntakeBatch:
    """The state of a batch in work, and what came out of it.

    ``retired`` are ids of signal rows that are no longer the current ones.
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


def apply_signals(
    items: Sequence[SignalItem],
    batch: IntakeBatch,
    group_key: Callable[[Signal], str],
    accepts: Callable[[Signal], bool],
) -> IntakeBatch:
    """Take in ``items`` one after the other. ``accepts`` is the route's matchers."""
    for item in items:
        batch.results.append(_take(item, batch, group_key, accepts))
    return batch


def _take(
    item: SignalItem,
    batch: IntakeBatch,
    group_key: Callable[[Signal], str],
    accepts: Callable[[Signal], bool],
) -> ItemResult:
    if isinstance(item, Rejection):
        return ItemResult(Outcome.REJECTED, item.reason)
    if not accepts(item):
        reason = "The route's matchers do not match the labels."
        return ItemResult(Outcome.REJECTED, reason, item.dedup_key, routing_error=reason)
    known = batch.signals.get(item.dedup_key)
    if item.status is RESOLVED:
        outcome, reason, alert = _resolve(item, known, batch)
    elif known is not None and _is_late(item, known):
        known.count += 1
        outcome, reason, alert = Outcome.IGNORED, "Older than what is known already.", known.alert
    elif known is not None and known.status is FIRING:
        outcome, reason, alert = _repeat(item, known, batch)
    else:
        outcome, reason, alert = _fire(item, known, group_key(item), batch)
    if item.note and alert is not None:
        batch.note(alert, EventKind.SOURCE_NOTE, item.note)
    return ItemResult(outcome, reason, item.dedup_key, alert)


def _is_late(item: Signal, known: SignalState) -> bool:
    """A firing item that must not undo the recorded end of its signal."""
    return (
        known.status is RESOLVED
        and known.ends_at is not None
        and item.starts_at is not None
        and item.starts_at <= known.ends_at
    )


def _resolve(
    item: Signal, known: SignalState | None, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState | None]:
    if known is None:
        return Outcome.IGNORED, "Nothing is open that this resolves.", None
    ends_at = item.ends_at or batch.now
    if known.status is RESOLVED:
        known.ends_at = max(known.ends_at or ends_at, ends_at)
        known.count += 1
        return Outcome.IGNORED, "It is resolved already.", known.alert
    if ends_at < known.starts_at:
        known.count += 1
        return Outcome.IGNORED, "Older than what is known already.", known.alert
    known.status, known.ends_at, known.last_seen_at = RESOLVED, ends_at, batch.now
    known.count += 1
    alert = known.alert
    alert.firing -= 1
    batch.touch(alert)
    if alert.firing > 0:
        batch.note(alert, EventKind.SIGNAL_RESOLVED, f"{known.title} is over.")
    else:
        _close(alert, batch)
    return Outcome.RESOLVED, "", alert


def _close(alert: AlertState, batch: IntakeBatch) -> None:
    alert.status = transition(alert.status, Action.RESOLVE)
    alert.resolved_at = batch.now
    alert.generation += 1
    alert.page, alert.closed = False, True
    batch.open_alerts.pop(alert.group_key, None)
    batch.recent_alerts[alert.group_key] = alert
    batch.note(alert, EventKind.RESOLVED, "Resolved by the source.")


def _repeat(
    item: Signal, known: SignalState, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState]:
    """A firing signal fires still: counters, and its content where that changed."""
    known.count += 1
    known.last_seen_at = batch.now
    batch.touch(known.alert)
    if item.starts_at is not None and item.starts_at < known.starts_at:
        return Outcome.DUPLICATE, "", known.alert
    known.starts_at = item.starts_at or known.starts_at
    if _content(item) == _known_content(known):
        return Outcome.DUPLICATE, "", known.alert
    _overwrite(known, item)
    _raise_severity(known.alert, item.severity, batch)
    if known.alert.firing == 1:
        _show(known.alert, item)
    return Outcome.UPDATED, "", known.alert


def _content(item: Signal) -> tuple[object, ...]:
    labels, annotations = dict(item.labels), dict(item.annotations)
    return item.severity, item.title, item.description, labels, annotations, item.link


def _known_content(known: SignalState) -> tuple[object, ...]:
    labels, annotations = dict(known.labels), dict(known.annotations)
    return known.severity, known.title, known.description, labels, annotations, known.link


def _overwrite(known: SignalState, item: Signal) -> None:
    known.severity, known.title, known.description = item.severity, item.title, item.description
    known.labels, known.annotations = dict(item.labels), dict(item.annotations)
    known.link = item.link


def _show(alert: AlertState, item: Signal) -> None:
    """An alert of one signal shows that signal."""
    alert.title, alert.description = item.title, item.description
    alert.relabel(dict(item.labels))
    alert.annotations = dict(item.annotations)
    alert.source_link = item.link


def _raise_severity(alert: AlertState, severity: Severity, batch: IntakeBatch) -> bool:
    if severity.rank <= alert.severity.rank:
        return False
    text = f"Severity rose from {alert.severity} to {severity}."
    batch.note(alert, EventKind.SEVERITY_RAISED, text)
    before, alert.severity = alert.severity, severity
    reached = any(before.rank < floor.rank <= severity.rank for floor in alert.severity_thresholds)
    if reached and alert.status is AlertStatus.FIRING and not alert.page:
        # Steps that were passed over apply now: the plan begins again.
        alert.restart_paging()
    return True


def _fire(
    item: Signal, known: SignalState | None, key: str, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState]:
    """A signal that was not firing fires: it joins, reopens or opens an alert."""
    alert = _open_alert_of(known, batch) or batch.open_alerts.get(key)
    if alert is not None:
        outcome = _join(alert, item, batch)
    else:
        alert = _reopenable(known, key, batch)
        if alert is not None:
            outcome = _reopen(alert, item, batch)
        else:
            outcome, alert = Outcome.CREATED, _create(item, key, batch)
    _put_signal(item, known, alert, batch)
    return outcome, "", alert


def _open_alert_of(known: SignalState | None, batch: IntakeBatch) -> AlertState | None:
    if known is None or known.alert.status is AlertStatus.RESOLVED:
        return None
    return known.alert


def _reopenable(known: SignalState | None, key: str, batch: IntakeBatch) -> AlertState | None:
    """The resolved alert that comes back: the signal's own before its group's."""
    oldest = batch.now - batch.reopen_window
    for alert in (known.alert if known else None, batch.recent_alerts.get(key)):
        if (
            alert is not None
            and alert.resolved_at is not None
            and alert.resolved_at >= oldest
            and alert.group_key not in batch.open_alerts
        ):
            return alert
    return None


def _create(item: Signal, key: str, batch: IntakeBatch) -> AlertState:
    alert = AlertState(
        id=None,
        group_key=key,
        status=AlertStatus.FIRING,
        severity=item.severity,
        title=item.title,
        description=item.description,
        labels=dict(item.labels),
        annotations=dict(item.annotations),
        source_link=item.link,
        generation=1,
        opened_at=batch.now,
        last_seen_at=batch.now,
        page=True,
    )
    batch.open_alerts[key] = alert
    batch.touch(alert)
    batch.note(alert, EventKind.CREATED, item.title, dedup_key=item.dedup_key)
    return alert


def _reopen(alert: AlertState, item: Signal, batch: IntakeBatch) -> Outcome:
    alert.status = transition(alert.status, Action.REOPEN)
    alert.resolved_at = None
    alert.generation += 1
    alert.severity = item.severity
    alert.page, alert.closed = True, False
    alert.firing = 0
    _show(alert, item)
    batch.recent_alerts.pop(alert.group_key, None)
    batch.open_alerts[alert.group_key] = alert
    batch.touch(alert)
    batch.note(alert, EventKind.REOPENED, f"{item.title} fires again.", dedup_key=item.dedup_key)
    return Outcome.REOPENED


def _join(alert: AlertState, item: Signal, batch: IntakeBatch) -> Outcome:
    batch.touch(alert)
    batch.note(alert, EventKind.SIGNAL_JOINED, f"{item.title} joined.", dedup_key=item.dedup_key)
    rose = _raise_severity(alert, item.severity, batch)
    if rose and alert.status is AlertStatus.ACKNOWLEDGED:
        alert.status = transition(alert.status, Action.UNACKNOWLEDGE)
        alert.restart_paging()
    alert.relabel(_common(alert.labels, item.labels))
    alert.annotations = _common(alert.annotations, item.annotations)
    return Outcome.UPDATED


def _common(mine: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in mine.items() if other.get(name) == value}


def _put_signal(
    item: Signal, known: SignalState | None, alert: AlertState, batch: IntakeBatch
) -> None:
    alert.firing += 1
    starts_at = item.starts_at or batch.now
    if known is not None and known.alert is alert:
        known.status, known.ends_at, known.starts_at = FIRING, None, starts_at
        known.last_seen_at = batch.now
        known.count += 1
        _overwrite(known, item)
        return
    if known is not None and known.id is not None:
        batch.retired.append(known.id)
    batch.signals[item.dedup_key] = SignalState(
        id=None,
        dedup_key=item.dedup_key,
        alert=alert,
        status=FIRING,
        severity=item.severity,
        title=item.title,
        description=item.description,
        labels=dict(item.labels),
        annotations=dict(item.annotations),
        link=item.link,
        starts_at=starts_at,
        ends_at=None,
        first_seen_at=batch.now,
        last_seen_at=batch.now,
    )
