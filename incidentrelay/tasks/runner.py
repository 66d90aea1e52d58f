"""Runs the jobs: one hint, a sweep, or a job with its own interval."""

import logging
import threading
from datetime import timedelta

from incidentrelay.services.common import heartbeats
from incidentrelay.tasks import deliveries
from incidentrelay.tasks.context import WorkerContext
from incidentrelay.tasks.jobs import HINTS, PERIODIC, SWEEP, Job
from incidentrelay.tasks.lease_holder import machine_name

log = logging.getLogger(__name__)

# A sweep that still finds full batches after this time leaves the rest to the next one.
LONGEST_SWEEP = timedelta(minutes=5)
MAX_ROUNDS = 1000


class Runner:
    """The work of a worker process. All methods may run in many threads at once."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self._sweeping = threading.Lock()

    def take_over(self) -> None:
        """Take back what a worker of this machine was sending when it died."""
        me = self.context.holder
        count = deliveries.end_dead_leases(self.context, me) if me else 0
        if count:
            log.info("Took back %s notifications of dead workers.", count)

    def run_hint(self, name: str, row_id: int) -> object:
        """Run the job ``name`` for one row; returns what the job returns."""
        return HINTS[name](self.context, row_id)

    def sweep(self) -> bool:
        """Do everything that is due, and go round again while a batch was full.

        Returns False if this process is sweeping already, or if pages may be late
        because a job failed.
        """
        if not self._sweeping.acquire(blocking=False):
            return False
        try:
            return self._drain()
        finally:
            self._sweeping.release()

    def run_job(self, name: str) -> None:
        """Run a job that has its own interval."""
        self._run(PERIODIC[name])

    def _drain(self) -> bool:
        started_at, healthy = self.context.clock(), True
        for _ in range(MAX_ROUNDS):
            results = {job: self._run(job) for job in SWEEP}
            healthy = healthy and all(
                full is not None for job, full in results.items() if job.paging
            )
            # Without a heartbeat, the installation reports that it is not ready.
            healthy = healthy and self._beat()
            late = self.context.clock() - started_at >= LONGEST_SWEEP
            if late or not any(results.values()):
                break
        return healthy

    def _run(self, job: Job) -> bool | None:
        """Whether the job's batch was full; None if it failed, which stops no other job."""
        try:
            return job.run(self.context)
        except Exception:
            log.exception("The job %s failed; the next sweep tries again.", job.name)
            return None

    def _beat(self) -> bool:
        try:
            with self.context.database.write() as session:
                heartbeats.record_heartbeat(session, heartbeats.WORKER, self.context.clock())
                heartbeats.record_clock(session, machine_name(), self.context.clock())
        except Exception:
            log.exception("The worker's heartbeat could not be written.")
            return False
        return True
