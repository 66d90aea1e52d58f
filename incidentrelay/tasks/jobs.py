"""All jobs of a worker: the one table from which hints and sweeps derive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from incidentrelay.tasks import deliveries, escalations, maintenance, shifts, silences
from incidentrelay.tasks.context import WorkerContext


class Every(StrEnum):
    """How often a job runs: with each sweep (once a minute, and when hinted at), or hourly."""

    SWEEP = "sweep"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Job:
    """``run`` does what is due and returns whether its batch was full, so more may be due.

    ``hint`` does one row: ``db.Hint(name, id)`` runs it at once. If a ``paging`` job
    fails, the worker reports no heartbeat, because pages may be late.
    """

    name: str
    run: Callable[[WorkerContext], bool]
    every: Every = Every.SWEEP
    hint: Callable[[WorkerContext, int], object] | None = None
    paging: bool = False


# In the order in which a sweep runs them. Silences come before plans: an alert that
# falls quiet now pages nobody.
JOBS = (
    Job("silences", silences.apply_due_silences, hint=silences.apply_team_silences, paging=True),
    Job("wake", escalations.run_due_plans, hint=escalations.wake_alert, paging=True),
    Job("deliver", deliveries.deliver_due, hint=deliveries.deliver, paging=True),
    Job("stalled", deliveries.mark_stalled, paging=True),
    Job("stale-sources", maintenance.resolve_stale_sources),
    Job("shift-reminders", shifts.send_shift_reminders),
    Job("maintenance", maintenance.hourly_maintenance, Every.HOUR),
)
HINTS: Mapping[str, Callable[[WorkerContext, int], object]] = {
    job.name: job.hint for job in JOBS if job.hint is not None
}
