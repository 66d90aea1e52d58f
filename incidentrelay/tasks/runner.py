"""Doing what is due: each unit in short transactions of its own."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from incidentrelay.channels.registry import Registry
from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.services.access import login
from incidentrelay.services.alerts.links import LinkMaker
from incidentrelay.services.common import heartbeats
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import claims, shift_reminders
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.intake import auto_resolve
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult
from incidentrelay.services.silences import transitions as silence_transitions
from incidentrelay.settings import Settings
from incidentrelay.tasks import retention

log = logging.getLogger(__name__)

BATCH = 500
INTERNAL_ERROR = "Something went wrong inside IncidentRelay; the worker's log says more."


class Runner:
    """The work of a worker process. All methods can run in many threads at once."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        channels: Registry,
        vault: SecretBox,
        links: LinkMaker,
        *,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._database = database
        self._channels = channels
        self._vault = vault
        self._links = links
        self._clock = clock
        self._jitter = jitter
        self._sweeping = threading.Lock()

    def deliver(self, notification_id: int) -> bool:
        """Try to deliver one notification; False: there was nothing to do."""
        try:
            taken = self._claim(notification_id)
        except OperationalError:
            # The database was away, and the row is as good as before: the next sweep takes it.
            log.exception("Notification %s was not claimed.", notification_id)
            return False
        except Exception:
            # A row that cannot even be claimed must not stand in the others' way.
            log.exception("Notification %s could not be claimed.", notification_id)
            self._defer(notification_id)
            return False
        if taken is None:
            return False
        started_at = self._clock()
        result = self._perform(taken)
        now = self._clock()
        with self._database.write() as session:
            written = delivery_results.record_result(
                session,
                taken,
                result,
                started_at=started_at,
                now=now,
                most_attempts=self._settings.delivery_max_attempts,
                jitter=self._jitter(),
            )
        log.info(
            "Notification %s: attempt %s by %s: %s %s%s",
            ", ".join(map(str, taken.ids)),
            taken.attempt,
            taken.method,
            result.state,
            result.reason,
            "" if written else " (another worker has taken over)",
        )
        return True

    def _claim(self, notification_id: int) -> DeliveryClaim | None:
        lease = timedelta(seconds=self._settings.delivery_lease)
        with self._database.write() as session:
            return claims.claim_notification(
                session, notification_id, self._vault, self._clock(), lease=lease
            )

    def _perform(self, taken: DeliveryClaim) -> DeliveryResult:
        try:
            known = taken.method in self._channels.names()
            channel = self._channels.get(taken.method) if known else None
            return outbox_records.send_claim(taken, channel, self._links, self._clock())
        except Exception:
            log.exception("Notification %s: the channel %s failed.", taken.uid, taken.method)
            return DeliveryResult(DeliveryState.RETRY, INTERNAL_ERROR)

    def _defer(self, notification_id: int) -> None:
        with self._database.write() as session:
            delivery_results.defer_delivery(
                session,
                notification_id,
                INTERNAL_ERROR,
                self._clock(),
                most_attempts=self._settings.delivery_max_attempts,
            )

    def wake(self, alert_id: int) -> bool:
        """Run the plan of one alert, if it is due."""
        with self._database.write() as session:
            return escalation_runner.wake_alert(session, alert_id, self._clock())

    def silences(self, team_id: int) -> int:
        """Begin and end the silences of one team that are due."""
        with self._database.write() as session:
            return silence_transitions.apply_transitions(session, team_id, self._clock())

    def sweep(self) -> bool:
        """Do everything that is due.

        False: this process is sweeping already, or pages may be late because a part failed.
        """
        if not self._sweeping.acquire(blocking=False):
            return False
        try:
            paged = [self._did(part) for part in self._paging()]
            for part in (self._sweep_silent_sources, self._notice_shifts):
                self._did(part)
            # Without a sign of life, the installation says that it is not ready.
            return all(paged) and self._did(self._beat)
        finally:
            self._sweeping.release()

    def _paging(self) -> tuple[Callable[[], None], ...]:
        """What brings pages, in its order; what else is due comes after it."""
        return self._sweep_silences, self._sweep_plans, self._sweep_outbox, self._strand

    def _did(self, part: Callable[[], None]) -> bool:
        """Do one part of a sweep; if it fails, the others are done all the same."""
        try:
            part()
        except Exception:
            log.exception("A part of the sweep failed; the next one tries again.")
            return False
        return True

    def _strand(self) -> None:
        with self._database.write() as session:
            delivery_results.mark_stalled(session, self._clock(), limit=BATCH)

    def _beat(self) -> None:
        with self._database.write() as session:
            heartbeats.record_heartbeat(session, heartbeats.WORKER, self._clock())

    def _sweep_silences(self) -> None:
        """Before the plans, so that nobody is paged at the instant at which it falls quiet."""
        with self._database.read() as session:
            due = silence_transitions.due_team_ids(session, self._clock(), limit=BATCH)
        for team_id in due:
            try:
                self.silences(team_id)
            except Exception:
                log.exception("The silences of team %s could not be changed over.", team_id)

    def _sweep_plans(self) -> None:
        """All due plans in one transaction; if that fails, one by one, so that a bad
        row stops nobody but itself."""
        try:
            with self._database.write() as session:
                escalation_runner.run_due_plans(session, self._clock(), limit=BATCH)
        except Exception:
            log.exception("Escalating together failed; escalating one by one.")
            self._escalate_singly()

    def _notice_shifts(self) -> None:
        """Tell people of shifts that begin and end."""
        with self._database.write() as session:
            shift_reminders.send_due_reminders(session, self._clock())

    def _escalate_singly(self) -> None:
        with self._database.read() as session:
            due = escalation_runner.due_alert_ids(session, self._clock(), limit=BATCH)
        for alert_id in due:
            try:
                self.wake(alert_id)
            except Exception:
                log.exception("Alert %s cannot be escalated.", alert_id)

    def _sweep_silent_sources(self) -> None:
        """Resolve what its source has fallen silent about, route by route."""
        now = self._clock()
        with self._database.write() as session:
            since = auto_resolve.listening_since(session, now)
        with self._database.read() as session:
            due = auto_resolve.due_route_ids(session, since, now)
        for route_id in due:
            try:
                with self._database.write() as session:
                    auto_resolve.resolve_stale(session, route_id, since, now)
            except Exception:
                log.exception("The silent alerts of route %s cannot be resolved.", route_id)

    def _sweep_outbox(self) -> None:
        with self._database.read() as session:
            due = outbox_records.due_notification_ids(session, self._clock(), limit=BATCH)
        if not due:
            return
        with ThreadPoolExecutor(self._settings.worker_threads, "sweep") as pool:
            for future in [pool.submit(self.deliver, notification_id) for notification_id in due]:
                failure = future.exception()
                if failure is not None:
                    log.error("A delivery of the sweep failed.", exc_info=failure)

    def tidy(self) -> None:
        """Forget what no longer counts: sessions, failed sign-ins, notices, and what is old."""
        idle = timedelta(seconds=self._settings.session_idle)
        lifetime = timedelta(seconds=self._settings.session_lifetime)
        with self._database.write() as session:
            login.prune_login_failures(session, self._clock(), idle=idle, lifetime=lifetime)
            shift_reminders.prune_reminders(session, self._clock())
        retention.run(self._settings, self._database, self._clock)
