"""Messages that stay inside IncidentRelay."""

import pytest
from sqlalchemy import delete, select, update

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.models import Alert, Attempt, Event, GroupMember, Notification
from incidentrelay.services.outbox import internal
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult
from tests.support.pager import NOW, Pager
from tests.support.statements import statements
from tests.support.storms import BUSY, SECOND, SENT, build_outside, of, storm

pytestmark = pytest.mark.both_databases

SHOWN = DeliveryResult(DeliveryState.DELIVERED, "It is in the inbox.")
LATER = NOW + SECOND


@pytest.fixture
def pager(database: Database) -> Pager:
    return build_outside(database)


def claim_first(pager: Pager, method: str) -> DeliveryClaim:
    claim = pager.claim(of(pager, method)[0].id)
    assert claim is not None
    return claim


def record_and_deliver(pager: Pager, claim: DeliveryClaim, result: DeliveryResult) -> int:
    assert pager.record(claim, result, LATER)
    with pager.database.write() as session:
        return internal.deliver_waiting(session, claim, result, LATER)


def test_all_that_wait_follow_the_first(pager: Pager) -> None:
    storm(pager, 5)
    claim = claim_first(pager, "inbox")
    assert record_and_deliver(pager, claim, SHOWN) == 4
    rows = of(pager, "inbox")
    assert {(row.state, row.next_at, row.finished_at) for row in rows} == {
        (DeliveryState.DELIVERED, None, LATER)
    }
    assert {(row.fence, row.attempts, row.bundle) for row in rows} == {(1, 1, None)}
    assert {row.state for row in of(pager, "webhook")} == {DeliveryState.PENDING}


def test_each_has_its_attempt_and_its_entry(pager: Pager) -> None:
    storm(pager, 3)
    record_and_deliver(pager, claim_first(pager, "inbox"), SHOWN)
    with pager.database.read() as session:
        attempts = session.scalars(select(Attempt)).all()
        lines = session.scalars(select(Event).where(Event.kind == "notification_sent")).all()
    ids = {row.id for row in of(pager, "inbox")}
    assert {attempt.notification_id for attempt in attempts} == ids
    assert {(each.number, each.outcome, each.reason) for each in attempts} == {
        (1, "delivered", "It is in the inbox.")
    }
    assert {line.data["notification_id"] for line in lines} == ids
    assert len({line.text for line in lines}) == 1


def test_what_is_no_longer_needed_is_left_to_its_claim(pager: Pager) -> None:
    storm(pager, 2)
    claim = claim_first(pager, "inbox")
    with pager.database.write() as session:
        session.execute(update(Alert).values(status=AlertStatus.RESOLVED))
    assert record_and_deliver(pager, claim, SHOWN) == 0
    last = of(pager, "inbox")[1]
    assert pager.claim(last.id, LATER) is None
    assert of(pager, "inbox")[1].state is DeliveryState.CANCELLED


def test_who_left_the_group_gets_nothing(pager: Pager) -> None:
    storm(pager, 2)
    claim = claim_first(pager, "inbox")
    with pager.database.write() as session:
        session.execute(delete(GroupMember).where(GroupMember.user_id == pager.people["ann"]))
    assert record_and_deliver(pager, claim, SHOWN) == 0


def test_what_is_leased_or_retried_is_left_to_its_claim(pager: Pager) -> None:
    storm(pager, 3)
    claim, leased = claim_first(pager, "inbox"), of(pager, "inbox")[1].id
    assert pager.claim(leased)
    with pager.database.write() as session:
        last = select(Notification.id).where(Notification.method == "inbox")
        session.execute(
            update(Notification)
            .where(Notification.id.in_(last.order_by(Notification.id).offset(2).limit(1)))
            .values(state=DeliveryState.RETRY)
        )
    assert record_and_deliver(pager, claim, SHOWN) == 0


@pytest.mark.parametrize(("method", "result"), [("webhook", SENT), ("inbox", BUSY)])
def test_others_follow_only_an_internal_success(
    pager: Pager, method: str, result: DeliveryResult
) -> None:
    storm(pager, 2)
    assert record_and_deliver(pager, claim_first(pager, method), result) == 0


def test_the_statements_do_not_grow_with_what_waits(pager: Pager) -> None:
    storm(pager, 2)
    claim = claim_first(pager, "inbox")
    storm_size = 50
    pager.record(claim, SHOWN, LATER)
    with statements(pager.database) as few, pager.database.write() as session:
        internal.deliver_waiting(session, claim, SHOWN, LATER)
    storm(pager, storm_size, LATER)
    with statements(pager.database) as many, pager.database.write() as session:
        internal.deliver_waiting(session, claim, SHOWN, LATER)
    assert len(many) == len(few) <= 4
