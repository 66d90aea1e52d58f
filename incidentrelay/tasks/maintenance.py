"""Work that pages nobody: stale sources, and pruning old rows."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from incidentrelay.db import Database
from incidentrelay.services.access import login
from incidentrelay.services.common import heartbeats
from incidentrelay.services.delivery import shift_reminders
from incidentrelay.services.escalation import double_duty
from incidentrelay.services.intake import auto_resolve
from incidentrelay.services.operations import retention, unreachable
from incidentrelay.settings.declaration import Settings
from incidentrelay.tasks.context import WorkerContext

log = logging.getLogger(__name__)

LONGEST_RUN = timedelta(seconds=30)
# Deleting an alert deletes everything below it.
LONGEST_BATCH = timedelta(minutes=10)


def resolve_stale_sources(context: WorkerContext) -> bool:
    """Resolve alerts whose source fell silent, route by route; returns whether more may be due."""
    now = context.clock()
    with context.database.write() as session:
        since = auto_resolve.listening_since(session, now)
    with context.database.read() as session:
        due = auto_resolve.due_route_ids(session, since, now)
    full = False
    for route_id in due:
        try:
            with context.database.write() as session:
                count = auto_resolve.resolve_stale(session, route_id, since, now)
            full |= count == auto_resolve.BATCH
        except Exception:
            log.exception("The stale alerts of route %s cannot be resolved.", route_id)
    return full


def refresh_unreachable(context: WorkerContext) -> bool:
    """Find references to people whom no page reaches."""
    with context.database.write() as session:
        unreachable.refresh_unreachable(session, context.clock())
    return False


def refresh_double_duty(context: WorkerContext) -> bool:
    """Find policies that page somebody by two steps at once."""
    # Computing shifts takes long; on SQLite nobody else writes during a writing transaction.
    with context.database.read() as session:
        summaries = double_duty.find_outdated(session, context.clock())
    if summaries:
        with context.database.write() as session:
            double_duty.store_summaries(session, summaries)
    return False


def hourly_maintenance(context: WorkerContext) -> bool:
    """Prune ended sessions, failed logins, shift reminders, and rows past their retention."""
    idle = timedelta(seconds=context.settings.session_idle)
    lifetime = timedelta(seconds=context.settings.session_lifetime)
    with context.database.write() as session:
        login.prune_login_failures(session, context.clock(), idle=idle, lifetime=lifetime)
        shift_reminders.prune_reminders(session, context.clock())
        heartbeats.prune_clocks(session, context.clock())
    prune(context.settings, context.database, context.clock)
    return False


def prune(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    *,
    longest: timedelta | None = LONGEST_RUN,
) -> Mapping[str, int]:
    """Prune until nothing old is left or ``longest`` has passed; returns the counts by kind.

    The next run goes on where this one stopped. Each kind gets one batch before any
    gets a second.
    """
    started_at = clock()
    pruned = {kind.name: 0 for kind in retention.RETENTION_KINDS}
    waiting = list(retention.RETENTION_KINDS)
    while waiting and (longest is None or clock() - started_at < longest):
        for kind in tuple(waiting):
            with database.write(longest=LONGEST_BATCH) as session:
                count = retention.prune_old_rows(
                    session, kind, getattr(settings, kind.setting), clock()
                )
            pruned[kind.name] += count
            if count < kind.batch:
                waiting.remove(kind)
    counts = {name: count for name, count in pruned.items() if count}
    if counts:
        log.info("Pruned: %s", ", ".join(f"{count} {name}" for name, count in counts.items()))
    return counts
