from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall import Layer, Override, Window, on_call
from incidentrelay.models import GroupMember, Team, User
from incidentrelay.services import schedules
from tests import factories

People = dict[str, User]


@pytest.mark.both_databases
def test_what_is_stored_is_loaded(session: Session, now: datetime) -> None:
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
    loaded = schedules.load(session, [rotation.id])[rotation.id]
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
    loaded = schedules.load(session, [rotation.id])[rotation.id]
    expected = [first.effective_from, second.effective_from, third.effective_from]
    assert [revision.effective_from for revision in loaded.revisions] == expected
    assert loaded.overrides == (
        Override(override.id, people["bob"].id, override.starts_at, override.ends_at),
    )


def test_who_left_is_not_on_call_but_was(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team, members=(people["bob"],))
    factories.revision(
        session, rotation, (people["bob"], people["cy"]), effective_from=now - timedelta(7)
    )
    people["bob"].active = False
    session.flush()
    schedule = schedules.load(session, [rotation.id])[rotation.id]
    past, present = on_call(schedule, now - timedelta(8)), on_call(schedule, now)
    assert past is not None
    assert present is not None
    assert (past.user_id, present.user_id) == (people["bob"].id, people["cy"].id)
    member = session.query(GroupMember).filter_by(user_id=people["cy"].id).one()
    session.delete(member)
    session.flush()
    assert on_call(schedules.load(session, [rotation.id])[rotation.id], now) is None


def test_ids_that_do_not_exist_are_left_out(session: Session, team: Team) -> None:
    rotation = factories.rotation(session, team)
    loaded = schedules.load(session, [rotation.id, 999])
    assert list(loaded) == [rotation.id]
    assert loaded[rotation.id].revisions == ()
    assert schedules.load(session, []) == {}


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
            assert len(schedules.load(session, ids)) == count
        return len(statements)

    assert load(1) == load(8) == 5


@pytest.mark.parametrize(
    ("value", "text"), [(time(9), "09:00"), (time(9, 5, 1), "09:05:01"), (time(0), "00:00")]
)
def test_wall_times(value: time, text: str) -> None:
    assert schedules.wall_time(value) == text
    assert time.fromisoformat(text) == value
