"""Pages follow people's notification rules, each contact at its time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import DeliveryState, Severity, Urgency
from incidentrelay.models import ContactMethod, Notification, Route, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts.upcoming import planned_steps
from incidentrelay.services.escalation import route_facts
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.outbox.records import DeliveryResult
from incidentrelay.services.simulation import simulate as simulation
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def contact(pager: Pager, label: str, *delays: int, name: str = "ann", **given: Any) -> int:
    """A confirmed contact of somebody, used ``delays`` minutes after an urgent page."""
    with pager.database.write() as session:
        user = session.get_one(User, pager.people[name])
        row = factories.contact(session, user, label=label, address=f"{label}@{name}.test", **given)
        for delay in delays:
            factories.rule(session, row, delay * 60)
        return row.id


def owed(pager: Pager, name: str = "ann") -> list[tuple[str, int, str]]:
    """(contact's label, minutes from now, state) of the e-mails to somebody, by their time."""
    with pager.database.read() as session:
        query = select(Notification, ContactMethod.label).outerjoin(Notification.contact)
        query = query.where(
            Notification.user_id == pager.people[name], Notification.method == "email"
        )
        return [
            (label or "", minutes(row.next_at), str(row.state))
            for row, label in session.execute(query.order_by(Notification.id))
        ]


def minutes(at: datetime | None) -> int:
    return -1 if at is None else int((at - NOW) / MINUTE)


def notification_id(pager: Pager, label: str) -> int:
    with pager.database.read() as session:
        query = select(Notification.id).join(Notification.contact)
        return session.scalars(query.where(ContactMethod.label == label)).first() or 0


def fail(pager: Pager, label: str, state: DeliveryState = DeliveryState.FAILED) -> None:
    taken = pager.claim(notification_id(pager, label))
    assert taken is not None
    pager.record(taken, DeliveryResult(state, "Refused."))


def test_without_a_contact_the_address_of_the_profile_is_used(pager: Pager) -> None:
    contact(pager, "home", verified_at=None)
    pager.take(a_signal())
    assert owed(pager) == [("", 0, "pending")]
    (claim,) = [pager.claim(each) for each in pager.due() if _is_mail(pager, each)]
    assert claim is not None
    assert claim.config == {"to": ["ann@example.test"]}


def _is_mail(pager: Pager, each: int) -> bool:
    with pager.database.read() as session:
        return session.get_one(Notification, each).method == "email"


def test_without_rules_every_confirmed_contact_is_told_at_once(pager: Pager) -> None:
    contact(pager, "home")
    contact(pager, "work")
    contact(pager, "typo", verified_at=None)
    pager.take(a_signal())
    assert owed(pager) == [("home", 0, "pending"), ("work", 0, "pending")]
    taken = pager.claim(notification_id(pager, "work"))
    assert taken is not None
    assert taken.config == {"to": ["work@ann.test"]}


def test_each_rule_has_its_time(pager: Pager) -> None:
    contact(pager, "home", 0, 15)
    contact(pager, "work", 5)
    pager.take(a_signal())
    expected = [("home", 0, "pending"), ("work", 5, "pending"), ("home", 15, "pending")]
    assert owed(pager) == expected
    assert notification_id(pager, "work") not in pager.due(NOW + 5 * MINUTE - timedelta(seconds=1))
    assert notification_id(pager, "work") in pager.due(NOW + 5 * MINUTE)


def test_a_worker_is_woken_when_each_is_due(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 5)
    hints: list[Any] = []
    pager.database.sink = hints.extend
    pager.take(a_signal())
    at = {hint.id: hint.at for hint in hints if hint.task == "deliver"}
    assert at[notification_id(pager, "home")] is None
    assert at[notification_id(pager, "work")] == NOW + 5 * MINUTE


def test_alerts_that_are_not_urgent_have_rules_of_their_own(pager: Pager) -> None:
    contact(pager, "home", 0)
    work = contact(pager, "work")
    with pager.database.write() as session:
        factories.rule(session, session.get_one(ContactMethod, work), 600, Urgency.LOW)
    pager.take(a_signal(severity=Severity.WARNING))
    assert owed(pager) == [("work", 10, "pending")]


def test_an_acknowledgement_takes_the_later_ones_back(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 5)
    pager.take(a_signal())
    with pager.database.write() as session:
        actor = Actor(name="ann", via="api", user_id=pager.people["ann"])
        alert_actions.acknowledge(session, pager.alert(session), actor=actor, now=NOW + MINUTE)
    assert owed(pager)[:2] == [("home", -1, "cancelled"), ("work", -1, "cancelled")]
    assert pager.claim(notification_id(pager, "work"), NOW + 5 * MINUTE) is None


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.CANCELLED])
def test_a_way_that_fails_brings_the_next_one_forward(pager: Pager, state: DeliveryState) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 5)
    contact(pager, "phone", 15)
    pager.change(fallback_user_id=pager.people["fay"])
    pager.take(a_signal())
    fail(pager, "home", state)
    assert owed(pager)[1:] == [("work", 0, "pending"), ("phone", 15, "pending")]
    fail(pager, "work")
    assert owed(pager)[2:] == [("phone", 0, "pending")]
    assert "fallback_notified" not in pager.timeline()
    fail(pager, "phone")
    assert "fallback_notified" in pager.timeline()


def test_where_another_way_was_used_the_next_one_keeps_its_time(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "desk", 0)
    contact(pager, "work", 5)
    pager.take(a_signal())
    fail(pager, "home")
    assert owed(pager)[2] == ("work", 5, "pending")
    fail(pager, "desk")
    assert owed(pager)[2] == ("work", 0, "pending")


def test_the_rules_of_somebody_else_are_left_alone(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "late", 0, 5, name="bob")
    pager.take(a_signal())
    with pager.database.write() as session:
        row = session.get_one(Notification, notification_id(pager, "home"))
        bob = session.get_one(User, pager.people["bob"])
        other = session.scalars(select(ContactMethod).filter_by(user_id=bob.id)).one()
        factories.notification(
            session,
            pager.alert(session),
            target="user:2:email:9",
            step=row.step,
            method="email",
            user_id=bob.id,
            contact_id=other.id,
            next_at=NOW + 5 * MINUTE,
        )
    fail(pager, "home")
    assert owed(pager, "bob") == [("late", 5, "pending")]


def test_a_failure_and_a_way_that_is_not_set_up_leave_nobody_behind(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 5)
    pager.change(fallback_user_id=pager.people["fay"])
    pager.take(a_signal())
    fail(pager, "home")
    assert "fallback_notified" not in pager.timeline()
    fail(pager, "work", DeliveryState.CANCELLED)
    assert "fallback_notified" in pager.timeline()


def test_a_reminder_takes_the_rules_too(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 5)
    pager.take(a_signal())
    pager.run_due(NOW + MINUTE)
    assert [each[:2] for each in owed(pager)] == [
        ("home", 0),
        ("work", 5),
        ("home", 1),
        ("work", 6),
    ]


def test_who_is_assigned_is_told_at_once_and_only_once(pager: Pager) -> None:
    contact(pager, "home", 0, name="bob")
    contact(pager, "work", 5, name="bob")
    pager.take(a_signal())
    with pager.database.write() as session:
        actor = Actor(name="ann", via="api", user_id=pager.people["ann"])
        bob = session.get_one(User, pager.people["bob"])
        alert_actions.assign(session, pager.alert(session), bob, actor=actor, now=NOW)
    assert owed(pager, "bob") == [("home", 0, "pending")]


def test_news_go_once_to_each_contact(pager: Pager) -> None:
    contact(pager, "home", 0, 5)
    pager.take(a_signal())
    with pager.database.write() as session:
        session.query(Notification).update({"state": DeliveryState.SENT})
    pager.take(a_signal(resolved=True), at=NOW + MINUTE)
    assert [each[2] for each in owed(pager)] == ["sent", "sent", "pending"]


def future(pager: Pager, at: datetime) -> list[tuple[int, str]]:
    with pager.database.read() as session:
        (alert,) = escalation_runner.load_alerts(session, [pager.alert(session).id])
        return [(minutes(step.at), step.text) for step in planned_steps(session, alert, at)]


def test_the_future_names_the_later_ways(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 3)
    pager.take(a_signal())
    found = future(pager, NOW)
    assert (3, "page Ann by e-mail (work)") in found
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    pager.run_due(NOW + MINUTE)
    assert (4, "remind Ann by e-mail (work)") in future(pager, NOW + 3.5 * MINUTE)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ways=st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(0, 240), unique=True, max_size=3)),
        max_size=4,
    )
)
def test_whatever_is_kept_an_urgent_page_goes_out_at_once(
    pager: Pager, ways: list[tuple[bool, list[int]]]
) -> None:
    with pager.database.write() as session:
        session.query(ContactMethod).delete()
    for number, (confirmed, delays) in enumerate(ways):
        contact(pager, f"way{number}", *delays, verified_at=NOW if confirmed else None)
    (verdict,) = pager.take(a_signal(f"disk {ways}"))
    with pager.database.read() as session:
        query = select(Notification).where(
            Notification.alert_id == verdict.id,
            Notification.user_id == pager.people["ann"],
            Notification.method != "inbox",
            Notification.next_at == NOW,
        )
        assert session.scalars(query).first() is not None


def test_a_simulation_says_when_each_way_is_used(pager: Pager) -> None:
    contact(pager, "home", 0)
    contact(pager, "work", 3)
    with pager.database.read() as session:
        query = route_facts.routes_with_plans().where(Route.id == pager.route_id)
        route = session.scalars(query).one()
        (forecast,) = simulation.simulate_request(session, route, [a_signal()], NOW).items
    told = [
        (minutes(step.at), str(step.kind), label)
        for step in forecast.steps
        for person in step.people
        if person.username == "ann"
        for _, label in person.contacts
    ]
    assert told == [
        (0, "page", "home"),
        (1, "reminder", "home"),
        (2, "reminder", "home"),
        (3, "page", "work"),
        (4, "reminder", "work"),
        (5, "reminder", "work"),
        *[each for each in told if each[0] > 5],
    ]
    times = [step.at for step in forecast.steps]
    assert times == sorted(times)
    text = " ".join(forecast.sentences)
    assert "At 12:03 UTC, if nobody has reacted, Ann is paged by e-mail (work)." in text


def test_contacts_and_rules_cost_intake_no_statement(pager: Pager, query_count: Any) -> None:
    with query_count() as without:
        pager.take(a_signal("one"))
    for name in ("ann", "bob", "cy"):
        contact(pager, "home", 0, 10, name=name)
        contact(pager, "work", 5, name=name)
    with query_count() as with_rules:
        pager.take(a_signal("two"))
    assert len(with_rules) == len(without)


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.RETRY])
def test_whoever_may_know_already_is_not_hurried(pager: Pager, state: DeliveryState) -> None:
    contact(pager, "home", 0)
    contact(pager, "desk", 0)
    contact(pager, "work", 5)
    pager.take(a_signal())
    fail(pager, "desk", state)
    fail(pager, "home")
    assert owed(pager)[2] == ("work", 5, "pending")
