"""Applies a batch of signals to the alerts of one route.

:func:`apply_signals` takes the stored state and the items in order, and returns the
new state. It implements this table:

=================== =================== ================== ======================
what arrives        no open alert       open alert         resolved in the window
=================== =================== ================== ======================
firing, new         create, page        join               reopen, page
firing, known       –                   count, last seen,  reopen, page
                                        content
resolved, known     –                   signal resolves;   ignored
                                        the alert with the
                                        last one
resolved, unknown   ignored             ignored            ignored
=================== =================== ================== ======================

If an open alert gets more severe than everything that was firing before, an acknowledged
one pages, and a firing one pages if steps of its plan did not apply before. A signal that
joins pages too if the acknowledgement is older than the team's ``ack_covers``.

Late resolves (:mod:`incidentrelay.domain.intake.lateness`) change only counters, late firing
items are held (:mod:`incidentrelay.domain.intake.refires`).
"""

from collections.abc import Callable, Sequence

from incidentrelay.domain.alerts.transitions import Action, transition
from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, SignalStatus
from incidentrelay.domain.intake.lateness import is_late_firing, is_late_resolve
from incidentrelay.domain.intake.refires import drop_refire, hold_refire
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, ItemResult, SignalState
from incidentrelay.domain.intake.summary import summarize_alerts

FIRING, RESOLVED = SignalStatus


def apply_signals(
    items: Sequence[SignalItem],
    batch: IntakeBatch,
    group_key: Callable[[IncomingSignal], str],
    accepts: Callable[[IncomingSignal], bool],
) -> IntakeBatch:
    """Apply ``items`` in order. ``accepts`` checks the route's matchers."""
    for item in items:
        batch.results.append(_take(item, batch, group_key, accepts))
    summarize_alerts(batch)
    return batch


def _take(
    item: SignalItem,
    batch: IntakeBatch,
    group_key: Callable[[IncomingSignal], str],
    accepts: Callable[[IncomingSignal], bool],
) -> ItemResult:
    if isinstance(item, Rejection):
        return ItemResult(Outcome.REJECTED, item.reason)
    if not accepts(item):
        reason = "The route's matchers do not match the labels."
        return ItemResult(Outcome.REJECTED, reason, item.dedup_key, routing_error=reason)
    known = batch.signals.get(item.dedup_key)
    if item.status is RESOLVED:
        outcome, reason, alert = _resolve(item, known, batch)
    elif known is not None and is_late_firing(item, known, batch.now):
        outcome, reason, alert = hold_refire(item, known, batch)
    elif known is not None and known.status is FIRING:
        outcome, reason, alert = _repeat(item, known, batch)
    else:
        outcome, reason, alert = _fire(item, known, group_key(item), batch)
    if item.note and alert is not None:
        batch.note(alert, EventKind.SOURCE_NOTE, item.note)
    return ItemResult(outcome, reason, item.dedup_key, alert)


def _resolve(
    item: IncomingSignal, known: SignalState | None, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState | None]:
    if known is None:
        return Outcome.IGNORED, "No open alert has this signal.", None
    if known.status is RESOLVED:
        known.record_end(item, batch.now)
        dropped = drop_refire(item, known, batch)
        reason = "Already resolved; what was held is dropped." if dropped else "Already resolved."
        return Outcome.IGNORED, reason, known.alert
    if is_late_resolve(item, known):
        known.count += 1
        return Outcome.IGNORED, "Older than the last known change.", known.alert
    known.end(item, batch.now)
    alert = known.alert
    alert.firing.remove(known)
    alert.joined.pop(known.dedup_key, None)
    alert.ended[known.dedup_key] = known
    batch.touch(alert)
    alert.changed = True
    if alert.firing:
        batch.note(alert, EventKind.SIGNAL_RESOLVED, f"{known.title} is over.")
        _settle_severity(alert, batch)
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
    item: IncomingSignal, known: SignalState, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState]:
    """A firing signal fires again: update its counters, and its content if that changed."""
    alert = known.alert
    known.repeat(item, batch.now)
    batch.touch(alert)
    if known.has_content_of(item):
        return Outcome.DUPLICATE, "", alert
    alert.firing.remove(known)
    known.overwrite(item)
    alert.firing.add(known)
    alert.changed = True
    if _settle_severity(alert, batch):
        _page_acknowledged(alert)
    return Outcome.UPDATED, "", alert


def _settle_severity(alert: AlertState, batch: IntakeBatch) -> bool:
    """Set the highest firing severity; return whether it rose."""
    before, now = alert.severity, alert.firing.severity or alert.severity
    alert.severity = now
    if now is before:
        return False
    if now.rank < before.rank:
        batch.note(alert, EventKind.SEVERITY_LOWERED, f"Severity fell from {before} to {now}.")
        return False
    batch.note(alert, EventKind.SEVERITY_RAISED, f"Severity rose from {before} to {now}.")
    reached = any(before.rank < floor.rank <= now.rank for floor in alert.severity_thresholds)
    if reached and alert.status is AlertStatus.FIRING and not alert.page:
        # Steps that were skipped apply now: restart the plan.
        alert.restart_paging()
    return True


def _page_acknowledged(alert: AlertState) -> None:
    """The acknowledgement does not cover what fires now."""
    if alert.status is AlertStatus.ACKNOWLEDGED:
        alert.status = transition(alert.status, Action.UNACKNOWLEDGE)
        alert.acknowledged_at = alert.acknowledged_by_id = None
        alert.joined.clear()
        alert.restart_paging()


def _fire(
    item: IncomingSignal, known: SignalState | None, key: str, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState]:
    """A signal starts firing: it joins, reopens or creates an alert."""
    alert = _open_alert_of(known, batch) or batch.open_alerts.get(key)
    if alert is not None:
        signal = _put_signal(item, known, alert, batch)
        return _join(alert, signal, batch), "", alert
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


def _create(item: IncomingSignal, key: str, batch: IntakeBatch) -> AlertState:
    alert = AlertState.open_for(item, key, batch.now)
    batch.open_alerts[key] = alert
    batch.touch(alert)
    batch.note(alert, EventKind.CREATED, item.title, dedup_key=item.dedup_key)
    return alert


def _reopen(alert: AlertState, item: IncomingSignal, batch: IntakeBatch) -> Outcome:
    alert.status = transition(alert.status, Action.REOPEN)
    alert.resolved_at = None
    alert.generation += 1
    alert.severity = item.severity
    alert.page, alert.closed = True, False
    batch.recent_alerts.pop(alert.group_key, None)
    batch.open_alerts[alert.group_key] = alert
    batch.touch(alert)
    batch.note(alert, EventKind.REOPENED, f"{item.title} fires again.", dedup_key=item.dedup_key)
    return Outcome.REOPENED


def _join(alert: AlertState, signal: SignalState, batch: IntakeBatch) -> Outcome:
    text = f"{signal.title} joined."
    batch.note(alert, EventKind.SIGNAL_JOINED, text, dedup_key=signal.dedup_key)
    rose = _settle_severity(alert, batch)
    if rose or _has_outlived_its_cover(alert, batch):
        _page_acknowledged(alert)
    elif alert.status is AlertStatus.ACKNOWLEDGED:
        alert.joined[signal.dedup_key] = signal
    return Outcome.UPDATED


def _has_outlived_its_cover(alert: AlertState, batch: IntakeBatch) -> bool:
    """Whether the acknowledgement is too old to cover a signal that joins now."""
    at = alert.acknowledged_at
    return at is not None and batch.now - at > batch.ack_covers


def _put_signal(
    item: IncomingSignal, known: SignalState | None, alert: AlertState, batch: IntakeBatch
) -> SignalState:
    if known is not None and known.alert is alert:
        known.fire_again(item, batch.now)
        signal = known
    else:
        if known is not None and known.id is not None:
            batch.retired.append(known.id)
        signal = batch.signals[item.dedup_key] = SignalState.start(item, alert, batch.now)
    alert.firing.add(signal)
    alert.ended.pop(item.dedup_key, None)
    alert.changed = True
    batch.touch(alert)
    return signal
