"""Assignments that do not arrive."""

from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.actors import SYSTEM, Actor
from incidentrelay.domain.enums import AlertStatus, DeliveryState, NotificationKind
from incidentrelay.models import Notification, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.outbox.records import DeliveryResult
from tests.support.pager import NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases
LOST = DeliveryResult(DeliveryState.FAILED, "No such mailbox.")
NOT_SET_UP = DeliveryResult(DeliveryState.CANCELLED, "E-mail is not set up.")


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = build(database)
    pager.change(fallback_user_id=pager.people["fay"])
    pager.take(a_signal())
    return pager


def act(pager: Pager, name: str, action: Any) -> None:
    actor = Actor(name=name, via="api", user_id=pager.people[name])
    with pager.database.write() as session:
        action(session, pager.alert(session), actor=actor, now=NOW)


def assign(pager: Pager, name: str) -> None:
    with pager.database.write() as session:
        user = session.get_one(User, pager.people[name])
        alert_actions.assign(session, pager.alert(session), user, actor=SYSTEM, now=NOW)


def fail_assignment(pager: Pager, result: DeliveryResult, name: str = "cy") -> None:
    query = select(Notification.id).where(
        Notification.kind == NotificationKind.ASSIGNMENT,
        Notification.user_id == pager.people[name],
        Notification.method == "email",
    )
    with pager.database.read() as session:
        claim = pager.claim(session.scalars(query).one())
    assert claim is not None
    pager.record(claim, result)


@pytest.mark.parametrize("result", [LOST, NOT_SET_UP])
def test_a_failed_assignment_notifies_the_fallback(pager: Pager, result: DeliveryResult) -> None:
    assign(pager, "cy")
    fail_assignment(pager, result)
    assert ("fallback", "fay", "pending") in pager.outbox()


def test_an_acknowledged_alert_handed_to_nobody_fires_again(pager: Pager) -> None:
    act(pager, "bob", alert_actions.acknowledge)
    assign(pager, "cy")
    fail_assignment(pager, LOST)
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert (alert.status, alert.assignee_id) == (AlertStatus.FIRING, pager.people["ann"])
    assert ("page", "ann", "pending") in pager.outbox()


@pytest.mark.parametrize("deed", ["reassigned", "resolved"])
def test_a_failure_that_no_longer_matters_notifies_nobody(pager: Pager, deed: str) -> None:
    assign(pager, "cy")
    if deed == "reassigned":
        assign(pager, "bob")
    with pager.database.read() as session:
        query = select(Notification.id).where(
            Notification.user_id == pager.people["cy"], Notification.method == "email"
        )
        claim = pager.claim(session.scalars(query).one())
    assert claim is not None
    if deed == "resolved":
        act(pager, "ann", alert_actions.resolve)
    pager.record(claim, LOST)
    assert "fallback_notified" not in pager.timeline()
