"""Handing on: whoever is next in the rotation has the alert, and is paged."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, TargetKind
from incidentrelay.domain.errors import Conflict, InvalidTransition
from incidentrelay.models import Alert, Event, Route, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import bulk
from incidentrelay.services.alerts.bulk import BulkAction, BulkOrder, BulkOutcome
from tests.services.conftest import acting
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases
LATER = NOW + MINUTE


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def user(pager: Pager, session: Session, name: str) -> User:
    return session.get_one(User, pager.people[name])


def reassign_to_next(pager: Pager) -> str:
    with pager.database.write() as session:
        fay = acting(user(pager, session, "fay"))
        return alert_actions.reassign_to_next(
            session, pager.alert(session), actor=fay, now=LATER
        ).username


def deactivate(pager: Pager, *names: str) -> None:
    with pager.database.write() as session:
        for name in names:
            user(pager, session, name).active = False


def without_rotation(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(Route).values(rotation_id=None))


def test_it_goes_around_the_rotation(pager: Pager) -> None:
    pager.take(a_signal())
    assert [reassign_to_next(pager) for _ in range(4)] == ["bob", "cy", "ann", "bob"]


def test_the_next_is_paged_and_the_timeline_says_so(pager: Pager) -> None:
    pager.take(a_signal())
    reassign_to_next(pager)
    assert ("assignment", "bob", "pending") in pager.outbox()
    with pager.database.read() as session:
        assert pager.alert(session).assignee_id == pager.people["bob"]
        line = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert line is not None
        assert (line.kind, line.text) == ("assigned", "Passed to Bob by fay")


def test_who_is_not_active_is_left_out(pager: Pager) -> None:
    pager.take(a_signal())
    deactivate(pager, "bob")
    assert reassign_to_next(pager) == "cy"


def test_an_assignee_from_outside_hands_on_to_who_is_on_call(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        fay = user(pager, session, "fay")
        alert_actions.assign(session, pager.alert(session), fay, actor=acting(fay), now=NOW)
    assert reassign_to_next(pager) == "ann"


def test_in_a_policy_the_first_rotation_counts(pager: Pager) -> None:
    with pager.database.write() as session:
        other = factories.rotation(
            session,
            session.get_one(Team, pager.team_id),
            "second",
            members=[user(pager, session, name) for name in ("cy", "fay")],
        )
        people = {"kind": TargetKind.USER, "id": pager.people["ann"]}
        turn = {"kind": TargetKind.ON_CALL, "id": other.id}
        steps = [
            {"delay": 0, "targets": [people]},
            {"delay": 60, "targets": [turn]},
        ]
        policy = factories.policy(session, session.get_one(Team, pager.team_id), steps=steps)
        session.execute(update(Route).values(policy_id=policy.id))
    pager.take(a_signal())
    assert reassign_to_next(pager) in {"cy", "fay"}


def test_without_a_rotation_it_is_refused(pager: Pager) -> None:
    without_rotation(pager)
    pager.take(a_signal())
    with pytest.raises(Conflict, match="plan has no rotation"):
        reassign_to_next(pager)
    assert "assigned" not in pager.timeline()


def test_where_nobody_else_is_there_it_is_refused(pager: Pager) -> None:
    pager.take(a_signal())
    deactivate(pager, "bob", "cy")
    with pytest.raises(Conflict, match="No one else is active"):
        reassign_to_next(pager)


def test_an_acknowledged_alert_stays_so_and_a_resolved_one_is_refused(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        ann = acting(user(pager, session, "ann"))
        alert_actions.acknowledge(session, pager.alert(session), actor=ann, now=NOW)
    reassign_to_next(pager)
    with pager.database.read() as session:
        assert pager.alert(session).status is AlertStatus.ACKNOWLEDGED
    pager.take(a_signal(resolved=True), at=LATER)
    with pytest.raises(InvalidTransition):
        reassign_to_next(pager)


def test_in_bulk_each_goes_to_its_own_next_one(pager: Pager) -> None:
    pager.take(a_signal("one"), a_signal("two"))
    reassign_to_next(pager)
    without_rotation(pager)
    pager.take(a_signal("three"))
    with pager.database.write() as session:
        ids = list(session.scalars(select(Alert.id).order_by(Alert.id)))
        fay = user(pager, session, "fay")
        results = bulk.perform_bulk(
            session,
            BulkOrder(BulkAction.REASSIGN),
            ids,
            memberships.load_roles(session, fay),
            actor=acting(fay),
            now=LATER,
        )
    outcomes = [result.outcome for result in results]
    assert outcomes == [BulkOutcome.DONE, BulkOutcome.DONE, BulkOutcome.REFUSED]
    assert "no rotation" in results[2].reason
    with pager.database.read() as session:
        owners = session.scalars(select(Alert.assignee_id).order_by(Alert.id)).all()
        assert owners == [pager.people["bob"], pager.people["cy"], None]
