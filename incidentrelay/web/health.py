"""``/healthz``: the process is running. ``/readyz``: it can work."""

import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy.exc import SQLAlchemyError

from incidentrelay.db import Database
from incidentrelay.services.common import heartbeats
from incidentrelay.services.operations import health

log = logging.getLogger(__name__)

TRIAL_EVERY = timedelta(seconds=5)


class WriteTrial:
    """Whether the database accepts a write, tried at most every TRIAL_EVERY."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_at: datetime | None = None
        self._works = True

    def __call__(self, database: Database, now: datetime) -> bool:
        # During a trial, other requests answer with the last result.
        if self._lock.acquire(blocking=False):
            try:
                # A longer pause means that the clock was set back.
                if self._next_at is None or not now < self._next_at <= now + TRIAL_EVERY:
                    self._works = _takes_write(database, now)
                    self._next_at = now + TRIAL_EVERY
            finally:
                self._lock.release()
        return self._works


def _takes_write(database: Database, now: datetime) -> bool:
    try:
        with database.write() as session:
            health.try_write(session, now)
            heartbeats.record_clock(session, socket.gethostname(), now)
    except SQLAlchemyError:
        log.exception("The database takes no write.")
        return False
    return True


def live(_request: Any) -> dict[str, Any]:
    return {"status": "ok"}


def ready(request: Any) -> dict[str, Any]:
    """503 if the database is unavailable, has another version, or accepts no writes.

    A silent worker is reported, but is no reason for a 503.
    """
    database = request.registry["database"]
    try:
        fits, revision, needed = request.registry["schema"](database)
        if not fits:
            return _unavailable(request, schema=False, revision=revision, needed=needed)
        with database.read() as session:
            report = health.check_health(session, request.now)
    except SQLAlchemyError:
        return _unavailable(request, database=False)
    if not request.registry["write_trial"](database, request.now):
        return _unavailable(request, schema=True, writable=False)
    seen = report.worker_seen_at
    return {
        "status": "ok",
        "database": True,
        "schema": True,
        "writable": True,
        "worker": not heartbeats.is_silent(seen, request.now),
        "worker_seen_at": _shown(seen),
        "overdue_since": _shown(report.overdue_since),
        "blocked_since": _shown(report.blocked_since),
        "clock_offset": report.clock_offset,
    }


def _unavailable(request: Any, *, database: bool = True, **facts: Any) -> dict[str, Any]:
    request.response.status_int = 503
    return {"status": "unavailable", "database": database, **facts}


def _shown(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def includeme(config: Any) -> None:
    config.registry["write_trial"] = WriteTrial()
    for name, view in (("healthz", live), ("readyz", ready)):
        config.add_route(name, f"/{name}")
        config.add_view(
            view,
            route_name=name,
            renderer="api",
            request_method="GET",
            permission=NO_PERMISSION_REQUIRED,
        )
