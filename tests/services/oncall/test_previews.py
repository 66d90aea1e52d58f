"""A preview shows exactly the effect of saving."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.oncall.coverage import CoverageProblemKind
from incidentrelay.domain.oncall.diff import ShiftChange
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.shifts import Shift, shifts
from incidentrelay.models import (
    AuditEntry,
    Rotation,
    RotationOverride,
    RotationRevision,
    Team,
    User,
)
from incidentrelay.services.oncall import overrides, previews, rotations, schedules
from incidentrelay.services.oncall.previews import SchedulePreview
from incidentrelay.services.recipients.reachable import find_reachable
from tests.services.conftest import ADMIN
from tests.support import factories

People = dict[str, User]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def rotation(session: Session, team: Team, people: People) -> Rotation:
    return factories.rotation(session, team, "primary", (people["bob"], people["cy"]))


def look(session: Session, rotation: Rotation, now: datetime, **data: Any) -> SchedulePreview:
    end = now + previews.DEFAULT_SPAN
    return previews.preview_edit(
        session, rotation, data, start=now, end=end, now=now, reachable=find_reachable
    )


def stored(session: Session, rotation: Rotation, start: datetime, end: datetime) -> list[Shift]:
    session.flush()
    session.expire_all()
    return shifts(schedules.load_schedules(session, [rotation.id])[rotation.id], start, end)


def test_no_edit_changes_nothing(
    session: Session, rotation: Rotation, people: People, now: datetime
) -> None:
    found = look(session, rotation, now)
    assert found.before == found.after
    assert len(found.before) == 5
    assert (found.changes, found.gaps, found.quality.balance) == ([], (), 1)
    assert found.usernames == {people["bob"].id: "bob", people["cy"].id: "cy"}


def test_an_edit_and_an_override_show_and_are_not_saved(
    session: Session, rotation: Rotation, people: People, now: datetime
) -> None:
    before = look(session, rotation, now).before
    given = {"user": "ann", "starts_at": now + HOUR, "ends_at": now + 3 * HOUR}
    found = look(session, rotation, now, members=["bob"], overrides=[given])
    bob, cy, ann = (people[name].id for name in ("bob", "cy", "ann"))
    assert found.before == before
    assert (found.after[1].user_id, found.after[1].override_id) == (ann, None)
    assert found.after[1].layer is None
    assert {shift.user_id for shift in found.after} == {ann, bob}
    monday = now.replace(hour=9) + 6 * DAY
    assert list(found.changes) == [
        ShiftChange(now, now + HOUR, cy, bob),
        ShiftChange(now + HOUR, now + 3 * HOUR, cy, ann),
        ShiftChange(now + 3 * HOUR, monday, cy, bob),
        ShiftChange(monday + 7 * DAY, monday + 14 * DAY, cy, bob),
        ShiftChange(monday + 21 * DAY, now + 28 * DAY, cy, bob),
    ]
    kinds = {problem.kind for problem in found.quality.problems}
    assert kinds == {CoverageProblemKind.SINGLE_MEMBER}
    assert session.scalar(select(func.count(RotationRevision.id))) == 1
    assert session.scalar(select(func.count(RotationOverride.id))) == 0
    assert session.scalar(select(func.count(AuditEntry.id))) == 0
    assert not session.dirty
    assert not session.new


def test_gaps_are_those_after_the_edit(session: Session, rotation: Rotation, now: datetime) -> None:
    layer = {
        "key": 1,
        "handoff_time": "00:00",
        "windows": [{"weekday": day, "opens": "00:00", "closes": "18:00"} for day in range(7)],
    }
    found = look(session, rotation, now, layers=[layer])
    first = now.replace(hour=18)
    assert found.gaps[0] == Interval(first, first + 6 * HOUR)
    assert len(found.gaps) == 28
    assert found.quality.gap_hours == 28 * 6
    assert all(change.after is None for change in found.changes if change.start == first)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"members": ["zoe"]}, "members"),
        ({"members": ["bob"], "layers": [{"key": 1}]}, "members"),
        ({"layers": [{"key": 7}]}, "layers.0.key"),
        ({"name": "Other"}, "name"),
        ({"overrides": [{"user": "zoe", "ends_at": 5}]}, "overrides.0.user"),
        ({"overrides": [{"user": "bob", "ends_at": -5}]}, "overrides.0.ends_at"),
        ({"overrides": [{"ends_at": 5}]}, "overrides.0.user"),
        ({"overrides": [{"user": "bob", "ends_at": 5}] * 51}, "overrides"),
    ],
)
def test_a_preview_rejects_what_saving_rejects(
    session: Session, rotation: Rotation, now: datetime, data: dict[str, Any], field: str
) -> None:
    given = {
        **data,
        "overrides": [
            {**each, "ends_at": now + each["ends_at"] * HOUR} for each in data.get("overrides", ())
        ],
    }
    with pytest.raises(InvalidInput) as caught:
        look(session, rotation, now, **given)
    assert list(caught.value.errors) == [field]


def test_the_short_form_is_for_one_layer(
    session: Session, rotation: Rotation, now: datetime
) -> None:
    two = [{"key": 1}, {"name": "Second", "members": ["cy"]}]
    rotations.update(session, rotation, {"layers": two}, actor=ADMIN, now=now - DAY)
    session.flush()
    with pytest.raises(Conflict):
        look(session, rotation, now, members=["bob"])


@pytest.mark.parametrize(
    ("start", "length", "field"),
    [(0, 0, "to"), (0, -1, "to"), (0, 93, "to"), (-60 * 365, 1, "from"), (174 * 365, 1, "from")],
)
def test_spans_are_bounded(
    session: Session, rotation: Rotation, now: datetime, start: int, length: int, field: str
) -> None:
    begin = now + start * DAY
    for ask in (
        lambda: previews.report_coverage(
            session, rotation, begin, begin + length * DAY, reachable=find_reachable
        ),
        lambda: previews.preview_edit(
            session,
            rotation,
            {},
            start=begin,
            end=begin + length * DAY,
            now=now,
            reachable=find_reachable,
        ),
    ):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert list(caught.value.errors) == [field]


def test_the_report_knows_who_cannot_be_paged(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    people["ann"].email = None
    # No channel calls a phone, and nobody has confirmed cy's contact.
    people["cy"].email, people["cy"].phone = None, "+15550100"
    factories.contact(session, people["cy"], verified_at=None)
    people["bob"].email = None
    factories.contact(session, people["bob"])
    gone = factories.user(session, "gone", active=False)
    factories.group_member(session, team.group, gone)
    named = (people["ann"], people["bob"], people["cy"], gone, people["zoe"])
    rotation = factories.rotation(session, team, "primary", named, reminder_interval=0)
    found, usernames = previews.report_coverage(
        session, rotation, now, now + 28 * DAY, reachable=find_reachable
    )
    assert [(load.person.name, load.person.active) for load in found.loads] == [
        ("Ann", True),
        ("Bob", True),
        ("Cy", True),
        ("Gone", False),
        ("Zoe", False),
    ]
    problems = [(each.kind, usernames[each.user_id or 0]) for each in found.problems]
    assert (CoverageProblemKind.UNREACHABLE, "ann") in problems
    assert (CoverageProblemKind.INACTIVE, "gone") in problems
    assert (CoverageProblemKind.INACTIVE, "zoe") in problems
    assert (CoverageProblemKind.UNREACHABLE, "cy") in problems
    assert (CoverageProblemKind.UNREACHABLE, "bob") not in problems


def zone_of_report(session: Session, rotation: Rotation, now: datetime) -> str:
    report, _ = previews.report_coverage(
        session, rotation, now, now + DAY, reachable=find_reachable
    )
    return report.zone


def test_the_zone_is_that_of_the_lowest_layer(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team, "east")
    assert zone_of_report(session, rotation, now) == "UTC"
    factories.revision(session, rotation, (people["bob"],), zone="Asia/Tokyo")
    assert zone_of_report(session, rotation, now) == "Asia/Tokyo"


def test_gaps_of_the_next_two_weeks(
    session: Session, team: Team, rotation: Rotation, now: datetime
) -> None:
    assert previews.list_upcoming_gaps(session, rotation, now) == []
    empty = factories.rotation(session, team, "empty")
    assert previews.list_upcoming_gaps(session, empty, now) == [Interval(now, now + 14 * DAY)]


LAYER = st.fixed_dictionaries(
    {
        "members": st.lists(st.sampled_from(["ann", "bob", "cy"]), min_size=1, max_size=4),
        "unit": st.sampled_from(["hours", "days", "weeks"]),
        "length": st.integers(1, 40),
        "handoff_time": st.sampled_from([time(0), time(9), time(18, 30)]),
        "handoff_weekday": st.integers(0, 6),
        "zone": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    },
    optional={
        "key": st.just(1),
        "start_date": st.dates(date(2026, 2, 1), date(2026, 4, 1)),
        "windows": st.lists(
            st.fixed_dictionaries(
                {
                    "weekday": st.integers(0, 6),
                    "opens": st.sampled_from([time(0), time(8), time(22)]),
                    "closes": st.sampled_from([time(6), time(12), time(22)]),
                }
            ),
            max_size=3,
        ),
    },
)
SHORT = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["daily", "weekly"]),
        "members": st.lists(st.sampled_from(["ann", "bob", "cy"]), min_size=1, max_size=3),
        "handoff_time": st.sampled_from([time(0), time(17)]),
        "zone": st.sampled_from(["UTC", "Asia/Kathmandu"]),
    },
)
LAYERS = st.lists(LAYER, min_size=1, max_size=3).filter(
    lambda layers: sum("key" in layer for layer in layers) <= 1
)
SCHEDULE = SHORT | st.fixed_dictionaries({"layers": LAYERS})
OVERRIDES = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cy"]), st.integers(-50, 300), st.integers(51, 200)),
    max_size=3,
)


def test_a_new_rotation_is_what_its_preview_showed(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    end = now + previews.DEFAULT_SPAN
    nights = [{"weekday": day, "opens": "22:00", "closes": "06:00"} for day in range(7)]
    data = {
        "layers": [
            {"members": ["bob", "cy"], "zone": "Europe/Berlin"},
            {"name": "Nights", "members": ["ann"], "unit": "days", "windows": nights},
        ]
    }
    found = previews.preview_new(
        session, team, data, start=now, end=end, now=now, reachable=find_reachable
    )
    assert session.scalar(select(func.count()).select_from(RotationRevision)) == 0
    assert (found.before, found.gaps) == ((), ())
    assert {found.usernames[shift.user_id] for shift in found.after} == {"ann", "bob", "cy"}
    made = rotations.create(session, team, {"name": "Fresh", **data}, actor=ADMIN, now=now)
    assert found.after == stored(session, made, now, end)


def test_an_invalid_new_rotation_has_no_preview(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    data = {"layers": [{"members": ["nobody"]}]}
    end = now + previews.DEFAULT_SPAN
    with pytest.raises(InvalidInput) as caught:
        previews.preview_new(
            session, team, data, start=now, end=end, now=now, reachable=find_reachable
        )
    assert list(caught.value.errors) == ["layers.0.members"]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(schedule=SCHEDULE, planned=OVERRIDES, inactive=st.sampled_from(["", "bob", "cy"]))
def test_saving_does_what_was_previewed(
    session: Session,
    team: Team,
    people: People,
    now: datetime,
    schedule: dict[str, Any],
    planned: list[tuple[str, int, int]],
    inactive: str,
) -> None:
    start, end = now, now + 28 * DAY
    attempt = session.begin_nested()
    rotation = factories.rotation(session, team, "pair", (people["bob"], people["cy"]))
    factories.override(session, rotation, people["cy"], ends_at=now + 30 * HOUR)
    if inactive:
        people[inactive].active = False
        session.flush()
    asked = [
        {"user": user, "starts_at": now + begin * HOUR, "ends_at": now + (begin + long) * HOUR}
        for user, begin, long in planned
        if user != inactive
    ]
    data = {**schedule, "overrides": asked}
    before = stored(session, rotation, start, end)
    try:
        found = previews.preview_edit(
            session, rotation, data, start=start, end=end, now=now, reachable=find_reachable
        )
    except InvalidInput:
        with pytest.raises(InvalidInput):
            rotations.update(session, rotation, schedule, actor=ADMIN, now=now)
        attempt.rollback()
        return
    assert found.before == before == stored(session, rotation, start, end)
    rotations.update(session, rotation, schedule, actor=ADMIN, now=now)
    made = {
        overrides.create(session, rotation, each, actor=ADMIN, now=now).id: None for each in asked
    }
    saved = stored(session, rotation, start, end)
    without = [
        replace(shift, override_id=made.get(shift.override_id, shift.override_id))
        if shift.override_id is not None
        else shift
        for shift in saved
    ]
    assert found.after == without
    attempt.rollback()
    session.expire_all()
