"""Finds one page of a list of alerts without reading all alerts.

The list is read in windows of its sort column. An index finds the candidates in a window,
and the other conditions are evaluated on these rows only. So a page costs the same however
many alerts there are. A search that has looked at enough candidates stops and says where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from incidentrelay.domain.alerts.search_windows import CAP, SearchWindows
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Alert, AlertLabel, Team
from incidentrelay.services.alerts.search import AlertSearch, sift_alerts

# The most candidates of one page; fewer if Python evaluates the matchers.
BUDGET, SIFTED_BUDGET = 10_000, 4_000
# The width of the first window.
FIRST_IDS, FIRST_TIME = 256, timedelta(hours=1)

Place = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class AlertOrder:
    """By ``Alert.id`` or ``Alert.last_seen_at``, then by id; ``falling``: newest first."""

    column: InstrumentedAttribute[Any]
    falling: bool = True

    @property
    def by_id(self) -> bool:
        return self.column.key == "id"

    def columns(self) -> tuple[Any, ...]:
        both = (self.column,) if self.by_id else (self.column, Alert.id)
        return tuple(column.desc() for column in both) if self.falling else both

    def behind(self, place: Place) -> ColumnElement[bool]:
        """The clause for the rows after ``place``, which is the values of a row's columns."""
        value, row_id = place
        if self.falling:
            return or_(self.column < value, and_(self.column == value, Alert.id < row_id))
        return or_(self.column > value, and_(self.column == value, Alert.id > row_id))

    def windows(self, place: Place | None, least: Any, greatest: Any) -> SearchWindows:
        """The windows after ``place`` (None: from the start) in a list with these values."""
        tick, width = (1, FIRST_IDS) if self.by_id else (timedelta(microseconds=1), FIRST_TIME)
        start, end = (greatest + tick, least) if self.falling else (least, greatest + tick)
        if place is not None:
            # There may be further rows with the place's own value.
            value = place[0] + tick if self.falling else place[0]
            start = min(start, value) if self.falling else max(start, value)
        return SearchWindows(start, end, falling=self.falling, tick=tick, width=width)


NEWEST_FIRST = AlertOrder(Alert.id)


@dataclass(frozen=True, slots=True)
class AlertScan:
    """The ids of a page, in order, and the place after which the next page starts.

    ``searched_to``: the search stopped at this time although the list goes on. None: the
    page is full, or the list ends.
    """

    ids: Sequence[int]
    resume: Place | None = None
    searched_to: datetime | None = None


def scan_alerts(
    session: Session,
    search: AlertSearch,
    *,
    limit: int,
    after: Place | None = None,
    order: AlertOrder = NEWEST_FIRST,
) -> AlertScan:
    """One page of the list, at most ``limit`` alerts after the place ``after``."""
    edges = find_edges(session, search, order)
    if edges is None:
        return AlertScan(())
    windows, found = order.windows(after, *edges), list[Place]()
    budget = SIFTED_BUDGET if search.sifted else BUDGET
    while not windows.over and windows.examined < budget:
        count = _fit(session, search, order, windows)
        found += _read_window(session, search, order, windows, after, limit + 1 - len(found))
        if len(found) > limit:
            return AlertScan([row_id for _, row_id in found[:limit]], found[limit - 1])
        windows.advance(count)
    ids = [row_id for _, row_id in found]
    if windows.over:
        return AlertScan(ids)
    stopped = windows.position
    # Ids start at 1: this place is before all rows of that value, or behind all of them.
    return AlertScan(ids, (stopped, 0), _time_at(session, order, stopped))


def find_candidates(search: AlertSearch, order: AlertOrder) -> tuple[Select[Any], Any]:
    """The ids of the alerts that may match, which an index finds, and the column of windows."""
    some = select(Team.id) if search.teams is None else search.teams
    if search.label is not None and order.by_id:
        labelled = select(AlertLabel.alert_id).where(
            AlertLabel.label == search.label, AlertLabel.team_id.in_(some)
        )
        return labelled, AlertLabel.alert_id
    found = select(Alert.id)
    if search.teams is not None or not order.by_id:
        found = found.where(Alert.team_id.in_(some))
    if order.by_id:
        # Even if it is all of them: the indexes by id start with the status.
        found = found.where(Alert.status.in_(search.statuses))
    return found, order.column


def match_candidates(search: AlertSearch, order: AlertOrder, found: Select[Any]) -> Select[Any]:
    """Those of the candidates ``found`` that fulfil the conditions the database evaluates."""
    if search.label is not None and order.by_id:
        query = select(Alert.id).where(Alert.id.in_(found))
        query = query.where(Alert.status.in_(search.statuses))
    else:
        query = found
        if not order.by_id and len(search.statuses) < len(AlertStatus):
            query = query.where(Alert.status.in_(search.statuses))
    return query.where(*search.conditions)


def find_edges(session: Session, search: AlertSearch, order: AlertOrder) -> tuple[Any, Any] | None:
    """The least and the greatest value of the sort column; None without alerts."""
    ends = (func.min(order.column), func.max(order.column))
    if order.by_id:
        query = select(*(select(end).scalar_subquery() for end in ends))
    else:
        # Asked team by team, the index answers.
        of_team = [
            select(end).where(Alert.team_id == Team.id).correlate(Team).scalar_subquery()
            for end in ends
        ]
        query = select(func.min(of_team[0]), func.max(of_team[1]))
        query = query.where(Team.id.in_(select(Team.id) if search.teams is None else search.teams))
    least, greatest = session.execute(query).one()
    return None if least is None else (least, greatest)


def count_candidates(session: Session, found: Select[Any], most: int) -> int:
    """How many candidates there are, up to ``most``."""
    limited = found.limit(most).subquery()
    return session.scalar(select(func.count()).select_from(limited)) or 0


def _fit(session: Session, search: AlertSearch, order: AlertOrder, windows: SearchWindows) -> int:
    """Narrow the window until it has at most CAP candidates; returns how many."""
    found, column = find_candidates(search, order)
    while True:
        low, high = windows.bounds
        if order.by_id and search.label is None and windows.fits:
            return int(high - low)
        count = count_candidates(session, found.where(column >= low, column < high), CAP + 1)
        if count <= CAP or windows.fits:
            return count
        windows.narrow()


def _read_window(
    session: Session,
    search: AlertSearch,
    order: AlertOrder,
    windows: SearchWindows,
    after: Place | None,
    most: int,
) -> list[Place]:
    """The first ``most`` matching alerts in the window, each with its place."""
    low, high = windows.bounds
    found, column = find_candidates(search, order)
    query = match_candidates(search, order, found.where(column >= low, column < high))
    if after is not None:
        query = query.where(order.behind(after))
    query = query.with_only_columns(order.column, Alert.id).order_by(*order.columns())
    rows = [
        (value, row_id)
        for value, row_id in session.execute(query if search.sifted else query.limit(most))
    ]
    if search.sifted:
        kept = sift_alerts(session, [row_id for _, row_id in rows], search.sifted)
        rows = [row for row in rows if row[1] in kept]
    return rows[:most]


def _time_at(session: Session, order: AlertOrder, position: Any) -> datetime | None:
    """The time up to which a search that stopped at ``position`` is complete."""
    if not order.by_id:
        at: datetime = position
        return at
    query = select(Alert.opened_at).limit(1)
    if order.falling:
        query = query.where(Alert.id >= position).order_by(Alert.id)
    else:
        query = query.where(Alert.id < position).order_by(Alert.id.desc())
    return session.scalar(query)
