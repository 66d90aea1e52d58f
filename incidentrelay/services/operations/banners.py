"""Collects current problems of the installation for the console's banners."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.enums import AlertStatus, EventKind
from incidentrelay.domain.oncall.shifts import on_call
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Event, Group, Rotation, Route, Team
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.channels.config import ChannelRegistry
from incidentrelay.services.common import heartbeats
from incidentrelay.services.common.heartbeats import WrongClock
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.delivery import outages
from incidentrelay.services.delivery.outages import Outage
from incidentrelay.services.escalation import double_duty
from incidentrelay.services.escalation.double_duty import DoubleDutyWarning
from incidentrelay.services.oncall import boundaries, schedules
from incidentrelay.services.operations import unreachable
from incidentrelay.services.operations.unreachable import UnreachableReference

# Workers send a heartbeat at every sweep, at most a minute apart.
_MOST_ROTATIONS = 300


@dataclass(frozen=True, slots=True)
class SystemBanners:
    """``uncovered`` rotations (with their teams) receive alerts but have no one on call.

    ``exhausted`` is the number of firing alerts whose plan has ended without a reaction.
    ``worker_missing`` means that nothing is sent; ``worker_seen_at`` None: never seen.
    ``failed`` notifications are those of alerts that have not changed since. ``clocks`` of
    workers are so wrong that pages are late. ``unreachable`` are people named by a schedule,
    policy or team whom no page reaches. ``double_duty`` are policies that the reader may
    edit and that page one person by two steps at once.
    """

    uncovered: tuple[Rotation, ...]
    exhausted: int
    worker_missing: bool
    worker_seen_at: datetime | None
    broken: tuple[Outage, ...]
    failed: int
    clocks: tuple[WrongClock, ...]
    unreachable: tuple[UnreachableReference, ...]
    double_duty: tuple[DoubleDutyWarning, ...]


def load_banners(
    session: Session, memberships: Memberships, registry: ChannelRegistry, now: datetime
) -> SystemBanners:
    """The problems that ``memberships`` may see, in a constant number of statements."""
    seen_at = heartbeats.last_heartbeat(session, heartbeats.WORKER)
    return SystemBanners(
        uncovered=_uncovered(session, memberships, now),
        exhausted=count_exhausted_alerts(session, memberships),
        worker_missing=heartbeats.is_silent(seen_at, now),
        worker_seen_at=seen_at,
        broken=outages.list_outages(session, memberships, registry),
        failed=failed_notifications.count_open_failures(session, memberships),
        clocks=tuple(heartbeats.list_wrong_clocks(session, now)),
        unreachable=tuple(unreachable.list_unreachable(session, memberships)),
        double_duty=tuple(double_duty.list_warnings(session, memberships, now)),
    )


def _uncovered(session: Session, memberships: Memberships, now: datetime) -> tuple[Rotation, ...]:
    used = exists().where(Route.rotation_id == Rotation.id, Route.enabled)
    query = (
        select(Rotation)
        .join(Team, Team.id == Rotation.team_id)
        .join(Group, Group.id == Team.group_id)
        .where(Rotation.enabled, Team.active, Group.active, used)
        .where(or_(boundaries.is_due(now), Rotation.covered.is_(False)))
        .options(joinedload(Rotation.team))
        .order_by(Rotation.id)
        .limit(_MOST_ROTATIONS)
    )
    rotations = list(session.scalars(scope(query, Rotation, memberships, Permission.VIEW)))
    due = [row.id for row in rotations if not row.next_boundary_at or row.next_boundary_at <= now]
    loaded = schedules.load_schedules(session, due)
    return tuple(
        rotation
        for rotation in rotations
        if rotation.id not in loaded or on_call(loaded[rotation.id], now) is None
    )


def count_exhausted_alerts(session: Session, memberships: Memberships) -> int:
    """Firing alerts whose plan has ended without a reaction."""
    ended = exists().where(Event.alert_id == Alert.id, Event.kind == EventKind.ESCALATION_EXHAUSTED)
    # Restarting a plan sets wake_at, so earlier exhaustions do not count.
    query = select(func.count()).where(
        Alert.status == AlertStatus.FIRING,
        Alert.wake_at.is_(None),
        Alert.quiet_until.is_(None),
        ended,
    )
    return session.scalar(scope(query, Alert, memberships, Permission.VIEW)) or 0
