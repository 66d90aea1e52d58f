"""Forgetting what is old: batch after batch, for a bounded time."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from incidentrelay.db import Database
from incidentrelay.services.operations import retention
from incidentrelay.settings import Settings

log = logging.getLogger(__name__)

LONGEST = timedelta(seconds=30)


def run(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    *,
    longest: timedelta | None = LONGEST,
) -> Mapping[str, int]:
    """Forget until nothing old is left or ``longest`` is over; how many went, by kind.

    What is left over goes the next time; each kind gets a turn before any gets a second.
    """
    began = clock()
    gone = {kind.name: 0 for kind in retention.RETENTION_KINDS}
    waiting = list(retention.RETENTION_KINDS)
    while waiting and (longest is None or clock() - began < longest):
        for kind in tuple(waiting):
            with database.write() as session:
                count = retention.prune_old_rows(
                    session, kind, getattr(settings, kind.setting), clock()
                )
            gone[kind.name] += count
            if count < kind.batch:
                waiting.remove(kind)
    found = {name: count for name, count in gone.items() if count}
    if found:
        log.info("Forgotten: %s", ", ".join(f"{count} {name}" for name, count in found.items()))
    return found
