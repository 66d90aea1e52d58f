"""Clocks that were set back, and workers that died."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from incidentrelay.db import Database, Hint
from incidentrelay.domain.delivery.circuit_breaker import STALL_AFTER
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification, Provider, RecipientRate
from incidentrelay.services.delivery import claims, recovery, stalled
from incidentrelay.services.delivery.claims import LeaseTerms
from tests.support.pager import LEASE, MINUTE, NOW, VAULT, Pager, a_signal
from tests.support.storms import BUSY, DOWN, SECOND, build_outside, claim_all, of, storm

pytestmark = pytest.mark.both_databases

# A machine boots with its clock two hours ahead, works, and is corrected.
AHEAD = NOW + timedelta(hours=2)


@pytest.fixture
def pager(database: Database) -> Pager:
    return build_outside(database)


def correct(pager: Pager, now: datetime = NOW) -> int:
    with pager.database.write() as session:
        return recovery.correct_times(session, now, longest_lease=LEASE)


def test_a_rate_limit_of_the_future_ends(pager: Pager) -> None:
    storm(pager, 1)
    with pager.database.write() as session:
        session.add(RecipientRate(target=of(pager, "webhook")[0].target, busy_until=AHEAD))
    assert claim_all(pager, "webhook") == []
    assert correct(pager) == 2
    assert len(claim_all(pager, "webhook")) == 1


def test_an_open_circuit_of_the_future_ends(pager: Pager) -> None:
    storm(pager, 1)
    row = of(pager, "webhook")[0]
    with pager.database.write() as session:
        session.add(
            Provider(name=row.provider, failures=9, since=AHEAD, open_until=AHEAD, reason="Down.")
        )
    assert claim_all(pager, "webhook") == []
    assert correct(pager) == 2
    assert len(claim_all(pager, "webhook")) == 1


def test_a_lease_and_a_retry_of_the_future_end(pager: Pager) -> None:
    pager.take(a_signal("sent"), a_signal("retried"), at=NOW)
    sent, retried = of(pager, "webhook")
    assert pager.claim(sent.id, AHEAD)
    claim = pager.claim(retried.id, AHEAD)
    assert claim
    pager.record(claim, BUSY, AHEAD)
    assert correct(pager) >= 2
    with pager.database.read() as session:
        times = session.scalars(
            select(Notification.next_at).where(Notification.id.in_((sent.id, retried.id)))
        ).all()
    assert times == [NOW, NOW]


def test_what_a_rule_could_have_set_stays(pager: Pager) -> None:
    """The longest waits of all rules at once: nothing is sent too early."""
    storm(pager, 30)
    for claim in claim_all(pager, "webhook"):
        pager.record(claim, DOWN)
    with pager.database.read() as session:
        before = session.execute(select(Notification.id, Notification.next_at)).all()
    assert correct(pager) == 0
    with pager.database.read() as session:
        assert session.execute(select(Notification.id, Notification.next_at)).all() == before


def test_a_notification_that_was_delayed_on_purpose_keeps_its_time(pager: Pager) -> None:
    storm(pager, 1)
    with pager.database.write() as session:
        session.execute(update(Notification).values(next_at=NOW + timedelta(days=1)))
    assert correct(pager) == 0


def test_the_lease_of_a_worker_whose_clock_is_a_little_ahead_stays(pager: Pager) -> None:
    """It is still sending; to take it over sends the page twice."""
    storm(pager, 1)
    [claim] = claim_all(pager, "webhook", NOW + 20 * SECOND)
    assert correct(pager) == 0
    assert pager.claim(claim.ids[0], NOW + 20 * SECOND) is None


def test_an_outage_that_began_in_the_future_stalls_its_pages_in_time(pager: Pager) -> None:
    storm(pager, 1)
    row = of(pager, "webhook")[0]
    with pager.database.write() as session:
        session.add(
            Provider(name=row.provider, failures=9, since=AHEAD, open_until=NOW, reason="Down.")
        )
    correct(pager)
    with pager.database.write() as session:
        assert stalled.mark_stalled(session, NOW + STALL_AFTER, limit=10) == 1


def test_a_delay_that_began_in_the_future_begins_now(pager: Pager) -> None:
    """A rule says ten minutes, so it is not two hours and ten minutes."""
    pager.take(a_signal(), at=AHEAD)
    [row] = of(pager, "webhook")
    with pager.database.write() as session:
        later = update(Notification).where(Notification.id == row.id)
        session.execute(later.values(next_at=AHEAD + 10 * MINUTE))
    correct(pager)
    [row] = of(pager, "webhook")
    assert (row.created_at, row.next_at) == (NOW, NOW + 10 * MINUTE)
    others = [other for other in of(pager, "email") if other.id in pager.due(NOW)]
    assert others, "what was due at once still is"
    assert correct(pager) == 0


def test_a_page_of_a_web_server_whose_clock_is_ahead_goes_at_once(pager: Pager) -> None:
    pager.take(a_signal(), at=NOW + 5 * MINUTE)
    [row] = of(pager, "webhook")
    assert row.id in pager.due(NOW)
    assert pager.claim(row.id, NOW)


def claim_as(pager: Pager, notification_id: int, worker: str) -> None:
    with pager.database.write() as session:
        terms = LeaseTerms(lambda _: LEASE, worker)
        assert claims.claim_notification(session, notification_id, VAULT, NOW, lease=terms)


def test_a_worker_takes_back_what_a_dead_one_was_sending(pager: Pager) -> None:
    storm(pager, 2)
    mine, other = of(pager, "webhook")
    claim_as(pager, mine.id, "dead")
    claim_as(pager, other.id, "alive")
    at = NOW + SECOND
    with pager.database.write() as session:
        assert recovery.end_dead_leases(session, lambda holder: holder == "dead", at) == 1
        assert [hint.id for hint in session.info["hints"]] == [mine.id]
    again = pager.claim(mine.id, at)
    assert again
    assert again.uid == mine.uid, "it may have arrived, so it keeps its key"
    assert pager.claim(other.id, at) is None
    assert of(pager, "webhook")[0].state is DeliveryState.SENDING


def test_the_end_of_each_lease_is_hinted_at(pager: Pager) -> None:
    """One hint for all leases that end within the same second."""
    storm(pager, 4)
    ids = [row.id for row in of(pager, "webhook")]
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    pager.database.memory.clear()
    moments = (NOW, NOW + SECOND / 4, NOW + SECOND / 2, NOW + LEASE + SECOND / 2)
    for notification_id, at in zip(ids, moments, strict=True):
        assert pager.claim(notification_id, at)
    ends = [hint.at for hint in hints if hint.task == "leases"]
    assert ends == [NOW + LEASE, NOW + LEASE + SECOND, NOW + 2 * LEASE + SECOND]


def test_all_leases_that_have_ended_are_taken_over(pager: Pager) -> None:
    storm(pager, 3)
    first, second, alive = (row.id for row in of(pager, "webhook"))
    claim_as(pager, first, "dead")
    claim_as(pager, second, "dead")
    assert pager.claim(alive, NOW + SECOND)
    with pager.database.write() as session:
        recovery.wake_abandoned(session, NOW + LEASE)
        assert {hint.id for hint in session.info["hints"]} == {first, second}
