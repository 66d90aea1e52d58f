"""The on-call report: who was on call how long, at what times, and how often paged.

Hours come from the schedule engine. A page is one step of an alert that reached somebody,
by however many methods. It counts in one line only: in the rotation of its team in which
the person was on call (the route's own rotation first), or in the team's line without a
rotation. So lines can be added up.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, shifts
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.reports.on_call_hours import (
    HourRules,
    HoursCalculator,
    HourTotals,
    check_period,
    total_by_user,
)
from incidentrelay.models import (
    Alert,
    Group,
    Notification,
    Rotation,
    Route,
    Team,
    User,
)
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import schedules
from incidentrelay.services.reports import public_holidays
from incidentrelay.services.reports.report_lines import (
    HoursReport,
    ReportFilter,
    ReportLine,
    name_key,
    row_id,
)

MOST_ROTATIONS = 500
# Of all rotations together: these take a few seconds.
MOST_SHIFTS = 100_000
# What wakes people; reminders only repeat it.
PAGES = (NotificationKind.PAGE, NotificationKind.ESCALATION, NotificationKind.FALLBACK)
_RECEIVED = (DeliveryState.SENT, DeliveryState.DELIVERED)


@dataclass
class _Row:
    hours: HourTotals = field(default_factory=HourTotals)
    pages: int = 0
    night_pages: int = 0


_Key = tuple[int, int | None, int]


def build_report(session: Session, memberships: Memberships, wanted: ReportFilter) -> HoursReport:
    """The report on all visible rotations, in a constant number of statements.

    Paused rotations are left out unless one is named. Raises InvalidInput for bad periods,
    zones and countries, for more than MOST_ROTATIONS rotations (``team``), and for more
    than MOST_SHIFTS shifts (``to``).
    """
    check_period(wanted.first, wanted.last)
    rotations = _rotations(session, memberships, wanted)
    loaded = schedules.load_schedules(session, [rotation.id for rotation in rotations])
    holidays = public_holidays.find_holidays(
        wanted.country, wanted.subdivision, wanted.first, wanted.last
    )
    rules = HourRules(
        zone=wanted.zone or _zone(loaded.values(), wanted.own_zone),
        night_from=wanted.night_from,
        night_to=wanted.night_to,
        weekend=wanted.weekend,
        holidays=frozenset(holidays),
    )
    ruler = HoursCalculator(rules, wanted.first, wanted.last)
    held = _held(ruler, rotations, loaded)
    rows = _on_call(ruler, rotations, held)
    _paged(session, ruler, rotations, held, rows, outside=not wanted.rotation)
    return HoursReport(ruler, wanted, holidays, _lines(session, rotations, rows, wanted.user))


def report_choices(session: Session, memberships: Memberships) -> list[Rotation]:
    """The enabled rotations one may choose, each with its team and group."""
    query = _visible(memberships).where(Rotation.enabled).limit(MOST_ROTATIONS)
    return list(session.scalars(query))


def _visible(memberships: Memberships) -> Select[Any]:
    query: Select[Any] = (
        select(Rotation)
        .join(Rotation.team)
        .join(Team.group)
        .options(contains_eager(Rotation.team).contains_eager(Team.group))
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id, Rotation.name, Rotation.id)
    )
    return scope(query, Rotation, memberships, Permission.VIEW)


def _rotations(session: Session, memberships: Memberships, wanted: ReportFilter) -> list[Rotation]:
    team, _, slug = wanted.rotation.rpartition("/")
    query = _visible(memberships)
    for column, names in ((Group.slug, (wanted.group,)), (Team.slug, (wanted.team, team))):
        query = query.where(*(column == name for name in names if name))
    query = query.where(Rotation.slug == slug if slug else Rotation.enabled)
    found = list(session.scalars(query.limit(MOST_ROTATIONS + 1)))
    if len(found) > MOST_ROTATIONS:
        raise InvalidInput.of("team", f"These are more than {MOST_ROTATIONS} rotations; choose.")
    return found


def _zone(loaded: Iterable[Schedule], own: str) -> str:
    """The zone of the lowest layers if all are the same, else ``own``."""
    zones = {schedule.revisions[-1].layers[0].zone for schedule in loaded if _layered(schedule)}
    return zones.pop() if len(zones) == 1 else own


def _layered(schedule: Schedule) -> bool:
    return bool(schedule.revisions and schedule.revisions[-1].layers)


def _held(
    ruler: HoursCalculator, rotations: Sequence[Rotation], loaded: Mapping[int, Schedule]
) -> dict[int, Sequence[Shift]]:
    """The shifts by rotation id; raises InvalidInput if there are too many."""
    held: dict[int, Sequence[Shift]] = {}
    count = 0
    for rotation in rotations:
        found = shifts(loaded.get(rotation.id, schedules.NO_SCHEDULE), ruler.start, ruler.end)
        held[rotation.id] = found
        count += len(found)
        if count > MOST_SHIFTS:
            sentence = f"These are more than {MOST_SHIFTS} shifts; choose less time or one team."
            raise InvalidInput.of("to", sentence)
    return held


def _on_call(
    ruler: HoursCalculator, rotations: Sequence[Rotation], held: Mapping[int, Sequence[Shift]]
) -> dict[_Key, _Row]:
    rows: dict[_Key, _Row] = defaultdict(_Row)
    for rotation in rotations:
        for user_id, hours in total_by_user(ruler, held[rotation.id]).items():
            rows[rotation.team_id, rotation.id, user_id].hours = hours
    return rows


def _paged(
    session: Session,
    ruler: HoursCalculator,
    rotations: Sequence[Rotation],
    held: Mapping[int, Sequence[Shift]],
    rows: dict[_Key, _Row],
    *,
    outside: bool,
) -> None:
    """Count the pages; with ``outside`` also those outside shifts."""
    turns: dict[tuple[int, int], dict[int, list[Shift]]] = defaultdict(lambda: defaultdict(list))
    for rotation in rotations:
        for shift in held[rotation.id]:
            turns[rotation.team_id, shift.user_id][rotation.id].append(shift)
    teams = {rotation.team_id for rotation in rotations}
    for team_id, user_id, preferred, at in _pages(session, teams, ruler):
        own = turns[team_id, user_id]
        on_call = [rotation_id for rotation_id in own if _covered(own[rotation_id], at)]
        if not (on_call or outside):
            continue
        place = preferred if preferred in on_call else next(iter(on_call), None)
        row = rows[team_id, place, user_id]
        row.pages += 1
        row.night_pages += ruler.at_night(at)


def _covered(found: Sequence[Shift], at: datetime) -> bool:
    number = bisect_right(found, at, key=lambda shift: shift.start) - 1
    return number >= 0 and at < found[number].end


def _pages(
    session: Session, teams: set[int], ruler: HoursCalculator
) -> Iterator[tuple[int, int, int | None, datetime]]:
    """(team, user, the route's rotation, time) of each page."""
    first = func.min(Notification.created_at)
    query = (
        select(Alert.team_id, Notification.user_id, Route.rotation_id, first)
        .join(Alert, Alert.id == Notification.alert_id)
        .outerjoin(Route, Route.id == Alert.route_id)
        .where(
            Alert.team_id.in_(teams),
            Notification.kind.in_(PAGES),
            Notification.state.in_(_RECEIVED),
            Notification.created_at >= ruler.start,
            Notification.created_at < ruler.end,
        )
        .group_by(
            Alert.team_id,
            Notification.user_id,
            Route.rotation_id,
            Notification.alert_id,
            Notification.generation,
            Notification.step,
        )
    )
    for team_id, user_id, rotation_id, at in session.execute(query) if teams else ():
        if user_id is not None:
            yield team_id, user_id, rotation_id, at


def _lines(
    session: Session, rotations: Sequence[Rotation], rows: Mapping[_Key, _Row], username: str
) -> list[ReportLine]:
    by_id: dict[int | None, Rotation] = {rotation.id: rotation for rotation in rotations}
    teams = {rotation.team_id: rotation.team for rotation in rotations}
    # Lines without a rotation come after the rotations of their team.
    order: dict[Any, int] = {
        key: place for place, key in enumerate((one.team_id, one.id) for one in rotations)
    }
    query = select(User).where(User.id.in_({user_id for _, _, user_id in rows}))
    if username:
        query = query.where(User.username == username)
    users = {user.id: user for user in session.scalars(query)}
    ends: dict[int | None, int] = {one.team_id: place for place, one in enumerate(rotations)}
    found = [
        ReportLine(
            teams[team], by_id.get(rotation), users[user], row.hours, row.pages, row.night_pages
        )
        for (team, rotation, user), row in rows.items()
        if user in users
    ]

    def place(line: ReportLine) -> tuple[float, tuple[str, str]]:
        team, rotation = row_id(line.team), row_id(line.rotation)
        return order.get((team, rotation), ends[team] + 0.5), name_key(line.user)

    return sorted(found, key=place)
