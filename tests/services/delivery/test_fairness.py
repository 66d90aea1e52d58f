"""Nobody starves: retries share messages with fresh pages, and the oldest goes first."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from incidentrelay.db import Database
from incidentrelay.domain.delivery.bundles import MAX_DEFERRAL
from incidentrelay.domain.delivery.rate_limit import BURST
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification, RecipientRate
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult
from tests.support.pager import LEASE, MINUTE, NOW, Pager, a_signal
from tests.support.storms import BUSY, SECOND, SENT, build_outside, claim_all, of, storm

pytestmark = pytest.mark.both_databases

LOST = DeliveryResult(DeliveryState.RETRY, "It did not answer.", unknown=True)
# Ten messages a minute.
INTERVAL = 6 * SECOND
WAITING = (DeliveryState.PENDING, DeliveryState.RETRY)


@pytest.fixture
def pager(database: Database) -> Pager:
    return build_outside(database)


def newest_first(pager: Pager, at: datetime) -> Iterator[DeliveryClaim]:
    """Ask for the newest first, as their own hints do."""
    for row in reversed(of(pager, "webhook")):
        if row.state in WAITING and row.next_at and row.next_at <= at:
            claim = pager.claim(row.id, at)
            if claim is not None:
                yield claim


def longest_wait(pager: Pager, count: int, seconds: int) -> timedelta:
    """How long the first ``count`` pages waited, with a fresh page each second."""
    at = NOW
    for number in range(seconds):
        at += SECOND
        pager.take(a_signal(f"new{number}"), at=at)
        for claim in newest_first(pager, at):
            pager.record(claim, SENT, at)
    rows = of(pager, "webhook")[:count]
    return max((row.finished_at or NOW + 10 * MINUTE) - NOW for row in rows)


def test_pages_that_failed_once_do_not_starve_behind_fresh_ones(pager: Pager) -> None:
    storm(pager, 3)
    for claim in claim_all(pager, "webhook"):
        pager.record(claim, BUSY)
    # Two seconds of back-off at most, then a share of the rate.
    assert longest_wait(pager, 3, 60) <= 2 * SECOND + 2 * INTERVAL


def test_pages_that_may_have_arrived_wait_for_a_message_of_their_own_each(pager: Pager) -> None:
    storm(pager, 3)
    for claim in claim_all(pager, "webhook"):
        pager.record(claim, LOST)
    assert longest_wait(pager, 3, 60) <= 2 * SECOND + 4 * INTERVAL


def test_an_update_does_not_starve_behind_pages_that_keep_coming(pager: Pager) -> None:
    storm(pager, 1)
    with pager.database.write() as session:
        session.execute(update(Notification).values(kind="update", priority=3))
    for number in range(BURST):
        pager.take(a_signal(f"old{number}"))
        claim = pager.claim(of(pager, "webhook")[-1].id)
        assert claim is not None
        pager.record(claim, SENT)
    assert longest_wait(pager, 1, 150) <= MAX_DEFERRAL + 2 * INTERVAL


def test_a_refused_page_shares_the_next_message_with_fresh_ones(pager: Pager) -> None:
    storm(pager, 1)
    [claim] = claim_all(pager, "webhook")
    pager.record(claim, BUSY)
    pager.take(*[a_signal(f"new{number}") for number in range(10)], at=NOW + MINUTE)
    [together] = claim_all(pager, "webhook", NOW + MINUTE)
    assert together.ids[0] == claim.ids[0]
    assert len(together.ids) == 11
    assert together.uid != claim.uid


def test_a_page_that_may_have_arrived_keeps_its_key(pager: Pager) -> None:
    storm(pager, 1)
    [claim] = claim_all(pager, "webhook")
    pager.record(claim, LOST)
    pager.take(*[a_signal(f"new{number}") for number in range(10)], at=NOW + MINUTE)
    again, together = claim_all(pager, "webhook", NOW + MINUTE)
    assert (again.uid, again.ids) == (claim.uid, claim.ids)
    assert len(together.ids) == 10
    # A refusal later says nothing about the first attempt.
    pager.record(again, BUSY, NOW + MINUTE)
    pager.record(together, SENT, NOW + MINUTE)
    [third] = claim_all(pager, "webhook", NOW + 2 * MINUTE)
    assert (third.uid, third.ids) == (claim.uid, claim.ids)


def test_what_a_dead_worker_left_keeps_its_key_while_the_rate_limits_it(pager: Pager) -> None:
    storm(pager, 1)
    [dead] = claim_all(pager, "webhook")
    late = NOW + LEASE
    with pager.database.write() as session:
        session.execute(update(RecipientRate).values(busy_until=late + BURST * INTERVAL))
    assert pager.claim(dead.ids[0], late) is None
    pager.take(a_signal("last"), at=late)
    again = pager.claim(dead.ids[0], late + INTERVAL)
    assert again is not None
    assert (again.uid, again.ids) == (dead.uid, dead.ids)


def test_each_row_of_a_bundle_has_tries_of_its_own(pager: Pager) -> None:
    """A page at its last try fails alone; the fresh ones beside it are tried again."""
    storm(pager, 10)
    old = of(pager, "webhook")[0].id
    with pager.database.write() as session:
        session.execute(update(Notification).where(Notification.id == old).values(attempts=2))
    [claim] = claim_all(pager, "webhook")
    assert len(claim.ids) == 10
    pager.record(claim, BUSY)
    failed, *others = of(pager, "webhook")
    assert failed.state is DeliveryState.FAILED
    assert {row.state for row in others} == {DeliveryState.RETRY}
