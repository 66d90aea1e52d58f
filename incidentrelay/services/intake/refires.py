"""Applies refires that were held as possible late copies and that no resolve dropped.

``signals.refire_at`` is the due time. A hint wakes a worker at that instant; the sweep
every minute picks up refires whose hint got lost.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from incidentrelay.domain.intake.lateness import LATE_WINDOW
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.models import Signal
from incidentrelay.services.escalation.route_facts import accepts_route
from incidentrelay.services.intake import receive as intake_receive

log = logging.getLogger(__name__)

BATCH = 500


def due_route_ids(session: Session, now: datetime, *, limit: int) -> Sequence[int]:
    """The routes that have a refire to apply, in the order of their ids."""
    query = select(Signal.route_id).where(_is_due(now)).distinct()
    return [id for id in session.scalars(query.order_by(Signal.route_id).limit(limit)) if id]


def apply_refires(session: Session, route_id: int, now: datetime) -> int:
    """Apply the refires of a route that are due as if they arrived now; returns how many.

    Safe in parallel: the route is locked, and what is applied is held no longer.
    A route that was disabled meanwhile accepts nothing, and drops them.
    """
    facts = intake_receive.lock_facts(session, route_id, now)
    if facts is None:
        return 0
    query = select(Signal.id, Signal.refire).where(Signal.route_id == route_id, _is_due(now))
    rows = session.execute(query.order_by(Signal.refire_at, Signal.id).limit(BATCH)).all()
    if not rows:
        return 0
    # Whatever becomes of an item, it is due only once.
    session.execute(
        update(Signal)
        .where(Signal.id.in_([row.id for row in rows]))
        .values(refire=None, refire_at=None)
        .execution_options(synchronize_session=False)
    )
    if not accepts_route(facts.route):
        log.info("Route %s is disabled; %s held refires are dropped.", route_id, len(rows))
        return len(rows)
    items = [IncomingSignal.from_json(row.refire) for row in rows]
    intake_receive.apply_held(session, facts, items, now)
    return len(rows)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Nothing is held for longer than the window, unless our clock was set back."""
    due = or_(Signal.refire_at <= now, Signal.refire_at > now + LATE_WINDOW)
    return and_(Signal.route_id.is_not(None), due)
