"""Starts and ends silences when they are due.

``silences.next_change_at`` is the due time. A hint wakes a worker at that instant; the
sweep every minute picks up silences whose hint got lost.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.silences import silences as domain
from incidentrelay.models import Silence
from incidentrelay.services.common import silence_timing
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.silences import silences

log = logging.getLogger(__name__)


def due_team_ids(session: Session, now: datetime, *, limit: int) -> Sequence[int]:
    """The teams that have a silence starting or ending by ``now``."""
    query = (
        select(Silence.team_id)
        .where(Silence.next_change_at <= now)
        .distinct()
        .order_by(Silence.team_id)
        .limit(limit)
    )
    return session.scalars(query).all()


def apply_transitions(session: Session, team_id: int, now: datetime) -> int:
    """Silence and unsilence the team's alerts; returns how many silences were due.

    Safe in parallel: PostgreSQL skips silences that another worker holds, and SQLite has
    one writer at a time.
    """
    due = (
        select(Silence)
        .where(Silence.team_id == team_id, Silence.next_change_at <= now)
        .order_by(Silence.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = session.scalars(due).all()
    for row in rows:
        silences.set_next_change(session, row, _next_change(row, now))
    if rows:
        escalation_runner.reconsider(session, team_id, now=now)
    return len(rows)


def _next_change(silence: Silence, now: datetime) -> datetime | None:
    """When the silence changes next. None if never, or if its recurrence cannot be read.

    Without a time it is not due again until somebody edits it; its page shows a warning.
    """
    try:
        return domain.next_change(silence_timing.timing_of(silence), now)
    except InvalidInput as error:
        log.warning("Silence %s is unreadable and covers nothing: %s", silence.id, error.errors)
        return None
