"""People who are deactivated or leave: their alerts and pages move on at once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus, DeliveryState, TeamRole, Urgency
from incidentrelay.domain.oncall.shifts import on_call
from incidentrelay.models import (
    Alert,
    GroupMember,
    Notification,
    RotationLayer,
    Route,
    Team,
    TeamMember,
    User,
)
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.oncall.schedules import load_schedule
from incidentrelay.services.tenancy import departures, group_members, team_members, users
from tests.services.conftest import ADMIN
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases

Leave = Callable[[Pager, str, datetime], None]
LATER = NOW + MINUTE


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def deactivate(pager: Pager, name: str, at: datetime) -> None:
    with pager.database.write() as session:
        user = session.get_one(User, pager.people[name])
        users.update(session, user, {"active": False}, actor=ADMIN, now=at, confirm=True)


def leave_group(pager: Pager, name: str, at: datetime) -> None:
    """Removed from the rotation first, as the product requires."""
    with pager.database.write() as session:
        leaver = pager.people[name]
        for layer in session.scalars(select(RotationLayer)):
            layer.members = [member for member in layer.members if member != leaver]
        session.flush()
        home = select(Team.group_id).where(Team.id == pager.team_id).scalar_subquery()
        query = select(GroupMember).where(
            GroupMember.user_id == leaver, GroupMember.group_id == home
        )
        member = session.scalars(query).one()
        group_members.delete(session, member, actor=ADMIN, now=at, confirm=True)


LEAVING = pytest.mark.parametrize("leave", [deactivate, leave_group])


def act(pager: Pager, name: str, action: Callable[..., object], at: datetime = NOW) -> None:
    actor = Actor(name=name.title(), via="api", user_id=pager.people[name])
    with pager.database.write() as session:
        action(session, pager.alert(session), actor=actor, now=at)


def assign(pager: Pager, name: str, at: datetime = NOW) -> None:
    with pager.database.write() as session:
        user = session.get_one(User, pager.people[name])
        alert_actions.assign(session, pager.alert(session), user, actor=ADMIN, now=at)


def facts(pager: Pager) -> tuple[AlertStatus, str | None, str | None]:
    """The alert's status, its assignee, and who acknowledged it."""
    names = {user_id: name for name, user_id in pager.people.items()}
    with pager.database.read() as session:
        alert = pager.alert(session)
        return (
            alert.status,
            names.get(alert.assignee_id or 0),
            names.get(alert.acknowledged_by_id or 0),
        )


def on_call_now(pager: Pager, at: datetime = LATER) -> str:
    with pager.database.read() as session:
        shift = on_call(load_schedule(session, pager.rotation_id), at)
    assert shift is not None
    return {user_id: name for name, user_id in pager.people.items()}[shift.user_id]


def pending(pager: Pager) -> list[tuple[str, str]]:
    return [(kind, who) for kind, who, state in pager.outbox() if state == "pending"]


@LEAVING
def test_an_alert_acknowledged_by_somebody_who_left_pages_the_person_on_call(
    pager: Pager, leave: Leave
) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge)
    leave(pager, "ann", LATER)
    assert on_call_now(pager) != "ann"
    assert facts(pager) == (AlertStatus.FIRING, on_call_now(pager), None)
    assert ("page", on_call_now(pager)) in pending(pager)
    assert pager.timeline()[-2:] == ["responder_left", "paged"]


@LEAVING
def test_an_alert_assigned_to_somebody_who_left_pages_the_person_on_call(
    pager: Pager, leave: Leave
) -> None:
    pager.take(a_signal())
    assign(pager, "fay")
    leave(pager, "fay", LATER)
    assert facts(pager) == (AlertStatus.FIRING, "ann", None)
    assert ("page", "ann") in pending(pager)
    assert "fay" not in {who for _, who in pending(pager)}


@LEAVING
def test_an_acknowledged_alert_handed_to_somebody_who_left_fires_again(
    pager: Pager, leave: Leave
) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge)
    assign(pager, "fay")
    leave(pager, "fay", LATER)
    assert facts(pager) == (AlertStatus.FIRING, "ann", None)


@LEAVING
def test_a_reminder_goes_to_the_person_on_call_now(pager: Pager, leave: Leave) -> None:
    pager.take(a_signal())
    leave(pager, "ann", NOW + MINUTE / 2)
    pager.run_due(NOW + 2 * MINUTE)
    assert ("reminder", on_call_now(pager)) in pending(pager)
    assert "ann" not in {who for _, who in pending(pager)}
    assert "nobody_on_call" not in pager.timeline()


@LEAVING
def test_a_quiet_alert_stays_quiet_and_loses_its_assignee(pager: Pager, leave: Leave) -> None:
    pager.take(a_signal())
    actor = Actor(name="Bob", via="api", user_id=pager.people["bob"])
    until = NOW + 30 * MINUTE
    with pager.database.write() as session:
        alert_actions.snooze(session, pager.alert(session), until, actor=actor, now=NOW)
    leave(pager, "ann", LATER)
    assert facts(pager) == (AlertStatus.FIRING, None, None)
    assert pending(pager) == []
    pager.run_due(until)
    assert facts(pager)[1] == on_call_now(pager)


@LEAVING
def test_a_resolved_alert_stays_as_it_was(pager: Pager, leave: Leave) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge)
    act(pager, "ann", alert_actions.resolve)
    leave(pager, "ann", LATER)
    assert facts(pager) == (AlertStatus.RESOLVED, "ann", "ann")


def test_leaving_one_group_moves_nothing_of_another(pager: Pager) -> None:
    with pager.database.write() as session:
        other = factories.group(session, "other")
        fay = session.get_one(User, pager.people["fay"])
        member = factories.group_member(session, other, fay)
        session.expunge(member)
    pager.take(a_signal())
    assign(pager, "fay")
    act(pager, "fay", alert_actions.acknowledge)
    with pager.database.write() as session:
        row = session.get_one(GroupMember, member.id)
        group_members.delete(session, row, actor=ADMIN, now=LATER, confirm=True)
    assert facts(pager) == (AlertStatus.ACKNOWLEDGED, "fay", "fay")


def test_a_membership_of_another_group_keeps_nobody(pager: Pager) -> None:
    with pager.database.write() as session:
        fay = session.get_one(User, pager.people["fay"])
        factories.group_member(session, factories.group(session, "other"), fay)
    pager.take(a_signal())
    act(pager, "fay", alert_actions.acknowledge)
    leave_group(pager, "fay", LATER)
    assert facts(pager) == (AlertStatus.FIRING, "ann", None)


def test_an_admin_of_no_group_who_is_demoted_has_left(pager: Pager) -> None:
    with pager.database.write() as session:
        zoe = factories.user(session, "zoe", is_admin=True)
        factories.user(session, "root", is_admin=True)
        pager.people["zoe"] = zoe.id
    pager.take(a_signal())
    act(pager, "zoe", alert_actions.acknowledge)
    with pager.database.write() as session:
        row = session.get_one(User, pager.people["zoe"])
        users.update(session, row, {"is_admin": False}, actor=ADMIN, now=LATER)
    assert facts(pager) == (AlertStatus.FIRING, "ann", None)


def test_deleting_somebody_moves_their_alerts_on(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "fay", alert_actions.acknowledge)
    with pager.database.write() as session:
        user = session.get_one(User, pager.people["fay"])
        users.delete(session, user, actor=ADMIN, now=LATER, confirm=True)
    assert facts(pager) == (AlertStatus.FIRING, "ann", None)


def test_an_acknowledgement_that_came_in_at_the_same_moment_is_found_by_the_sweep(
    pager: Pager,
) -> None:
    pager.take(a_signal())
    deactivate(pager, "fay", NOW)
    act(pager, "fay", alert_actions.acknowledge, at=LATER)
    with pager.database.write() as session:
        (alert_id,) = departures.list_departed(session, limit=10)
        assert departures.release_alert(session, alert_id, LATER)
    assert facts(pager) == (AlertStatus.FIRING, "ann", None)
    with pager.database.write() as session:
        assert departures.list_departed(session, limit=10) == []
        assert not departures.release_alert(session, alert_id, LATER)


def test_somebody_who_left_gives_their_alerts_back_in_generations(pager: Pager) -> None:
    """Earlier notifications of the alert are fenced off, even claimed ones."""
    pager.take(a_signal())
    with pager.database.read() as session:
        before = pager.alert(session).generation
    (first, *_) = pager.due()
    taken = pager.claim(first)
    assert taken is not None
    deactivate(pager, "ann", LATER)
    with pager.database.read() as session:
        assert pager.alert(session).generation == before + 1
    assert pager.claim(first, LATER + timedelta(minutes=5)) is None


# Pending notifications of somebody who is not responsible for the alert


def page_the_team(pager: Pager, *names: str) -> None:
    """Let the route's policy notify the whole team, which has these people."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        for name in names:
            factories.team_member(session, team, session.get_one(User, pager.people[name]))
        steps = [{"delay": 0, "targets": [{"kind": "team", "id": team.id}]}]
        policy = factories.policy(session, team, steps=steps)
        session.get_one(Route, pager.route_id).policy_id = policy.id


def delay_contact(pager: Pager, name: str) -> None:
    """Two contacts: one is used at once, one ten minutes later."""
    with pager.database.write() as session:
        user = session.get_one(User, pager.people[name])
        at_once = factories.contact(session, user, address="now@example.test")
        later = factories.contact(session, user, address="later@example.test")
        factories.rule(session, at_once, 0, Urgency.HIGH)
        factories.rule(session, later, 600, Urgency.HIGH)


def states(pager: Pager, name: str) -> set[DeliveryState]:
    with pager.database.read() as session:
        query = select(Notification.state).where(Notification.user_id == pager.people[name])
        return set(session.scalars(query))


@LEAVING
def test_what_waits_for_somebody_who_left_is_cancelled(pager: Pager, leave: Leave) -> None:
    page_the_team(pager, "bob", "fay")
    delay_contact(pager, "fay")
    pager.take(a_signal())
    assert facts(pager)[1] == "bob"
    leave(pager, "fay", LATER)
    assert states(pager, "fay") == {DeliveryState.CANCELLED}
    assert facts(pager)[1] == "bob"
    assert "fallback_notified" not in pager.timeline()


@LEAVING
def test_where_nobody_else_was_paged_the_fallback_is_notified(pager: Pager, leave: Leave) -> None:
    pager.change(fallback_user_id=pager.people["cy"])
    page_the_team(pager, "bob", "fay")
    pager.take(a_signal())
    with pager.database.write() as session:
        bobs = update(Notification).where(Notification.user_id == pager.people["bob"])
        session.execute(bobs.values(state=DeliveryState.FAILED, next_at=None))
    leave(pager, "fay", LATER)
    assert ("fallback", "cy") in pending(pager)


@LEAVING
def test_nobody_who_left_is_told_how_it_ended(pager: Pager, leave: Leave) -> None:
    page_the_team(pager, "bob", "fay")
    pager.take(a_signal())
    with pager.database.write() as session:
        session.execute(update(Notification).values(state=DeliveryState.SENT, next_at=None))
    leave(pager, "fay", LATER)
    act(pager, "cy", alert_actions.resolve, at=LATER)
    with pager.database.read() as session:
        query = select(Notification.user_id).where(Notification.kind == "update")
        told = set(session.scalars(query))
    assert pager.people["bob"] in told
    assert pager.people["fay"] not in told


# Leaving a team


def leave_team(pager: Pager, name: str, at: datetime = LATER) -> None:
    with pager.database.write() as session:
        query = select(TeamMember).where(TeamMember.user_id == pager.people[name])
        team_members.delete(session, session.scalars(query).one(), actor=ADMIN, now=at)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("viewer", (AlertStatus.FIRING, "ann", None)),
        ("responder", (AlertStatus.ACKNOWLEDGED, "fay", "fay")),
    ],
)
def test_leaving_the_team_matters_where_it_gave_the_right_to_respond(
    pager: Pager, role: str, expected: tuple[AlertStatus, str, str | None]
) -> None:
    with pager.database.write() as session:
        fay = session.get_one(User, pager.people["fay"])
        of_fay = update(GroupMember).where(GroupMember.user_id == fay.id)
        session.execute(of_fay.values(role=role))
        factories.team_member(
            session, session.get_one(Team, pager.team_id), fay, TeamRole.RESPONDER
        )
    pager.take(a_signal())
    act(pager, "fay", alert_actions.acknowledge)
    leave_team(pager, "fay")
    assert facts(pager) == expected


def test_twenty_alerts_move_on_together(pager: Pager) -> None:
    for number in range(20):
        pager.take(a_signal(f"disk{number}"))
    deactivate(pager, "ann", LATER)
    with pager.database.read() as session:
        assert set(session.scalars(select(Alert.assignee_id))) == {pager.people["bob"]}
