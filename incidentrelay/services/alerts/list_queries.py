"""Lists alerts for the console, newest first, in a constant number of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Group, GroupMember, Signal, Team, User
from incidentrelay.services.access.visibility import Memberships, scope, team_ids
from incidentrelay.services.alerts import scan
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.alerts.search import AlertSearch

OPEN = (AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED)
PAGE_SIZE = 50
MAX_COUNT = 1000
_MOST_TEAMS = _MOST_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Filters of the list. ``status`` None means open: firing and acknowledged.

    ``query`` is matchers or part of a title, ``team`` a slug. The page holds ids
    below ``before``.
    """

    status: AlertStatus | None = None
    query: str = ""
    team: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """Each count stops at MAX_COUNT; None: too many alerts would have to be searched."""

    firing: int | None = 0
    acknowledged: int | None = 0
    resolved: int | None = 0

    @property
    def open(self) -> int | None:
        if self.firing is None or self.acknowledged is None:
            return None
        return self.firing + self.acknowledged


@dataclass(frozen=True, slots=True)
class AlertPage:
    """``older`` is the ``before`` of the next page; None at the end.

    ``searched_to``: the search stopped at this time; there may be older alerts that match.
    """

    alerts: tuple[Alert, ...]
    signals: dict[int, int]
    counts: AlertCounts
    older: int | None
    searched_to: datetime | None = None


def list_alerts(session: Session, memberships: Memberships, wanted: AlertFilter) -> AlertPage:
    """One page of the alerts that ``memberships`` may see.

    Each has its team, group and assignee loaded. Raises BadMatchers for ``query``.
    """
    matchers, title = alert_search.parse_query(wanted.query) if wanted.query else ((), "")
    filters: dict[str, Any] = {"matchers": matchers}
    filters |= {"title": title} if title else {}
    filters |= {"team": wanted.team} if wanted.team else {}
    teams = team_ids(memberships, Permission.VIEW)
    everything = alert_search.build_search(session, teams, filters)
    statuses = OPEN if wanted.status is None else (wanted.status,)
    after = None if wanted.before is None else (wanted.before, wanted.before)
    found = scan.scan_alerts(
        session, replace(everything, statuses=statuses), limit=PAGE_SIZE, after=after
    )
    return AlertPage(
        alerts=load_alerts(session, found.ids),
        signals=count_signals(session, found.ids),
        counts=_counts(session, everything),
        # Both places that a scan returns are before the ids below their value.
        older=None if found.resume is None else found.resume[0],
        searched_to=found.searched_to,
    )


def load_alerts(session: Session, ids: Sequence[int]) -> tuple[Alert, ...]:
    """The alerts with these ids, in this order, with team, group and assignee."""
    if not ids:
        return ()
    query = select(Alert).where(Alert.id.in_(ids))
    query = query.options(joinedload(Alert.team).joinedload(Team.group), joinedload(Alert.assignee))
    alerts = {alert.id: alert for alert in session.scalars(query)}
    return tuple(alerts[row_id] for row_id in ids if row_id in alerts)


def count_open_alerts(session: Session, memberships: Memberships) -> int:
    """Counts the visible open alerts."""
    query = select(func.count()).select_from(Alert).where(Alert.status.in_(OPEN))
    return session.scalar(scope(query, Alert, memberships, Permission.VIEW)) or 0


def list_teams(session: Session, memberships: Memberships) -> list[Team]:
    """The visible active teams with their groups, by name."""
    query = (
        select(Team)
        .join(Team.group)
        .options(contains_eager(Team.group))
        .where(Team.active, Group.active)
        .order_by(Group.name, Team.name, Team.id)
        .limit(_MOST_TEAMS)
    )
    return list(session.scalars(scope(query, Team, memberships, Permission.VIEW)))


def list_assignees(session: Session, alerts: Collection[Alert]) -> list[User]:
    """The active members of the groups of these alerts, by name."""
    groups = {alert.team.group_id for alert in alerts}
    if not groups:
        return []
    members = select(GroupMember.user_id).where(GroupMember.group_id.in_(groups))
    query = select(User).where(User.id.in_(members), User.active)
    query = query.order_by(User.display_name, User.id).limit(_MOST_PEOPLE)
    return list(session.scalars(query))


def count_signals(session: Session, alert_ids: Collection[int]) -> dict[int, int]:
    """How many signals, firing or not, make up each alert."""
    if not alert_ids:
        return {}
    query = (
        select(Signal.alert_id, func.count())
        .where(Signal.alert_id.in_(alert_ids))
        .group_by(Signal.alert_id)
    )
    return dict(session.execute(query).all())


def _counts(session: Session, search: AlertSearch) -> AlertCounts:
    """Counts the alerts of each status, in one statement, because the list polls this.

    With conditions, all candidates have to be looked at: too many are not counted.
    """
    if search.sifted:
        return AlertCounts(None, None, None)
    columns: list[Any] = []
    for status in AlertStatus:
        of_status = replace(search, statuses=(status,))
        found, _ = scan.find_candidates(of_status, scan.NEWEST_FIRST)
        few = found.limit(MAX_COUNT)
        columns.append(select(func.count()).select_from(few.subquery()).scalar_subquery())
        if search.conditions:
            query = select(Alert.id).where(Alert.id.in_(few), Alert.status == status)
            query = query.where(*search.conditions)
            columns.append(select(func.count()).select_from(query.subquery()).scalar_subquery())
    row = session.execute(select(*columns)).one()
    if not search.conditions:
        return AlertCounts(*row)
    pairs = zip(row[::2], row[1::2], strict=True)
    return AlertCounts(*(None if looked >= MAX_COUNT else count for looked, count in pairs))
