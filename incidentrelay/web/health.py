"""``/healthz``: the process is running. ``/readyz``: it can work."""

from datetime import datetime
from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy.exc import SQLAlchemyError

from incidentrelay.services.common import heartbeats
from incidentrelay.services.operations import health

# Workers report a heartbeat at every sweep, at most a minute apart.


def live(_request: Any) -> dict[str, Any]:
    return {"status": "ok"}


def ready(request: Any) -> dict[str, Any]:
    """503 if the database is unreachable or of another version.

    A missing worker heartbeat is reported, but does not change the status.
    """
    database = request.registry["database"]
    try:
        fits, revision, needed = request.registry["schema"](database)
        if not fits:
            return _unfit(request, revision, needed)
        with database.read() as session:
            report = health.check_health(session, request.now)
    except SQLAlchemyError:
        request.response.status_int = 503
        return {"status": "unavailable", "database": False}
    seen = report.worker_seen_at
    return {
        "status": "ok",
        "database": True,
        "schema": True,
        "worker": not heartbeats.is_silent(seen, request.now),
        "worker_seen_at": _shown(seen),
        "overdue_since": _shown(report.overdue_since),
    }


def _unfit(request: Any, revision: str | None, needed: str) -> dict[str, Any]:
    request.response.status_int = 503
    return {
        "status": "unavailable",
        "database": True,
        "schema": False,
        "revision": revision,
        "needed": needed,
    }


def _shown(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def includeme(config: Any) -> None:
    for name, view in (("healthz", live), ("readyz", ready)):
        config.add_route(name, f"/{name}")
        config.add_view(
            view,
            route_name=name,
            renderer="api",
            request_method="GET",
            permission=NO_PERMISSION_REQUIRED,
        )
