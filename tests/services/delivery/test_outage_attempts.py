"""A provider that is down for long: what waits keeps its tries while its alert is open."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.delivery.circuit_breaker import LONGEST_PAUSE
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Attempt, Notification
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.outbox.records import DeliveryResult
from tests.support.pager import MINUTE, NOW, Pager, a_signal
from tests.support.storms import BUSY, DOWN, SENT, build_outside, of

pytestmark = pytest.mark.both_databases

MOST = 12
HOURS = timedelta(hours=6)


@pytest.fixture
def pager(database: Database) -> Pager:
    return build_outside(database)


def record(pager: Pager, claim: object, result: DeliveryResult, at: datetime) -> None:
    with pager.database.write() as session:
        delivery_results.record_result(
            session,
            claim,  # type: ignore[arg-type]
            result,
            started_at=at,
            now=at,
            most_attempts=MOST,
            jitter=0.5,
        )


def outage(pager: Pager, row_id: int, until: datetime, result: DeliveryResult = DOWN) -> datetime:
    """Try the notification whenever it is due; returns when it is due after ``until``."""
    at = NOW
    while at < until:
        claim = pager.claim(row_id, at)
        if claim is not None:
            record(pager, claim, result, at)
        with pager.database.read() as session:
            due = session.get_one(Notification, row_id).next_at
        if due is None:
            return at
        at = max(due, at + timedelta(seconds=1))
    return at


def test_a_page_outlives_an_outage_of_hours(pager: Pager) -> None:
    pager.take(a_signal())
    [row] = of(pager, "webhook")
    back = outage(pager, row.id, NOW + HOURS)
    assert back <= NOW + HOURS + LONGEST_PAUSE
    claim = pager.claim(row.id, back)
    assert claim is not None
    record(pager, claim, SENT, back)
    [row] = of(pager, "webhook")
    assert row.state is DeliveryState.SENT
    assert row.attempts - row.probes < MOST
    with pager.database.read() as session:
        numbers = session.scalars(select(Attempt.number).order_by(Attempt.id)).all()
    assert list(numbers) == list(range(1, row.attempts + 1))


def test_once_its_alert_is_resolved_an_update_is_given_up(pager: Pager) -> None:
    pager.take(a_signal())
    [row] = of(pager, "webhook")
    claim = pager.claim(row.id)
    assert claim is not None
    record(pager, claim, SENT, NOW)
    pager.take(a_signal(resolved=True), at=NOW)
    update = of(pager, "webhook")[-1]
    assert update.kind == "update"
    outage(pager, update.id, NOW + HOURS)
    assert of(pager, "webhook")[-1].state is DeliveryState.FAILED


def test_a_recipient_who_refuses_uses_up_the_tries(pager: Pager) -> None:
    pager.take(a_signal())
    [row] = of(pager, "webhook")
    outage(pager, row.id, NOW + HOURS, BUSY)
    [row] = of(pager, "webhook")
    assert (row.state, row.attempts) == (DeliveryState.FAILED, MOST)


def test_a_probe_is_the_page_that_was_sent_least_often(pager: Pager) -> None:
    """Free tries must not let one page probe for ever."""
    pager.take(a_signal())
    [first] = of(pager, "webhook")
    at = outage(pager, first.id, NOW + 10 * MINUTE)
    pager.take(a_signal("other"), at=at)
    other = of(pager, "webhook")[-1]
    assert pager.claim(first.id, at) is None
    assert pager.claim(other.id, at) is not None
