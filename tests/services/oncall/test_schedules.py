from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import Interval, Window
from incidentrelay.domain.oncall.shifts import gaps, on_call, shifts
from incidentrelay.models import Group, GroupMember, Team, User
from incidentrelay.services.oncall import absences, schedules
from incidentrelay.services.tenancy import group_members, users
from tests.support import factories

People = dict[str, User]


@pytest.mark.both_databases
def test_a_stored_schedule_loads_unchanged(session: Session, now: datetime) -> None:
    team = factories.team(session, factories.group(session))
    rotation = factories.rotation(session, team)
    layer = Layer(
        id=3,
        name="Nights",
        members=(5, 7, 5),
        unit=ShiftUnit.MONTHS,
        length=2,
        handoff_time=time(9, 30, 15),
        handoff_weekday=4,
        zone="Europe/Paris",
        start_date=date(2026, 2, 28),
        windows=(Window(0, time(22), time(6)), Window(6, time(0), time(0, 0, 30))),
        turn_offset=1,
    )
    schedules.add_revision(
        session, rotation, [layer], effective_from=None, created_by_id=None, now=now
    )
    session.flush()
    session.expire_all()
    loaded = schedules.load_schedules(session, [rotation.id])[rotation.id]
    assert [revision.layers for revision in loaded.revisions] == [(layer,)]
    assert loaded.revisions[0].effective_from is None


def test_revisions_come_in_order_and_overrides_with_them(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team)
    third = factories.revision(session, rotation, (people["cy"],), effective_from=now)
    second = factories.revision(
        session, rotation, (people["bob"],), effective_from=now - timedelta(1)
    )
    first = factories.revision(session, rotation, (people["ann"],))
    override = factories.override(session, rotation, people["bob"])
    loaded = schedules.load_schedules(session, [rotation.id])[rotation.id]
    expected = [first.effective_from, second.effective_from, third.effective_from]
    assert [revision.effective_from for revision in loaded.revisions] == expected
    assert loaded.overrides == (
        Override(override.id, people["bob"].id, override.starts_at, override.ends_at),
    )


def test_a_person_who_left_is_off_call_but_keeps_past_shifts(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team, members=(people["bob"],))
    factories.revision(
        session, rotation, (people["bob"], people["cy"]), effective_from=now - timedelta(7)
    )
    people["bob"].active = False
    session.flush()
    schedule = schedules.load_schedules(session, [rotation.id])[rotation.id]
    past, present = on_call(schedule, now - timedelta(8)), on_call(schedule, now)
    assert past is not None
    assert present is not None
    assert (past.user_id, present.user_id) == (people["bob"].id, people["cy"].id)
    member = session.query(GroupMember).filter_by(user_id=people["cy"].id).one()
    session.delete(member)
    session.flush()
    assert on_call(schedules.load_schedules(session, [rotation.id])[rotation.id], now) is None


def test_ids_that_do_not_exist_are_left_out(session: Session, team: Team) -> None:
    rotation = factories.rotation(session, team)
    loaded = schedules.load_schedules(session, [rotation.id, 999])
    assert list(loaded) == [rotation.id]
    assert loaded[rotation.id].revisions == ()
    assert schedules.load_schedules(session, []) == {}


@pytest.mark.both_databases
def test_paging_skips_paused_rotations_and_ended_overrides(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team, members=(people["bob"],))
    paused = factories.rotation(session, team, members=(people["bob"],), enabled=False)
    hour = timedelta(hours=1)
    factories.override(session, rotation, people["cy"], starts_at=now - hour, ends_at=now)
    running = factories.override(session, rotation, people["ann"], starts_at=now - hour)
    coming = factories.override(
        session, rotation, people["cy"], starts_at=now + hour, ends_at=now + 2 * hour
    )
    factories.override(session, paused, people["ann"])
    ids = [rotation.id, paused.id, 999]
    loaded = schedules.load_paging_schedules(session, ids, now)
    assert list(loaded) == [rotation.id]
    whole = schedules.load_schedules(session, ids)
    assert list(whole) == [rotation.id, paused.id]
    assert loaded[rotation.id].revisions == whole[rotation.id].revisions
    found = {override.id for override in loaded[rotation.id].overrides}
    assert found == {running.id, coming.id}
    assert len(whole[rotation.id].overrides) == 3
    assert on_call(loaded[rotation.id], now) == on_call(whole[rotation.id], now)
    assert schedules.load_paging_schedules(session, [], now) == {}


def test_the_number_of_statements_is_constant(
    session: Session, team: Team, people: People, query_count: Any
) -> None:
    def load(count: int) -> int:
        ids = []
        for _ in range(count):
            rotation = factories.rotation(session, team, members=(people["bob"], people["cy"]))
            factories.override(session, rotation, people["ann"])
            ids.append(rotation.id)
        session.expunge_all()
        with query_count() as statements:
            assert len(schedules.load_schedules(session, ids)) == count
        return len(statements)

    assert load(1) == load(8) == 3


@pytest.mark.parametrize(
    ("value", "text"), [(time(9), "09:00"), (time(9, 5, 1), "09:05:01"), (time(0), "00:00")]
)
def test_wall_times(value: time, text: str) -> None:
    assert schedules.format_wall_time(value) == text
    assert time.fromisoformat(text) == value


@pytest.mark.both_databases
def test_leaving_and_returning_keeps_past_shifts(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    """ann has the first week alone, leaves for a week, and comes back."""
    ann, root = people["ann"], SYSTEM
    rotation = factories.rotation(session, team, members=(ann,))
    left, back = now - timedelta(days=14), now - timedelta(days=7)
    users.update(session, ann, {"active": False}, actor=root, now=left, confirm=True)
    users.update(session, ann, {"active": True}, actor=root, now=back)
    # A later edit must neither add shifts during her absence nor remove the others.
    factories.revision(session, rotation, (ann,), effective_from=now - timedelta(days=1))
    start, end = now - timedelta(days=15), now + timedelta(days=1)
    schedule = schedules.load_schedules(session, [rotation.id])[rotation.id]
    found = shifts(schedule, start, end)
    assert {shift.user_id for shift in found} == {ann.id}
    assert gaps(found, start, end) == [Interval(left, back)]


@pytest.mark.both_databases
def test_leaving_the_group_keeps_past_overrides(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    cy, root = people["cy"], SYSTEM
    rotation = factories.rotation(session, team, members=(people["ann"],))
    start, end = now - timedelta(hours=2), now + timedelta(hours=2)
    factories.override(session, rotation, cy, starts_at=start, ends_at=end)
    member = session.query(GroupMember).filter_by(user_id=cy.id).one()
    group_members.delete(session, member, actor=root, now=now, confirm=True)
    schedule = schedules.load_schedules(session, [rotation.id])[rotation.id]
    found = [(one.user_id, one.start, one.end) for one in shifts(schedule, start, end)]
    assert found == [(cy.id, start, now), (people["ann"].id, now, end)]
    again = {"username": cy.username, "role": "viewer"}
    group = session.get_one(Group, team.group_id)
    group_members.create(session, group, again, actor=root, now=now + timedelta(hours=1))
    schedule = schedules.load_schedules(session, [rotation.id])[rotation.id]
    held = [one.user_id for one in shifts(schedule, start, end)]
    assert held == [cy.id, people["ann"].id, cy.id]


@pytest.mark.both_databases
def test_leaving_takes_effect_at_once_despite_a_future_revision(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    ann, root = people["ann"], SYSTEM
    rotation = factories.rotation(session, team, members=(ann, people["bob"]))
    factories.revision(session, rotation, (ann,), effective_from=now + timedelta(days=7))
    users.update(session, ann, {"active": False}, actor=root, now=now, confirm=True)
    schedule = schedules.load_schedules(session, [rotation.id])[rotation.id]
    present = on_call(schedule, now)
    assert present is not None
    assert present.user_id == people["bob"].id


def test_an_unknown_leaving_time_counts_before_a_future_revision(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    ann, bob = people["ann"], people["bob"]
    rotation = factories.rotation(session, team, members=(bob, ann))
    factories.revision(session, rotation, (bob, ann), effective_from=now + timedelta(days=70))
    ann.active = False
    session.flush()
    present = on_call(schedules.load_schedules(session, [rotation.id])[rotation.id], now)
    assert present is not None
    assert present.user_id == bob.id


@pytest.mark.both_databases
def test_an_open_absence_does_not_take_an_active_person_off_call(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team, members=(people["ann"],))
    absences.begin_absence(session, people["ann"].id, None, now - timedelta(days=1))
    session.flush()
    assert on_call(schedules.load_schedules(session, [rotation.id])[rotation.id], now) is not None
