"""Shift notices: once each, on both databases. bob hands over to ann on Monday at 09:00."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from incidentrelay.db import Database
from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import GroupMember, Notification, ShiftReminder, User
from incidentrelay.services.delivery import shift_reminders
from incidentrelay.services.tenancy import users
from tests.support import factories
from tests.support.pager import Pager, build

pytestmark = pytest.mark.both_databases

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def pager(database: Database) -> Pager:
    """The weekly rotation of ann, bob and cy; all of them want both mails."""
    made = build(database)
    with database.write() as session:
        for user in session.scalars(select(User)):
            user.shift_end_reminder = True
    return made


def look(pager: Pager, at: datetime) -> int:
    with pager.database.write() as session:
        return shift_reminders.send_due_reminders(session, at)


def mails(pager: Pager) -> list[tuple[str, str]]:
    names = {user_id: name for name, user_id in pager.people.items()}
    with pager.database.read() as session:
        rows = session.scalars(select(Notification).order_by(Notification.id))
        return [(names[row.user_id or 0], row.message["headline"]) for row in rows]


def test_a_handoff_is_told_once(pager: Pager) -> None:
    assert look(pager, MONDAY - MINUTE) == 0
    assert look(pager, MONDAY) == 2
    assert look(pager, MONDAY) == 0
    assert look(pager, MONDAY + MINUTE) == 0
    told = mails(pager)
    assert len(told) == 2
    assert {word for _, word in told} == {"Your shift ends", "Your shift begins"}


def test_the_first_look_tells_nothing_of_the_past(pager: Pager) -> None:
    assert look(pager, MONDAY + MINUTE) == 0
    assert look(pager, MONDAY + 2 * MINUTE) == 0
    assert mails(pager) == []


@pytest.mark.parametrize(("away", "count"), [(59 * MINUTE, 2), (61 * MINUTE, 0)])
def test_after_an_outage_only_news_is_told(pager: Pager, away: timedelta, count: int) -> None:
    look(pager, MONDAY - 300 * MINUTE)
    assert look(pager, MONDAY + away) == count


def test_an_override_tells_both(pager: Pager) -> None:
    look(pager, MONDAY)
    at = MONDAY + 10 * MINUTE
    with pager.database.write() as session:
        rotation = session.get_one(shift_reminders.Rotation, pager.rotation_id)
        fay = session.get_one(User, pager.people["fay"])
        factories.override(session, rotation, fay, starts_at=at, ends_at=at + 20 * MINUTE)
    # It was written a little late.
    look(pager, at - MINUTE)
    look(pager, at + 2 * MINUTE)
    first = mails(pager)
    assert first[-1] == ("fay", "Your shift begins")
    assert first[-2][1] == "Your shift ends"
    look(pager, at + 20 * MINUTE)
    assert [word for _, word in mails(pager)[-2:]] == ["Your shift ends", "Your shift begins"]


def test_it_says_until_when_and_who_is_next(pager: Pager) -> None:
    with pager.database.write() as session:
        for user in session.scalars(select(User)):
            user.zone = "Europe/Berlin"
    look(pager, MONDAY - MINUTE)
    look(pager, MONDAY)
    with pager.database.read() as session:
        ended, begun = session.scalars(select(Notification).order_by(Notification.id)).all()
    assert begun.message["title"] == "You are on call for Core · " + _rotation(pager)
    assert "Until: Monday, 16 March 2026, 10:00 (Europe/Berlin)" in begun.message["description"]
    assert "Next: " in begun.message["description"]
    assert "Since: Monday, 09 March 2026, 10:00 (Europe/Berlin)" in ended.message["description"]
    assert (begun.method, begun.alert_id) == ("email", None)


def _rotation(pager: Pager) -> str:
    with pager.database.read() as session:
        return session.get_one(shift_reminders.Rotation, pager.rotation_id).name


@pytest.mark.parametrize(
    "change",
    [
        {"shift_start_reminder": False, "shift_end_reminder": False},
        {"email": None},
    ],
)
def test_who_wants_none_or_has_no_address_gets_none(pager: Pager, change: dict[str, Any]) -> None:
    with pager.database.write() as session:
        for user in session.scalars(select(User)):
            for name, value in change.items():
                setattr(user, name, value)
    look(pager, MONDAY - MINUTE)
    assert look(pager, MONDAY) == 0
    with pager.database.read() as session:
        assert [row.notified for row in session.scalars(select(ShiftReminder))] == [False, False]


def test_paused_rotations_are_left_alone(pager: Pager) -> None:
    look(pager, MONDAY - MINUTE)
    with pager.database.write() as session:
        session.get_one(shift_reminders.Rotation, pager.rotation_id).enabled = False
    assert look(pager, MONDAY) == 0


def test_who_leaves_is_told_nothing_and_who_follows_is(pager: Pager) -> None:
    look(pager, MONDAY - MINUTE)
    look(pager, MONDAY)
    ((holder, _),) = [one for one in mails(pager) if one[1] == "Your shift begins"]
    at = MONDAY + 10 * MINUTE
    with pager.database.write() as session:
        user = session.get_one(User, pager.people[holder])
        users.update(session, user, {"active": False}, actor=SYSTEM, now=at, confirm=True)
    assert look(pager, at) == 1
    follower, told = mails(pager)[-1]
    assert (follower != holder, told) == (True, "Your shift begins")


def test_two_workers_at_once_tell_once(pager: Pager) -> None:
    look(pager, MONDAY - MINUTE)
    barrier, counts = threading.Barrier(2), []

    def work() -> None:
        barrier.wait()
        counts.append(look(pager, MONDAY))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 2]
    assert len(mails(pager)) == 2


def test_old_ones_are_forgotten(pager: Pager) -> None:
    look(pager, MONDAY - MINUTE)
    look(pager, MONDAY)
    for days, left in ((29, 2), (31, 0)):
        with pager.database.write() as session:
            shift_reminders.prune_reminders(session, MONDAY + timedelta(days=days))
        with pager.database.read() as session:
            assert len(session.scalars(select(ShiftReminder)).all()) == left


def test_the_number_of_statements_is_constant(pager: Pager, query_count: Any) -> None:
    def count(at: datetime) -> int:
        with query_count() as statements:
            look(pager, at)
        return len(statements)

    look(pager, MONDAY - MINUTE)
    one = count(MONDAY)
    with pager.database.write() as session:
        team = session.get_one(factories.models.Team, pager.team_id)
        members = tuple(session.get_one(User, pager.people[name]) for name in ("ann", "bob"))
        for _ in range(5):
            factories.rotation(session, team, members=members)
    assert count(MONDAY + timedelta(days=7)) == one


def test_who_left_the_group_gets_no_reminder(pager: Pager) -> None:
    """It would tell them who is on call now."""
    look(pager, MONDAY - MINUTE)
    look(pager, MONDAY)
    with pager.database.write() as session:
        rows = {row.message["headline"]: row for row in session.scalars(select(Notification))}
        ended, begun = rows["Your shift ends"], rows["Your shift begins"]
        session.execute(delete(GroupMember).where(GroupMember.user_id == ended.user_id))
        ids = ended.id, begun.id
    assert [pager.claim(each, MONDAY) is None for each in ids] == [True, False]
    with pager.database.read() as session:
        assert session.get_one(Notification, ids[0]).state is DeliveryState.CANCELLED
