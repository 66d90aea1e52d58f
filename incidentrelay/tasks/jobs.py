"""All jobs of a worker: the one table from which hints and sweeps derive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from incidentrelay.tasks import deliveries, escalations, maintenance, refires, shifts, silences
from incidentrelay.tasks.context import WorkerContext


@dataclass(frozen=True, slots=True)
class Job:
    """``run`` processes due rows and returns whether its batch was full, so more may be due.

    It runs with each sweep (once a minute, and when hinted at), or, if ``every`` is given,
    that often, in whole minutes, beside the sweeps.
    ``hint`` does one row: ``db.Hint(name, id)`` runs it at once. If a ``paging`` job
    fails, the worker reports no heartbeat, because pages may be late.
    """

    name: str
    run: Callable[[WorkerContext], bool]
    every: timedelta | None = None
    hint: Callable[[WorkerContext, int], object] | None = None
    paging: bool = False


# In the order in which a sweep runs them. Silences come before plans: an alert that
# falls quiet now pages nobody.
JOBS = (
    Job("silences", silences.apply_due_silences, hint=silences.apply_team_silences, paging=True),
    Job("departures", escalations.release_departed_alerts, paging=True),
    Job("refires", refires.apply_due_refires, hint=refires.apply_route_refires, paging=True),
    Job("wake", escalations.run_due_plans, hint=escalations.wake_alert, paging=True),
    Job("deliver", deliveries.deliver_due, hint=deliveries.deliver, paging=True),
    Job("leases", deliveries.wake_abandoned, hint=deliveries.wake_abandoned, paging=True),
    Job("stalled", deliveries.mark_stalled, paging=True),
    Job("clock-steps", deliveries.correct_times, paging=True),
    Job("stale-sources", maintenance.resolve_stale_sources),
    Job("shift-reminders", shifts.send_shift_reminders),
    Job("unreachable", maintenance.refresh_unreachable, every=timedelta(minutes=5)),
    Job("double-duty", maintenance.refresh_double_duty, every=timedelta(minutes=10)),
    Job("maintenance", maintenance.hourly_maintenance, every=timedelta(hours=1)),
)
SWEEP = tuple(job for job in JOBS if job.every is None)
PERIODIC = {job.name: job for job in JOBS if job.every is not None}
HINTS: Mapping[str, Callable[[WorkerContext, int], object]] = {
    job.name: job.hint for job in JOBS if job.hint is not None
}
