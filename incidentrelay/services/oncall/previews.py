"""What a schedule would be if it were saved, and how good it is. Nothing here writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
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
from incidentrelay.services.common import team_lookup
from incidentrelay.services.oncall import overrides, rotations, schedules

DEFAULT_SPAN = timedelta(days=28)
LONGEST = timedelta(days=92)
SOON = timedelta(days=14)
MAX_OVERRIDES = 50
_YEARS = (1971, 2199)


@dataclass(frozen=True, slots=True)
class SchedulePreview:
    """A stretch of a rotation as it is, and as it would be.

    ``gaps`` and ``quality`` are of ``after``. Shifts of overrides that are only
    previewed have neither a layer nor an ``override_id``. ``usernames`` are of
    everybody in it.
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
) -> SchedulePreview:
    """What saving would make of [start, end).

    ``data`` are the fields of a rotation's schedule, as an update takes them, and
    ``overrides``, each as its creation takes it. Raises InvalidInput and Conflict as
    saving would, overrides under fields like ``overrides.0.user``.
    """
    check_span(start, end)
    schedule = {field: value for field, value in data.items() if field != "overrides"}
    old, made = rotations.edit_rotation(session, rotation, schedule, now=now)
    new = old if made is None else _revised(old, made, now)
    new, added = _overridden(session, rotation, new, data.get("overrides", ()), now)
    before = shifts(old, start, end)
    after = shifts(new, start, end)
    group_id = team_lookup.find_team(session, rotation).group_id
    shown = [_without_id(shift) if shift.override_id in added else shift for shift in after]
    return _made(before, shown, _report(session, group_id, new, after, start, end), session)


def preview_new(
    session: Session,
    team: Team,
    data: Mapping[str, Any],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
) -> SchedulePreview:
    """What a new rotation would be in [start, end); nothing is before.

    ``data`` are the fields of a schedule, as a creation takes them. Raises InvalidInput
    as that would.
    """
    check_span(start, end)
    made = rotations.plan_rotation(session, team, data, now=now)
    schedule = Schedule((Revision(None, made, frozenset()),))
    after = shifts(schedule, start, end)
    report = _report(session, team.group_id, schedule, after, start, end)
    return _made((), after, report, session)


def report_coverage(
    session: Session, rotation: Rotation, start: datetime, end: datetime
) -> tuple[CoverageReport, Mapping[int, str]]:
    """The quality of the rotation's schedule in [start, end), and everybody's usernames."""
    check_span(start, end)
    schedule = _load(session, rotation)
    found = shifts(schedule, start, end)
    group_id = team_lookup.find_team(session, rotation).group_id
    made = _report(session, group_id, schedule, found, start, end)
    return made, _usernames(session, found, made)


def list_upcoming_gaps(session: Session, rotation: Rotation, now: datetime) -> list[Interval]:
    """When nobody is on call in the next 14 days."""
    end = now + SOON
    return gaps(shifts(_load(session, rotation), now, end), now, end)


def check_span(start: datetime, end: datetime) -> None:
    """Raise InvalidInput (``from``, ``to``) unless it is 92 days at most, and not empty."""
    check_instant(start, "from")
    check_instant(end, "to")
    if end <= start:
        raise InvalidInput.of("to", "The end must be after the start.")
    if end - start > LONGEST:
        raise InvalidInput.of("to", f"Ask for at most {LONGEST.days} days.")


def check_instant(at: datetime, field: str) -> None:
    """Raise InvalidInput naming ``field`` for a time that no schedule is about."""
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise InvalidInput.of(field, "This time is out of range.")


def _load(session: Session, rotation: Rotation) -> Schedule:
    return schedules.load_schedules(session, [rotation.id]).get(rotation.id, Schedule(()))


def _revised(old: Schedule, layers: tuple[Layer, ...], now: datetime) -> Schedule:
    """``old`` with one more revision, as :func:`schedules.load` will load it."""
    inactive = old.revisions[-1].inactive if old.revisions else frozenset[int]()
    return replace(old, revisions=(*old.revisions, Revision(now, layers, inactive)))


def _overridden(
    session: Session,
    rotation: Rotation,
    schedule: Schedule,
    given: Sequence[Mapping[str, Any]],
    now: datetime,
) -> tuple[Schedule, frozenset[int]]:
    """``schedule`` with these overrides as its newest, and the ids that they have in it."""
    if len(given) > MAX_OVERRIDES:
        raise InvalidInput.of("overrides", f"Give at most {MAX_OVERRIDES} overrides.")
    team = team_lookup.find_team(session, rotation)
    highest = max((each.id for each in schedule.overrides), default=0)
    added = []
    for index, data in enumerate(given):
        try:
            user, values = overrides.check_override(session, team, data, now)
        except InvalidInput as error:
            raise error.under(f"overrides.{index}") from None
        number = highest + 1 + index
        added.append(Override(number, user.id, values["starts_at"], values["ends_at"]))
    made = replace(schedule, overrides=(*schedule.overrides, *added))
    return made, frozenset(override.id for override in added)


def _made(
    before: Sequence[Shift], after: Sequence[Shift], report: CoverageReport, session: Session
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
    session: Session,
    group_id: int,
    schedule: Schedule,
    found: Sequence[Shift],
    start: datetime,
    end: datetime,
) -> CoverageReport:
    layers = schedule.revisions[-1].layers if schedule.revisions else ()
    members = [user_id for layer in layers for user_id in layer.members]
    # Nights and weekends are those of the lowest layer, which has most of the time.
    zone = layers[0].zone if layers else "UTC"
    named = _people(session, group_id, members, [shift.user_id for shift in found])
    return coverage.coverage_report(found, gaps(found, start, end), start, end, zone, named)


def _people(
    session: Session, group_id: int, members: Iterable[int], others: Iterable[int]
) -> list[CoveredPerson]:
    """Members in their order, then everybody else who is on call, each once."""
    kept = set(members)
    ids = list(dict.fromkeys([*members, *others]))
    joined = (GroupMember.user_id == User.id) & (GroupMember.group_id == group_id)
    query = select(User, GroupMember.id).outerjoin(GroupMember, joined).where(User.id.in_(ids))
    rows = {user.id: (user, link is not None) for user, link in session.execute(query)}
    return [
        CoveredPerson(
            user_id=user.id,
            name=user.display_name,
            member=user.id in kept,
            active=user.active and belongs,
            reachable=bool(user.email or user.phone),
        )
        for user, belongs in (rows[user_id] for user_id in ids if user_id in rows)
    ]


def _usernames(session: Session, found: Iterable[Shift], made: CoverageReport) -> dict[int, str]:
    ids = {shift.user_id for shift in found} | {load.person.user_id for load in made.loads}
    return user_lookup.display_names(session, ids)
