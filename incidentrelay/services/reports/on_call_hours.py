"""The on-call report: how long people were on call, when, and how often they were paged.

Hours come from the schedule engine. A page is one step of an alert that reached a person, by
any number of methods. Each page counts in exactly one line, so lines can be added up: that of
the rotation where the person was on call (preferably the route's own), or the team's line
without a rotation.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

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
from incidentrelay.models import Group, Rotation, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import schedules
from incidentrelay.services.reports import page_queries, public_holidays
from incidentrelay.services.reports.report_lines import (
    HoursReport,
    ReportFilter,
    ReportLine,
    name_key,
    row_id,
)

MOST_ROTATIONS = 500
# Of all rotations together; this many take a few seconds.
MOST_SHIFTS = 100_000


@dataclass
class _Row:
    hours: HourTotals = field(default_factory=HourTotals)
    pages: int = 0
    night_pages: int = 0


_Key = tuple[int, int | None, int]


def build_report(session: Session, memberships: Memberships, wanted: ReportFilter) -> HoursReport:
    """Report on all visible rotations, in a constant number of statements.

    Leaves out paused rotations unless one is named. Raises InvalidInput for invalid
    periods, zones and countries, for more than MOST_ROTATIONS rotations (``team``), and
    for more than MOST_SHIFTS shifts (``to``).
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
    calculator = HoursCalculator(rules, wanted.first, wanted.last)
    rotation_shifts = _load_shifts(calculator, rotations, loaded)
    rows = _on_call(calculator, rotations, rotation_shifts)
    _paged(session, calculator, rotations, rotation_shifts, rows, outside=not wanted.rotation)
    return HoursReport(calculator, wanted, holidays, _lines(session, rotations, rows, wanted.user))


def report_choices(session: Session, memberships: Memberships) -> list[Rotation]:
    """The enabled rotations on offer, each with its team and group."""
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
    rotations = list(session.scalars(query.limit(MOST_ROTATIONS + 1)))
    if len(rotations) > MOST_ROTATIONS:
        sentence = f"There are more than {MOST_ROTATIONS} rotations; choose a team."
        raise InvalidInput.of("team", sentence)
    return rotations


def _zone(loaded: Iterable[Schedule], own: str) -> str:
    """The zone of the lowest layers if they all share one, else ``own``."""
    zones = {schedule.revisions[-1].layers[0].zone for schedule in loaded if _layered(schedule)}
    return zones.pop() if len(zones) == 1 else own


def _layered(schedule: Schedule) -> bool:
    return bool(schedule.revisions and schedule.revisions[-1].layers)


def _load_shifts(
    calculator: HoursCalculator, rotations: Sequence[Rotation], loaded: Mapping[int, Schedule]
) -> dict[int, Sequence[Shift]]:
    """The shifts by rotation id; raises InvalidInput if there are too many."""
    rotation_shifts: dict[int, Sequence[Shift]] = {}
    count = 0
    for rotation in rotations:
        schedule = loaded.get(rotation.id, schedules.NO_SCHEDULE)
        rotation_shifts[rotation.id] = shifts(schedule, calculator.start, calculator.end)
        count += len(rotation_shifts[rotation.id])
        if count > MOST_SHIFTS:
            sentence = (
                f"There are more than {MOST_SHIFTS} shifts; choose a shorter period or a team."
            )
            raise InvalidInput.of("to", sentence)
    return rotation_shifts


def _on_call(
    calculator: HoursCalculator,
    rotations: Sequence[Rotation],
    rotation_shifts: Mapping[int, Sequence[Shift]],
) -> dict[_Key, _Row]:
    rows: dict[_Key, _Row] = defaultdict(_Row)
    for rotation in rotations:
        for user_id, hours in total_by_user(calculator, rotation_shifts[rotation.id]).items():
            rows[rotation.team_id, rotation.id, user_id].hours = hours
    return rows


def _paged(
    session: Session,
    calculator: HoursCalculator,
    rotations: Sequence[Rotation],
    rotation_shifts: Mapping[int, Sequence[Shift]],
    rows: dict[_Key, _Row],
    *,
    outside: bool,
) -> None:
    """Count the pages; with ``outside`` also pages to people who were not on call."""
    turns: dict[tuple[int, int], dict[int, list[Shift]]] = defaultdict(lambda: defaultdict(list))
    for rotation in rotations:
        for shift in rotation_shifts[rotation.id]:
            turns[rotation.team_id, shift.user_id][rotation.id].append(shift)
    teams = {rotation.team_id for rotation in rotations}
    for page in page_queries.find_pages(session, teams, calculator.start, calculator.end):
        own = turns[page.team_id, page.user_id]
        on_call = [rotation_id for rotation_id in own if _covered(own[rotation_id], page.at)]
        if not (on_call or outside):
            continue
        preferred = page.rotation_id
        place = preferred if preferred in on_call else next(iter(on_call), None)
        row = rows[page.team_id, place, page.user_id]
        row.pages += 1
        row.night_pages += calculator.at_night(page.at)


def _covered(own: Sequence[Shift], at: datetime) -> bool:
    number = bisect_right(own, at, key=lambda shift: shift.start) - 1
    return number >= 0 and at < own[number].end


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
    lines = [
        ReportLine(
            teams[team], by_id.get(rotation), users[user], row.hours, row.pages, row.night_pages
        )
        for (team, rotation, user), row in rows.items()
        if user in users
    ]

    def place(line: ReportLine) -> tuple[float, tuple[str, str]]:
        team, rotation = row_id(line.team), row_id(line.rotation)
        return order.get((team, rotation), ends[team] + 0.5), name_key(line.user)

    return sorted(lines, key=place)
