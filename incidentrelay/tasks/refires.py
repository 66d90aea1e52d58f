"""Applies refires that were held: those of one route when hinted at, or all that are due."""

import logging

from incidentrelay.services.intake import refires
from incidentrelay.tasks.context import BATCH, WorkerContext

log = logging.getLogger(__name__)


def apply_route_refires(context: WorkerContext, route_id: int) -> int:
    """Apply the refires of one route that are due."""
    with context.database.write() as session:
        return refires.apply_refires(session, route_id, context.clock())


def apply_due_refires(context: WorkerContext) -> bool:
    """Apply refires, route by route; returns whether more may be due."""
    with context.database.read() as session:
        due = refires.due_route_ids(session, context.clock(), limit=BATCH)
    full = False
    for route_id in due:
        try:
            full |= apply_route_refires(context, route_id) == refires.BATCH
        except Exception:
            log.exception("The held refires of route %s could not be applied.", route_id)
    return full or len(due) == BATCH
