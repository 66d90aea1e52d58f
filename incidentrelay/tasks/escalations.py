"""Runs escalation plans, and releases alerts whose people have left."""

import logging

from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.tenancy import departures
from incidentrelay.tasks.context import BATCH, WorkerContext

log = logging.getLogger(__name__)


def wake_alert(context: WorkerContext, alert_id: int) -> bool:
    """Run the plan of one alert if it is due."""
    with context.database.write() as session:
        return escalation_runner.wake_alert(session, alert_id, context.clock())


def run_due_plans(context: WorkerContext) -> bool:
    """Run the plans that are due; returns whether more may be due.

    One transaction for all. If it fails, each alert gets its own, so a bad row blocks only
    itself.
    """
    try:
        with context.database.write() as session:
            count = escalation_runner.run_due_plans(session, context.clock(), limit=BATCH)
        return count == BATCH
    except Exception:
        log.exception("Escalating together failed; escalating one by one.")
        return _run_one_by_one(context)


def _run_one_by_one(context: WorkerContext) -> bool:
    with context.database.read() as session:
        due = escalation_runner.due_alert_ids(session, context.clock(), limit=BATCH)
    for alert_id in due:
        try:
            wake_alert(context, alert_id)
        except Exception:
            log.exception("Alert %s cannot be escalated.", alert_id)
            _defer(context, alert_id)
    return len(due) == BATCH


def _defer(context: WorkerContext, alert_id: int) -> None:
    with context.database.write() as session:
        escalation_runner.defer_plan(session, alert_id, context.clock())


def release_departed_alerts(context: WorkerContext) -> bool:
    """Move on the alerts whose people have left; returns whether more may have to.

    Leaving does this at once. The sweep finds alerts that changed at the same moment.
    """
    with context.database.read() as session:
        alert_ids = departures.list_departed(session, limit=BATCH)
    count = 0
    for alert_id in alert_ids:
        try:
            with context.database.write() as session:
                count += departures.release_alert(session, alert_id, context.clock())
        except Exception:
            log.exception("Alert %s cannot be taken from people who have left.", alert_id)
    return count > 0 and len(alert_ids) == BATCH
