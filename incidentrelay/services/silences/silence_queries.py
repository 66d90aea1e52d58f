"""Lists silences for the console, in a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.silences import silences as domain
from incidentrelay.models import Silence, Team
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.common import silence_timing

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class SilencePage:
    """``older`` is the ``before`` of the next page; None at the end."""

    silences: Sequence[Silence]
    older: int | None


@dataclass(frozen=True, slots=True)
class SilenceState:
    """``active`` until ``until``, else it starts at ``next``; without either it is over.

    ``unreadable``: its recurrence cannot be read, for example because its time zone no
    longer exists. It covers nothing.
    """

    active: bool
    until: datetime | None = None
    next: datetime | None = None
    unreadable: bool = False


def list_silences(
    session: Session,
    memberships: Memberships,
    *,
    over: bool,
    now: datetime,
    team_id: int | None = None,
    before: int | None = None,
) -> SilencePage:
    """One page of the ended silences, or of the current and future ones, newest first.

    Each has its team, group and creator loaded.
    """
    query = scope(select(Silence), Silence, memberships, Permission.VIEW)
    query = query.where(Silence.ends_at <= now if over else Silence.ends_at > now)
    if team_id is not None:
        query = query.where(Silence.team_id == team_id)
    if before is not None:
        query = query.where(Silence.id < before)
    query = query.options(
        joinedload(Silence.team).joinedload(Team.group), joinedload(Silence.created_by)
    )
    rows = session.scalars(query.order_by(Silence.id.desc()).limit(PAGE_SIZE + 1)).all()
    return SilencePage(rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None)


def silence_state(silence: Silence, now: datetime) -> SilenceState:
    """Whether the silence is in force, and when that changes."""
    try:
        timing = silence_timing.timing_of(silence)
    except InvalidInput:
        return SilenceState(False, unreadable=True)
    window = domain.active_at(timing, now)
    if window is not None:
        return SilenceState(True, until=window.end)
    return SilenceState(False, next=domain.next_start(timing, now))
