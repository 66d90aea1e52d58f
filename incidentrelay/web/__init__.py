"""The web application: security, the tree of resources, the API and the console.

Nothing below this package depends on requests. A request reads the clock once, has one
transaction (read-only for GET and HEAD), and is retried if it conflicts with another
transaction.
"""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

import zope.sqlalchemy
from sqlalchemy.orm import Session
from zope.sqlalchemy.datamanager import STATUS_ACTIVE, STATUS_CHANGED

from incidentrelay.web.resources.root import Root
from incidentrelay.web.security.route_tokens import is_intake

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# A POST to these only reads. The names are reserved: no row has them.
_QUESTIONS = frozenset({"preview"})
ATTEMPTS = 5


def request_id(request: Any) -> str:
    """The proxy's request id if it is well-formed, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if _ID.fullmatch(given) else uuid4().hex


def request_now(request: Any) -> datetime:
    """The one instant that the whole request uses as now."""
    now: datetime = request.registry["clock"]()
    return now


def _only_reads(request: Any) -> bool:
    """Whether the request is read-only and needs no writing transaction."""
    last = request.path_info.rstrip("/").rpartition("/")[2]
    return request.method in _READING or (request.method == "POST" and last in _QUESTIONS)


def request_db(request: Any) -> Session:
    """The session of the request's transaction; ``request.tm`` ends it."""
    database = request.registry["database"]
    reads = _only_reads(request)
    session: Session = database.reader() if reads else database.writer()
    # It cannot see statements that address a table directly, and would roll them back.
    state = STATUS_ACTIVE if reads else STATUS_CHANGED
    zope.sqlalchemy.register(session, initial_state=state, transaction_manager=request.tm)
    request.add_finished_callback(lambda _request: session.close())
    return session


def needs_transaction(request: Any) -> bool:
    """Whether ``request.db`` is used; intake with a route's token has its own transactions."""
    return not is_intake(request)


def attempts(request: Any) -> int | None:
    """1 for bodies that are too large to be read again from memory; None: ATTEMPTS."""
    if is_intake(request):
        return 1
    length, limit = request.content_length, request.registry["settings"].intake_max_body
    # No temporary files, because nothing closes them before garbage collection.
    request.request_body_tempfile_limit = limit + 1
    if length is None:
        return 1 if request.environ.get("wsgi.input_terminated") else None
    return 1 if length > limit else None


def includeme(config: Any) -> None:
    config.add_settings(
        {
            "tm.manager_hook": "pyramid_tm.explicit_manager",
            "tm.activate_hook": needs_transaction,
            "tm.annotate_user": False,
            "retry.attempts": ATTEMPTS,
            "retry.activate_hook": attempts,
        }
    )
    config.include("pyramid_tm")
    config.include("pyramid_retry")
    config.include("pyramid_sanity")
    config.add_tween("incidentrelay.web.tweens.bad_requests")
    config.add_tween("incidentrelay.web.tweens.headers")
    config.set_root_factory(Root)
    config.add_request_method(request_id, "id", reify=True)
    config.add_request_method(request_now, "now", reify=True)
    config.add_request_method(request_db, "db", reify=True)
    config.include("incidentrelay.web.security")
    config.include("incidentrelay.web.api")
    config.include("incidentrelay.web.console")
    config.include("incidentrelay.web.health")
    config.include("incidentrelay.web.feeds")
    config.include("incidentrelay.web.metrics")
