"""Starts and ends silences: those of one team after a hint, or all that are due."""

import logging

from incidentrelay.services.silences import transitions as silence_transitions
from incidentrelay.tasks.context import BATCH, WorkerContext

log = logging.getLogger(__name__)


def apply_team_silences(context: WorkerContext, team_id: int) -> int:
    """Start and end the silences of one team that are due."""
    with context.database.write() as session:
        return silence_transitions.apply_transitions(session, team_id, context.clock())


def apply_due_silences(context: WorkerContext) -> bool:
    """Start and end silences; returns whether more teams may be due."""
    with context.database.read() as session:
        due = silence_transitions.due_team_ids(session, context.clock(), limit=BATCH)
    count = 0
    for team_id in due:
        try:
            apply_team_silences(context, team_id)
            count += 1
        except Exception:
            log.exception("The silences of team %s could not be applied.", team_id)
    return count > 0 and len(due) == BATCH
