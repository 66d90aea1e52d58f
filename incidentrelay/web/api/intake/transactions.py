"""The transactions of intake with a route's token, which have no part in ``pyramid_tm``.

Requests share a transaction if their routes are free. A request whose route is locked waits
for it in a transaction of its own, so that a stuck route holds up no other.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.db import Database
from incidentrelay.domain.errors import NotAllowed, Unavailable
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.group_commit import GroupCommit
from incidentrelay.services.escalation.route_facts import RouteFacts, accepts_route, accepts_token
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.receive import (
    IntakeRequestBody,
    ItemVerdict,
    ReceivedRequest,
)
from incidentrelay.web.errors import LOCKED

STUCK_FOR = timedelta(seconds=5)
BRIEFLY = timedelta(milliseconds=300)
# Requests with more items would hold up those beside them.
MOST_SHARED_ITEMS = 200
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """One request with the token (by its digest) of a route."""

    route_id: int
    digest: bytes
    items: Sequence[SignalItem]
    raw: IntakeRequestBody

    def is_allowed(self, facts: RouteFacts, now: datetime) -> bool:
        """Whether the token still is the route's, and the route accepts alerts."""
        return accepts_route(facts.route) and accepts_token(facts.route, self.digest, now)


class IntakeTransactions:
    """Receives the requests of one process. ``parts`` are its components by name."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._parts = parts
        self._group = GroupCommit(self._receive_together, self._receive_alone)

    @property
    def _database(self) -> Database:
        database: Database = self._parts["database"]
        return database

    def _now(self) -> datetime:
        now: datetime = self._parts["clock"]()
        return now

    def receive(self, request: RouteRequest) -> Sequence[ItemVerdict]:
        """Commit the request, and return its verdicts.

        Raises NotAllowed if the token is no longer valid, and Unavailable if the route is not
        free in time.
        """
        if len(request.items) > MOST_SHARED_ITEMS:
            return self._receive_alone(request)
        return self._group.serve(request)

    def _receive_together(
        self, requests: Sequence[RouteRequest]
    ) -> list[Sequence[ItemVerdict] | Exception | None]:
        now = self._now()
        try:
            with self._database.write() as session:
                ids = {request.route_id for request in requests}
                free = intake_receive.lock_free_routes(session, ids, now)
                for route_id in free:
                    db.process_memory(session, "stuck routes").pop(route_id, None)
                ready = [
                    each
                    for each in requests
                    if each.route_id in free and each.is_allowed(free[each.route_id], now)
                ]
                verdicts = intake_receive.receive_requests(
                    session,
                    [ReceivedRequest(free[each.route_id], each.items, each.raw) for each in ready],
                    now,
                )
        except DBAPIError as error:
            if db.is_unavailable(error) and not db.is_locked(error):
                return [error] * len(requests)
            raise
        answers = {id(each): own for each, own in zip(ready, verdicts, strict=True)}
        return [answers.get(id(each)) for each in requests]

    def _receive_alone(self, request: RouteRequest) -> Sequence[ItemVerdict]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._database.write() as session:
                    facts = self._lock_route(session, request.route_id)
                    if not request.is_allowed(facts, self._now()):
                        raise NotAllowed("This token was replaced.")
                    return intake_receive.receive_request(
                        session, facts, request.items, request.raw, self._now()
                    )
            except DBAPIError as error:
                if attempt == _ATTEMPTS or not db.is_deadlock(error):
                    raise
        raise AssertionError("the last attempt raises")

    def _lock_route(self, session: Session, route_id: int) -> RouteFacts:
        """Lock the route; raises Unavailable if it is not free in time.

        A machine that froze may hold it. Once a request has waited in vain, those of the next
        STUCK_FOR wait only for BRIEFLY: otherwise they would use up the threads that the alerts
        of other routes need.
        """
        now, stuck = self._now(), db.process_memory(session, "stuck routes")
        brief = now < stuck.get(route_id, now)
        limit = db.waiting_at_most(session, BRIEFLY) if brief else nullcontext()
        try:
            with limit:
                facts = intake_receive.lock_route(session, route_id, now)
        except (OperationalError, db.Locked) as error:
            if isinstance(error, db.Locked) or db.is_locked(error):
                stuck[route_id] = self._now() + STUCK_FOR
                raise Unavailable(LOCKED) from error
            raise
        stuck.pop(route_id, None)
        return facts
