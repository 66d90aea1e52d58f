"""Lists alerts for the console, newest first, in a constant number of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.matchers import Matcher
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Group, GroupMember, Signal, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.alerts import search as alert_search

OPEN = (AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED)
PAGE_SIZE = 50
MAX_COUNT = 1000
# When the database cannot evaluate the matchers, scan at most this many rows per page.
_CHUNK, _CHUNKS = 500, 8
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
    """Each count stops at MAX_COUNT."""

    firing: int = 0
    acknowledged: int = 0
    resolved: int = 0

    @property
    def open(self) -> int:
        return self.firing + self.acknowledged


@dataclass(frozen=True, slots=True)
class AlertPage:
    """``older`` is the ``before`` of the next page; None at the end.

    ``counts`` apply the part of the search that the database can evaluate: with regular
    expressions they are upper bounds.
    """

    alerts: tuple[Alert, ...]
    signals: dict[int, int]
    counts: AlertCounts
    older: int | None


def list_alerts(session: Session, memberships: Memberships, wanted: AlertFilter) -> AlertPage:
    """One page of the alerts that ``memberships`` may see.

    Each has its team, group and assignee loaded. Raises BadMatchers for ``query``.
    """
    matchers, title = alert_search.parse_query(wanted.query) if wanted.query else ((), "")
    filters: dict[str, Any] = {"matchers": matchers}
    filters |= {"title": title} if title else {}
    filters |= {"team": wanted.team} if wanted.team else {}

    def narrowed(statement: Any) -> Select[Any]:
        visible = scope(statement, Alert, memberships, Permission.VIEW)
        return alert_search.apply_filter(visible, filters)

    statement = narrowed(select(Alert)).options(
        joinedload(Alert.team).joinedload(Team.group), joinedload(Alert.assignee)
    )
    statuses = OPEN if wanted.status is None else (wanted.status,)
    statement = statement.where(Alert.status.in_(statuses)).order_by(Alert.id.desc())
    alerts, older = _page(session, statement, wanted.before, matchers)
    return AlertPage(
        alerts=tuple(alerts),
        signals=count_signals(session, [alert.id for alert in alerts]),
        counts=_counts(session, narrowed(select(Alert.id))),
        older=older,
    )


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


def _counts(session: Session, statement: Select[Any]) -> AlertCounts:
    """Counts the alerts of each status up to MAX_COUNT, because the list polls this."""
    row = session.execute(
        select(
            *(
                select(func.count())
                .select_from(statement.where(Alert.status == status).limit(MAX_COUNT).subquery())
                .scalar_subquery()
                .label(str(status))
                for status in AlertStatus
            )
        )
    ).one()
    return AlertCounts(**row._asdict())


def _page(
    session: Session,
    statement: Select[Any],
    before: int | None,
    matchers: Sequence[Matcher],
) -> tuple[Sequence[Alert], int | None]:
    """The rows of a page and where the next one begins."""
    sifts = alert_search.needs_sifting(matchers)
    size, rounds = (_CHUNK, _CHUNKS) if sifts else (PAGE_SIZE + 1, 1)
    shown: list[Alert] = []
    for _ in range(rounds):
        limited = statement.limit(size)
        rows = session.scalars(limited if before is None else limited.where(Alert.id < before))
        alerts = list(rows)
        ids = {alert.id for alert in alerts}
        kept = alert_search.sift_alerts(session, ids, matchers) if sifts else ids
        for alert in alerts:
            if len(shown) == PAGE_SIZE:
                return shown, before
            before = alert.id
            if alert.id in kept:
                shown.append(alert)
        if len(alerts) < size:
            return shown, None
    return shown, before
