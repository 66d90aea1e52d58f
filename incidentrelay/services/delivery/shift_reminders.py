"""E-mails to people whose shift begins or ends.

A sweep covers the time since the last sweep and a little before it, for changes that
were committed late. Each edge of a shift gets one row, unique in the database, in the
transaction that queues its e-mail. After a long break, reminders that are too late are
dropped.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import PROFILE
from incidentrelay.domain.enums import (
    AlertStatus,
    NotificationKind,
    Severity,
    ShiftEdge,
)
from incidentrelay.domain.local_time import zone_names, zone_of
from incidentrelay.domain.messages import Message
from incidentrelay.domain.oncall.periods import ShiftBoundary, end_of_period, shift_boundaries
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import on_call
from incidentrelay.models import Group, Heartbeat, Rotation, ShiftReminder, Team, User
from incidentrelay.services.common import heartbeats
from incidentrelay.services.oncall import boundaries, schedules
from incidentrelay.services.outbox import personal as personal_messages
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.recipients.directory import Recipient

HEARTBEAT = "shift-reminders"
STARTED = "shift-reminders-begun"
TOO_LATE = timedelta(hours=1)
_OVERLAP = timedelta(minutes=5)
_KEPT = timedelta(days=30)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _DueEdge:
    rotation: Rotation
    schedule: Schedule
    edge: ShiftBoundary


def send_due_reminders(session: Session, now: datetime) -> int:
    """Queue the e-mails of all boundaries since the last sweep; returns their number.

    The very first sweep only records its time.
    """
    after = _look(session, now)
    if after is None:
        return 0
    edges = _edges(session, after, now)
    users = _people(session, edges)
    outbox = [row for one in edges if (row := _mail(one, users, now)) is not None]
    db.insert_all(session, ShiftReminder, [_row(one, users, now) for one in edges])
    outbox_queue.write_rows(session, outbox)
    return len(outbox)


def prune_reminders(session: Session, now: datetime) -> None:
    """Delete records that no sweep looks back to."""
    session.execute(
        delete(ShiftReminder)
        .where(ShiftReminder.at < now - _KEPT)
        .execution_options(synchronize_session=False)
    )


def _look(session: Session, now: datetime) -> datetime | None:
    """The start of the sweep; None if there is nothing to do. Other workers wait meanwhile."""
    names = (STARTED, HEARTBEAT)
    query = select(Heartbeat).where(Heartbeat.name.in_(names)).order_by(Heartbeat.name)
    rows = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    swept = {row.name: row.at for row in rows}
    if STARTED not in swept or HEARTBEAT not in swept:
        for name in names:
            heartbeats.record_heartbeat(session, name, now)
        return None
    if now <= swept[HEARTBEAT]:
        return None
    heartbeats.record_heartbeat(session, HEARTBEAT, now)
    if now - swept[HEARTBEAT] > TOO_LATE:
        log.warning("Shift reminders from before %s are too late and were dropped.", now - TOO_LATE)
    return max(swept[STARTED], swept[HEARTBEAT] - _OVERLAP, now - TOO_LATE)


def _edges(session: Session, after: datetime, now: datetime) -> list[_DueEdge]:
    """The edges without a record."""
    query = (
        select(Rotation)
        .join(Rotation.team)
        .join(Group, Group.id == Team.group_id)
        .where(Rotation.enabled, Team.active, Group.active, boundaries.is_due(now))
        .options(joinedload(Rotation.team))
        .order_by(Rotation.id)
    )
    rotations = {rotation.id: rotation for rotation in session.scalars(query)}
    loaded = schedules.load_schedules(session, list(rotations))
    boundaries.store_boundaries(session, rotations.values(), loaded, now)
    columns = select(
        ShiftReminder.rotation_id, ShiftReminder.user_id, ShiftReminder.edge, ShiftReminder.at
    ).where(ShiftReminder.at > after)
    done = set(session.execute(columns).all())
    return [
        _DueEdge(rotations[rotation_id], schedule, edge)
        for rotation_id, schedule in loaded.items()
        for edge in shift_boundaries(schedule, after, now)
        if (rotation_id, edge.user_id, edge.edge, edge.at) not in done
    ]


def _people(session: Session, edges: Sequence[_DueEdge]) -> dict[int, User]:
    """The people whose shift begins or ends, and those who follow them."""
    ids = {one.edge.user_id for one in edges}
    for one in edges:
        shift = on_call(one.schedule, _until(one))
        ids |= {shift.user_id} if shift else set()
    query = select(User).where(User.id.in_(ids))
    return {user.id: user for user in session.scalars(query)} if ids else {}


def _until(one: _DueEdge) -> datetime:
    """When the next person takes over."""
    ends = one.edge.edge is ShiftEdge.END
    return one.edge.at if ends else end_of_period(one.schedule, one.edge.at)


def _wants(user: User, edge: ShiftEdge) -> bool:
    wanted = user.shift_start_reminder if edge is ShiftEdge.START else user.shift_end_reminder
    return bool(user.active and user.email and wanted)


def _row(one: _DueEdge, users: Mapping[int, User], now: datetime) -> dict[str, Any]:
    edge = one.edge
    return {
        "rotation_id": one.rotation.id,
        "user_id": edge.user_id,
        "edge": edge.edge,
        "at": edge.at,
        "notified": _wants(users[edge.user_id], edge.edge),
        "created_at": now,
    }


def _mail(one: _DueEdge, users: Mapping[int, User], now: datetime) -> dict[str, Any] | None:
    edge, user = one.edge, users[one.edge.user_id]
    if not _wants(user, edge.edge):
        return None
    uid = f"shift-{one.rotation.id}-{user.id}-{edge.edge}-{edge.at:%Y%m%dT%H%M%S%f}"
    address = Recipient(f"user:{user.id}:{PROFILE}", PROFILE, user.display_name, user_id=user.id)
    message = _message(one, user, users).to_json()
    shift = NotificationKind.SHIFT
    row = personal_messages.personal_row(address, uid, shift, message, due=now, now=now)
    return {**row, "team_id": one.rotation.team_id}


def _message(one: _DueEdge, user: User, users: Mapping[int, User]) -> Message:
    until = _until(one)
    following = on_call(one.schedule, until)
    name = users[following.user_id].display_name if following else "Nobody"
    place = f"{one.rotation.team.name} · {one.rotation.name}"
    if one.edge.edge is ShiftEdge.START:
        headline, title = "Your shift begins", f"You are on call for {place}"
        lines = [f"Until: {_clock(until, user)}", f"Next: {name}"]
    else:
        headline, title = "Your shift ends", f"You are no longer on call for {place}"
        lines = [f"Since: {_clock(until, user)}", f"On call now: {name}"]
    return Message(
        kind=NotificationKind.SHIFT,
        headline=headline,
        title=title,
        severity=Severity.INFO,
        status=AlertStatus.RESOLVED,
        team=one.rotation.team.name,
        description="\n".join(lines),
    )


def _clock(at: datetime, user: User) -> str:
    """A time in the person's own zone."""
    zone = user.zone if user.zone in zone_names() else "UTC"
    return f"{at.astimezone(zone_of(zone)):%A, %d %B %Y, %H:%M} ({zone})"
