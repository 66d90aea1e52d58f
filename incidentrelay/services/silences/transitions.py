"""The beginning and end of silences, when their time has come.

``silences.next_change_at`` says when that is. A hint wakes a worker at that instant,
and the sweep of every minute makes good for hints that got lost.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.silences import silences as domain
from incidentrelay.models import Silence
from incidentrelay.services.common import silence_timing
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.silences import silences


def due_team_ids(session: Session, now: datetime, *, limit: int) -> Sequence[int]:
    """The teams in which a silence begins or ends by ``now``."""
    query = select(Silence.team_id).where(Silence.next_change_at <= now)
    return sorted(set(session.scalars(query)))[:limit]


def apply_transitions(session: Session, team_id: int, now: datetime) -> int:
    """Cover what the team's silences cover from now on, and page what they covered.

    Returns how many silences changed. Safe in parallel: on PostgreSQL silences that
    another worker holds are passed over, and SQLite has one writer at a time.
    """
    due = (
        select(Silence)
        .where(Silence.team_id == team_id, Silence.next_change_at <= now)
        .order_by(Silence.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = session.scalars(due).all()
    for row in rows:
        # One that is not understood any more covers nothing, and stays due until it is.
        with suppress(InvalidInput):
            following = domain.next_change(silence_timing.timing_of(row), now)
            silences.set_next_change(session, row, following)
    if rows:
        escalation_runner.reconsider(session, team_id, now=now)
    return len(rows)
