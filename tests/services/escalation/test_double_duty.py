"""Who is paged by two steps of a policy at once: found, stored for banners, and mended."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import TeamRole
from incidentrelay.models import Policy, Rotation, RotationOverride, Team, User
from incidentrelay.services.access.memberships import Roles, load_roles
from incidentrelay.services.escalation import double_duty, policies
from tests.services.conftest import ADMIN
from tests.support import factories
from tests.support.pager import NOW, Pager, build

pytestmark = pytest.mark.both_databases

EVERYTHING = Roles(True, {}, {})
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The first handoff from NOW on.
MONDAY = datetime(2026, 3, 16, 9, tzinfo=UTC)


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def secondary(session: Session, pager: Pager, *members: str) -> int:
    """A second weekly rotation of the team."""
    team = session.get_one(Team, pager.team_id)
    people = tuple(session.get_one(User, pager.people[name]) for name in members)
    return factories.rotation(session, team, "secondary", members=people).id


def a_policy(session: Session, pager: Pager, *rotations: Sequence[int], **given: Any) -> Policy:
    """One step for each list of rotations, stored without looking for double duty."""
    steps = [
        {"delay": 300, "targets": [{"kind": "rotation", "id": key} for key in ids]}
        for ids in rotations
    ]
    team = session.get_one(Team, pager.team_id)
    return factories.policy(session, team, steps=steps, **given)


def listed(session: Session, policy: Policy, now: datetime = NOW) -> list[tuple[Any, ...]]:
    found = double_duty.list_double_duty(session, policy, now)
    return [
        (each.user.username, each.first.slug, each.second.slug, each.start, each.end)
        for each in found
    ]


def refresh(session: Session, now: datetime = NOW) -> int:
    summaries = double_duty.find_outdated(session, now)
    double_duty.store_summaries(session, summaries)
    session.expire_all()
    return len(summaries)


def warned(session: Session, roles: Roles = EVERYTHING, now: datetime = NOW) -> list[Any]:
    return [
        (each.policy_slug, each.user, each.more)
        for each in double_duty.list_warnings(session, roles, now)
    ]


@pytest.fixture
def policy(pager: Pager) -> int:
    """Ann, bob and cy are primary; bob, cy and ann are secondary, always a week earlier."""
    with pager.database.write() as session:
        ids = [pager.rotation_id], [secondary(session, pager, "bob", "cy", "ann")]
        return a_policy(session, pager, *ids).id


def cover(session: Session, pager: Pager, name: str, start: datetime = NOW + DAY) -> int:
    """Put somebody into the secondary rotation for an hour."""
    rotation = session.scalars(select(Rotation).where(Rotation.slug == "secondary")).one()
    user = session.get_one(User, pager.people[name])
    return factories.override(session, rotation, user, starts_at=start, ends_at=start + HOUR).id


def test_a_primary_who_is_secondary_too_is_listed(pager: Pager) -> None:
    with pager.database.write() as session:
        two = secondary(session, pager, "ann", "bob", "cy")
        policy = a_policy(session, pager, [pager.rotation_id], [two])
        one = session.get_one(Rotation, pager.rotation_id).slug
        midnight = NOW - 12 * HOUR
        assert listed(session, policy) == [
            ("ann", one, "secondary", midnight, MONDAY),
            ("bob", one, "secondary", MONDAY, MONDAY + 7 * DAY),
            ("cy", one, "secondary", MONDAY + 7 * DAY, midnight + 14 * DAY),
        ]
        # What is over is no longer listed.
        assert [row[0] for row in listed(session, policy, MONDAY)] == ["bob", "cy"]


@pytest.mark.parametrize(
    "steps",
    [
        lambda one, two: [[one]],
        lambda one, two: [[one], [one]],
        lambda one, two: [[one, two]],
        lambda one, two: [[one], []],
        lambda one, two: [[one], [987654]],
    ],
)
def test_one_page_and_reminders_are_none(pager: Pager, steps: Any) -> None:
    with pager.database.write() as session:
        two = secondary(session, pager, "ann", "bob", "cy")
        assert listed(session, a_policy(session, pager, *steps(pager.rotation_id, two))) == []


def test_the_schedule_that_pages_counts(pager: Pager, policy: int) -> None:
    with pager.database.write() as session:
        row = session.get_one(Policy, policy)
        assert listed(session, row) == []
        cover(session, pager, "ann")
        assert [each[0] for each in listed(session, row)] == ["ann"]
        session.get_one(Rotation, pager.rotation_id).enabled = False
        assert listed(session, row) == []
        session.get_one(Rotation, pager.rotation_id).enabled = True
        # Bob takes ann's turn as primary, and is secondary already.
        session.get_one(User, pager.people["ann"]).active = False
        session.flush()
        assert {each[0] for each in listed(session, row)} == {"bob"}


def test_the_hours_of_a_step_count(pager: Pager, policy: int) -> None:
    hours = {"weekdays": [2], "opens": "12:30", "closes": "18:00", "zone": "UTC"}
    with pager.database.write() as session:
        cover(session, pager, "ann")
        row = session.get_one(Policy, policy)
        row.steps = [row.steps[0], {**row.steps[1], "conditions": {"hours": hours}}]
        assert [each[3:] for each in listed(session, row)] == [
            (NOW + DAY + HOUR / 2, NOW + DAY + HOUR)
        ]


def test_what_was_found_is_stored_until_it_is_mended(pager: Pager, policy: int) -> None:
    with pager.database.write() as session:
        assert (refresh(session), warned(session)) == (0, [])
        override = cover(session, pager, "ann")
        cover(session, pager, "ann", NOW + 2 * DAY)
        version = session.get_one(Policy, policy).version
        assert (refresh(session), refresh(session)) == (1, 0)
        slug = session.get_one(Policy, policy).slug
        assert warned(session) == [(slug, "Ann", 1)]
        assert session.get_one(Policy, policy).version == version
        # An ongoing one keeps its start, so it is stored only once.
        assert refresh(session, NOW + DAY + HOUR / 2) == 0
        session.delete(session.get_one(RotationOverride, override))
        session.flush()
        assert refresh(session) == 1
        assert warned(session) == [(slug, "Ann", 0)]
        assert warned(session, now=NOW + 3 * DAY) == []
        assert (refresh(session, NOW + 3 * DAY), warned(session)) == (1, [])


def test_saving_a_policy_looks_at_once(pager: Pager) -> None:
    with pager.database.write() as session:
        secondary(session, pager, "ann", "bob", "cy")
        team = session.get_one(Team, pager.team_id)
        one = session.get_one(Rotation, pager.rotation_id).slug
        steps = [
            {"delay": 60, "targets": [{"kind": "rotation", "name": name}]}
            for name in (one, "secondary")
        ]
        row = policies.create(
            session, team, {"name": "Night", "steps": steps}, actor=ADMIN, now=NOW
        )
        assert warned(session) == [("night", "Ann", 2)]
        assert refresh(session) == 0
        policies.update(session, row, {"steps": steps[:1]}, actor=ADMIN, now=NOW)
        assert warned(session) == []
        policies.update(session, row, {"steps": steps}, actor=ADMIN, now=NOW)
        assert warned(session) == [("night", "Ann", 2)]


def test_a_policy_that_was_saved_meanwhile_keeps_its_own(pager: Pager, policy: int) -> None:
    with pager.database.write() as session:
        cover(session, pager, "ann")
        summaries = double_duty.find_outdated(session, NOW)
        row = session.get_one(Policy, policy)
        policies.update(session, row, {"description": "New"}, actor=ADMIN, now=NOW)
        double_duty.store_summaries(session, summaries)
        session.expire_all()
        assert warned(session) == []


@pytest.mark.parametrize(("role", "count"), [(TeamRole.MANAGER, 1), (TeamRole.RESPONDER, 0)])
def test_those_who_may_edit_are_warned(
    pager: Pager, policy: int, role: TeamRole, count: int
) -> None:
    with pager.database.write() as session:
        cover(session, pager, "ann")
        refresh(session)
        fay = session.get_one(User, pager.people["fay"])
        factories.team_member(session, session.get_one(Team, pager.team_id), fay, role)
        roles = load_roles(session, fay)
        assert len(warned(session, roles)) == count
        session.get_one(Team, pager.team_id).active = False
        session.flush()
        assert warned(session) == []


def test_the_statements_do_not_grow(pager: Pager, policy: int, query_count: Any) -> None:
    def count() -> int:
        with pager.database.read() as session:
            row = session.get_one(Policy, policy)
            with query_count() as statements:
                double_duty.find_outdated(session, NOW)
                double_duty.list_double_duty(session, row, NOW)
                double_duty.list_warnings(session, EVERYTHING, NOW)
        return len(statements)

    with pager.database.write() as session:
        cover(session, pager, "ann")
    few = count()
    with pager.database.write() as session:
        for number in range(5):
            cover(session, pager, "ann", NOW + (2 + number) * DAY)
            a_policy(session, pager, *[[each] for each in session.scalars(select(Rotation.id))])
        refresh(session)
    assert count() == few
