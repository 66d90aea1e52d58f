"""Previews an edited schedule and reports its coverage. Nothing here writes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import check_year
from incidentrelay.domain.oncall import coverage
from incidentrelay.domain.oncall.coverage import CoverageReport, CoveredPerson
from incidentrelay.domain.oncall.diff import ShiftChange, diff_shifts
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.schedule import Revision, Schedule
from incidentrelay.domain.oncall.shifts import Shift, gaps, shifts
from incidentrelay.models import GroupMember, Rotation, Team, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import limits, team_lookup
from incidentrelay.services.oncall import overrides, rotations, schedules

DEFAULT_SPAN = timedelta(days=28)
LONGEST = timedelta(days=92)
SOON = timedelta(days=14)
MAX_OVERRIDES = limits.PREVIEW_OVERRIDES.high
# Returns the users that a page can reach; services/recipients implements it.
ReachableLookup = Callable[[Session, Collection[int]], Collection[int]]


@dataclass(frozen=True, slots=True)
class SchedulePreview:
    """A period of a rotation before and after an edit.

    ``gaps`` and ``quality`` describe ``after``. Shifts of previewed overrides have
    neither a layer nor an ``override_id``. ``usernames`` includes everybody in either.
    """

    before: Sequence[Shift]
    after: Sequence[Shift]
    changes: Sequence[ShiftChange]
    gaps: Sequence[Interval]
    quality: CoverageReport
    usernames: Mapping[int, str]


def preview_edit(
    session: Session,
    rotation: Rotation,
    data: Mapping[str, Any],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    reachable: ReachableLookup,
) -> SchedulePreview:
    """Preview [start, end) after saving ``data``.

    ``data`` has the schedule fields of an update, and ``overrides`` to create. Raises
    InvalidInput and Conflict as saving would; errors of overrides have fields like
    ``overrides.0.user``.
    """
    check_span(start, end)
    schedule = {field: value for field, value in data.items() if field != "overrides"}
    old, layers = rotations.edit_rotation(session, rotation, schedule, now=now)
    new = old if layers is None else _revised(old, layers, now)
    new, added = _overridden(session, rotation, new, data.get("overrides", ()), now)
    before = shifts(old, start, end)
    after = shifts(new, start, end)
    group_id = team_lookup.find_team(session, rotation).group_id
    shown = [_without_id(shift) if shift.override_id in added else shift for shift in after]
    people = _people(session, group_id, new, after, reachable)
    return _preview(session, before, shown, _report(new, after, start, end, people))


def preview_new(
    session: Session,
    team: Team,
    data: Mapping[str, Any],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    reachable: ReachableLookup,
) -> SchedulePreview:
    """Preview [start, end) of a new rotation; ``before`` is empty.

    ``data`` has the schedule fields of a creation. Raises InvalidInput as creating would.
    """
    check_span(start, end)
    layers = rotations.plan_rotation(session, team, data, now=now)
    schedule = Schedule((Revision(None, layers, frozenset()),))
    after = shifts(schedule, start, end)
    people = _people(session, team.group_id, schedule, after, reachable)
    return _preview(session, (), after, _report(schedule, after, start, end, people))


def report_coverage(
    session: Session,
    rotation: Rotation,
    start: datetime,
    end: datetime,
    *,
    reachable: ReachableLookup,
) -> tuple[CoverageReport, Mapping[int, str]]:
    """Report the coverage of the rotation in [start, end); also returns names by user id."""
    check_span(start, end)
    schedule = schedules.load_schedule(session, rotation.id)
    planned = shifts(schedule, start, end)
    group_id = team_lookup.find_team(session, rotation).group_id
    people = _people(session, group_id, schedule, planned, reachable)
    report = _report(schedule, planned, start, end, people)
    return report, _usernames(session, planned, report)


def list_upcoming_gaps(session: Session, rotation: Rotation, now: datetime) -> list[Interval]:
    """The gaps of the next 14 days."""
    end = now + SOON
    return gaps(shifts(schedules.load_schedule(session, rotation.id), now, end), now, end)


def check_span(start: datetime, end: datetime) -> None:
    """Raise InvalidInput (``from``, ``to``) if the period is empty or over 92 days."""
    check_year(start, "from")
    check_year(end, "to")
    if end <= start:
        raise InvalidInput.of("to", "The end must be after the start.")
    if end - start > LONGEST:
        raise InvalidInput.of("to", f"The period may have at most {LONGEST.days} days.")


def _revised(old: Schedule, layers: tuple[Layer, ...], now: datetime) -> Schedule:
    """``old`` with one more revision, as it will load after saving."""
    inactive = old.revisions[-1].inactive if old.revisions else frozenset[int]()
    return replace(old, revisions=(*old.revisions, Revision(now, layers, inactive)))


def _overridden(
    session: Session,
    rotation: Rotation,
    schedule: Schedule,
    payloads: Sequence[Mapping[str, Any]],
    now: datetime,
) -> tuple[Schedule, frozenset[int]]:
    """``schedule`` with these overrides as the newest; also returns their provisional ids."""
    if len(payloads) > MAX_OVERRIDES:
        raise InvalidInput.of("overrides", f"This may have at most {MAX_OVERRIDES} overrides.")
    team = team_lookup.find_team(session, rotation)
    highest = max((each.id for each in schedule.overrides), default=0)
    added = []
    for index, data in enumerate(payloads):
        try:
            user, values = overrides.check_override(session, team, data, now)
        except InvalidInput as error:
            raise error.under(f"overrides.{index}") from None
        number = highest + 1 + index
        added.append(Override(number, user.id, values["starts_at"], values["ends_at"]))
    changed = replace(schedule, overrides=(*schedule.overrides, *added))
    return changed, frozenset(override.id for override in added)


def _preview(
    session: Session, before: Sequence[Shift], after: Sequence[Shift], report: CoverageReport
) -> SchedulePreview:
    return SchedulePreview(
        before=before,
        after=after,
        changes=diff_shifts(before, after),
        gaps=report.gaps,
        quality=report,
        usernames=_usernames(session, before, report),
    )


def _without_id(shift: Shift) -> Shift:
    return replace(shift, override_id=None)


def _report(
    schedule: Schedule,
    planned: Sequence[Shift],
    start: datetime,
    end: datetime,
    people: Sequence[CoveredPerson],
) -> CoverageReport:
    layers = schedule.revisions[-1].layers if schedule.revisions else ()
    # Nights and weekends follow the lowest layer, which covers most of the time.
    zone = layers[0].zone if layers else "UTC"
    return coverage.coverage_report(planned, gaps(planned, start, end), start, end, zone, people)


def _people(
    session: Session,
    group_id: int,
    schedule: Schedule,
    planned: Sequence[Shift],
    reachable: ReachableLookup,
) -> list[CoveredPerson]:
    """Members in order, then everybody else with a shift, each once."""
    layers = schedule.revisions[-1].layers if schedule.revisions else ()
    members = dict.fromkeys(user_id for layer in layers for user_id in layer.members)
    ids = list(members | dict.fromkeys(shift.user_id for shift in planned))
    joined = (GroupMember.user_id == User.id) & (GroupMember.group_id == group_id)
    query = select(User, GroupMember.id).outerjoin(GroupMember, joined).where(User.id.in_(ids))
    rows = {user.id: (user, link is not None) for user, link in session.execute(query)}
    reached = reachable(session, ids)
    return [
        CoveredPerson(
            user_id=user.id,
            name=user.display_name,
            member=user.id in members,
            active=user.active and belongs,
            reachable=user.id in reached,
        )
        for user, belongs in (rows[user_id] for user_id in ids if user_id in rows)
    ]


def _usernames(
    session: Session, planned: Iterable[Shift], report: CoverageReport
) -> dict[int, str]:
    ids = {shift.user_id for shift in planned} | {load.person.user_id for load in report.loads}
    return user_lookup.display_names(session, ids)
