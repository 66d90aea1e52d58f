"""Applies a batch of signals to the alerts of one route.

:func:`apply_signals` takes the stored state and the items in order, and returns the
new state. It implements this table:

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

Late items change only counters: a firing item that started before the recorded end of its
signal, and a resolve that ended before the present start of its signal.
"""

from collections.abc import Callable, Mapping, Sequence

from incidentrelay.domain.alerts.transitions import Action, transition
from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.signals import Rejection, Signal, SignalItem
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, ItemResult, SignalState

FIRING, RESOLVED = SignalStatus


def apply_signals(
    items: Sequence[SignalItem],
    batch: IntakeBatch,
    group_key: Callable[[Signal], str],
    accepts: Callable[[Signal], bool],
) -> IntakeBatch:
    """Apply ``items`` in order. ``accepts`` checks the route's matchers."""
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
        outcome, reason, alert = Outcome.IGNORED, "Older than the last known change.", known.alert
    elif known is not None and known.status is FIRING:
        outcome, reason, alert = _repeat(item, known, batch)
    else:
        outcome, reason, alert = _fire(item, known, group_key(item), batch)
    if item.note and alert is not None:
        batch.note(alert, EventKind.SOURCE_NOTE, item.note)
    return ItemResult(outcome, reason, item.dedup_key, alert)


def _is_late(item: Signal, known: SignalState) -> bool:
    """Whether a firing item started before the recorded end of its signal."""
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
        return Outcome.IGNORED, "No open alert has this signal.", None
    ends_at = item.ends_at or batch.now
    if known.status is RESOLVED:
        known.ends_at = max(known.ends_at or ends_at, ends_at)
        known.count += 1
        return Outcome.IGNORED, "Already resolved.", known.alert
    if ends_at < known.starts_at:
        known.count += 1
        return Outcome.IGNORED, "Older than the last known change.", known.alert
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
    """A firing signal fires again: update its counters, and its content if that changed."""
    known.count += 1
    known.last_seen_at = batch.now
    batch.touch(known.alert)
    if item.starts_at is not None and item.starts_at < known.starts_at:
        return Outcome.DUPLICATE, "", known.alert
    known.starts_at = item.starts_at or known.starts_at
    if known.has_content_of(item):
        return Outcome.DUPLICATE, "", known.alert
    known.overwrite(item)
    _raise_severity(known.alert, item.severity, batch)
    if known.alert.firing == 1:
        known.alert.show_signal(item)
    return Outcome.UPDATED, "", known.alert


def _raise_severity(alert: AlertState, severity: Severity, batch: IntakeBatch) -> bool:
    if severity.rank <= alert.severity.rank:
        return False
    text = f"Severity rose from {alert.severity} to {severity}."
    batch.note(alert, EventKind.SEVERITY_RAISED, text)
    before, alert.severity = alert.severity, severity
    reached = any(before.rank < floor.rank <= severity.rank for floor in alert.severity_thresholds)
    if reached and alert.status is AlertStatus.FIRING and not alert.page:
        # Steps that were skipped apply now: restart the plan.
        alert.restart_paging()
    return True


def _fire(
    item: Signal, known: SignalState | None, key: str, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState]:
    """A signal starts firing: it joins, reopens or creates an alert."""
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
    """The resolved alert to reopen: the signal's own before its group's."""
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
    alert = AlertState.open_for(item, key, batch.now)
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
    alert.show_signal(item)
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
        known.overwrite(item)
        return
    if known is not None and known.id is not None:
        batch.retired.append(known.id)
    batch.signals[item.dedup_key] = SignalState.start(item, alert, starts_at, batch.now)
