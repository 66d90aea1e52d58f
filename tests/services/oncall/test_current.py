from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Rotation, Team, User
from incidentrelay.services.oncall import current as on_call_now
from tests.support import factories

People = dict[str, User]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_now_and_next(session: Session, team: Team, people: People, now: datetime) -> None:
    rotation = factories.rotation(session, team, "primary", (people["bob"], people["cy"]))
    (row,) = on_call_now.who_is_on_call(session, [rotation], now)
    monday = now.replace(hour=9) - DAY
    assert (row.rotation, row.team, row.override) == (rotation, team, False)
    assert row.user is not None
    assert row.next_user is not None
    assert {row.user.username, row.next_user.username} == {"bob", "cy"}
    assert (row.since, row.until, row.next_at) == (monday, monday + 7 * DAY, monday + 7 * DAY)


def test_an_override_shows(session: Session, team: Team, people: People, now: datetime) -> None:
    rotation = factories.rotation(session, team, "primary", (people["bob"],))
    factories.override(session, rotation, people["ann"])
    (row,) = on_call_now.who_is_on_call(session, [rotation], now)
    assert (row.user, row.override) == (people["ann"], True)
    assert (row.since, row.until) == (now, now + HOUR)
    assert (row.next_user, row.next_at) == (people["bob"], now + HOUR)


def test_nobody_is_a_row_too(session: Session, team: Team, people: People, now: datetime) -> None:
    empty = factories.rotation(session, team, "empty")
    office = factories.rotation(session, team, "office")
    windows = [{"weekday": 4, "opens": "09:00", "closes": "17:00"}]
    factories.revision(session, office, (people["bob"],), windows=windows)
    none, friday = on_call_now.who_is_on_call(session, [empty, office], now)
    assert (none.user, none.since, none.until, none.next_user, none.next_at) == (None,) * 5
    assert friday.user is None
    assert (friday.next_user, friday.next_at) == (people["bob"], now.replace(hour=9) + 3 * DAY)


@pytest.mark.both_databases
def test_the_number_of_statements_is_constant(
    session: Session, now: datetime, query_count: Any
) -> None:
    group = factories.group(session)
    user = factories.user(session)
    factories.group_member(session, group, user)

    def count(number: int) -> int:
        for _ in range(number):
            factories.rotation(session, factories.team(session, group), members=(user,))
        session.flush()
        session.expunge_all()
        rotations = session.scalars(select(Rotation).order_by(Rotation.id.desc())).all()[:number]
        with query_count() as statements:
            rows = on_call_now.who_is_on_call(session, rotations, now)
        assert [row.rotation for row in rows] == rotations
        return len(statements)

    assert count(1) == count(9) <= 8
    assert on_call_now.who_is_on_call(session, [], now) == []


def test_shifts_of_a_rotation(session: Session, team: Team, people: People, now: datetime) -> None:
    rotation = factories.rotation(session, team, "primary", (people["bob"], people["cy"]))
    found = on_call_now.rotation_shifts(session, rotation, now, now + 14 * DAY)
    assert [shift.start for shift in found] == [
        now,
        now.replace(hour=9) + 6 * DAY,
        now.replace(hour=9) + 13 * DAY,
    ]
    assert found[-1].end == now + 14 * DAY
    assert (
        on_call_now.rotation_shifts(session, factories.rotation(session, team), now, now + DAY)
        == []
    )


@pytest.mark.parametrize("length", [-HOUR, 401 * DAY])
def test_bad_intervals(
    session: Session, team: Team, people: People, now: datetime, length: timedelta
) -> None:
    rotation = factories.rotation(session, team, "primary", (people["bob"],))
    with pytest.raises(InvalidInput) as caught:
        on_call_now.rotation_shifts(session, rotation, now, now + length)
    assert list(caught.value.errors) == ["end"]
