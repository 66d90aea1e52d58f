"""Providers that are down: what waits, and who is notified instead."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from incidentrelay.db import Database, Hint
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.delivery.circuit_breaker import FIRST_PAUSE, STALL_AFTER, THRESHOLD
from incidentrelay.domain.delivery.rate_limit import BURST
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Channel, Notification, RecipientRate
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.delivery import stalled
from incidentrelay.services.outbox.records import (
    MAX_CONCURRENT_PER_PROVIDER,
    DeliveryClaim,
    DeliveryResult,
    build_envelope,
)
from tests.support.pager import LEASE, MINUTE, NOW, Accepts, Pager, a_signal, no_links
from tests.support.storms import (
    BUSY,
    DOWN,
    FAILED,
    SECOND,
    SENT,
    build_outside,
    claim_all,
    deliver_all,
    of,
    storm,
)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return build_outside(database)


def break_down(pager: Pager, method: str = "webhook") -> datetime:
    """Let one alert's message fail until the circuit opens; returns when that was."""
    pager.take(a_signal("first"))
    row, at = of(pager, method)[0], NOW
    for number in range(THRESHOLD):
        taken = pager.claim(row.id, at)
        assert taken is not None, number
        with pager.database.write() as session:
            delivery_results.record_result(
                session, taken, DOWN, started_at=at, now=at, most_attempts=99, jitter=0.5
            )
        before, at = at, of(pager, method)[0].next_at or at
    return before


def test_a_broken_provider_is_left_in_peace(pager: Pager) -> None:
    at = break_down(pager)
    pager.take(*[a_signal(f"disk{n}") for n in range(3)], at=at)
    assert claim_all(pager, "webhook", at + FIRST_PAUSE - SECOND) == []
    due = pager.due(at + FIRST_PAUSE - SECOND)
    assert not {row.id for row in of(pager, "webhook")} & set(due)
    waiting = of(pager, "webhook")[1:]
    assert {row.attempts for row in waiting} == {0}


def test_other_ways_are_not_touched_by_it(pager: Pager) -> None:
    at = break_down(pager)
    assert len(claim_all(pager, "email", at)) == 1


def test_one_probe_goes_and_when_it_arrives_all_the_others_follow(pager: Pager) -> None:
    at = break_down(pager)
    pager.take(*[a_signal(f"disk{n}") for n in range(3)], at=at)
    again = at + MINUTE
    [probe] = claim_all(pager, "webhook", again)
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    pager.record(probe, SENT, again)
    waiting = [row.id for row in of(pager, "webhook") if row.state is not DeliveryState.SENT]
    woken = [hint.id for hint in hints if hint.task == "deliver"]
    assert woken == waiting[: len(woken)]
    assert woken
    assert sum(len(taken.messages) for taken in deliver_all(pager, "webhook", again)) == 3


def test_a_probe_that_fails_keeps_the_others_from_trying(pager: Pager) -> None:
    at = break_down(pager)
    pager.take(*[a_signal(f"disk{n}") for n in range(3)], at=at)
    [probe] = claim_all(pager, "webhook", at + MINUTE)
    pager.record(probe, DOWN, at + MINUTE)
    assert claim_all(pager, "webhook", at + MINUTE) == []


def test_somebody_is_woken_for_the_next_probe(pager: Pager) -> None:
    pager.take(*[a_signal(f"disk{n}") for n in range(3)])
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    rows = of(pager, "webhook")
    taken = pager.claim(rows[0].id)
    assert taken is not None
    busy = DeliveryResult(DeliveryState.RETRY, "429", retry_after=90 * SECOND, down=True)
    with pager.database.write() as session:
        delivery_results.record_result(
            session, taken, busy, started_at=NOW, now=NOW, most_attempts=1, jitter=0.5
        )
    assert Hint("deliver", rows[1].id, NOW + 90 * SECOND) in hints


def test_a_recipient_who_has_to_wait_breaks_nothing(pager: Pager) -> None:
    pager.take(a_signal("first"))
    row = of(pager, "email")[0]
    at = NOW
    for _ in range(THRESHOLD):
        taken = pager.claim(row.id, at)
        assert taken is not None
        with pager.database.write() as session:
            delivery_results.record_result(
                session, taken, BUSY, started_at=at, now=at, most_attempts=99, jitter=0.5
            )
        at += MINUTE
    pager.take(a_signal("other"), at=at)
    assert claim_all(pager, "email", at)


def stall(pager: Pager, at: datetime) -> int:
    with pager.database.write() as session:
        return stalled.mark_stalled(session, at, limit=100)


def test_what_waits_too_long_is_told_to_others(pager: Pager) -> None:
    """Mail and webhook are both down: the fallback is notified and the plan continues."""
    pager.change(fallback_user_id=pager.people["fay"])
    at = break_down(pager)
    for row in of(pager, "email"):
        taken = pager.claim(row.id, at)
        assert taken is not None
        pager.record(taken, FAILED, at)
    assert stall(pager, at) == 0
    assert stall(pager, at + STALL_AFTER) == 1
    assert stall(pager, at + STALL_AFTER) == 0
    assert ("fallback", "fay", "pending") in pager.outbox()
    assert "notification_stalled" in pager.timeline()
    assert pager.run_due(at + STALL_AFTER) == 1
    assert ("escalation", "bob", "pending") in pager.outbox()


def test_a_page_that_arrived_elsewhere_needs_no_fallback(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    at = break_down(pager)
    [mail] = claim_all(pager, "email", at)
    pager.record(mail, SENT, at)
    assert stall(pager, at + STALL_AFTER) == 1
    assert not [who for kind, who, _ in pager.outbox() if kind == "fallback"]


def test_the_fallback_is_told_once_of_one_step(pager: Pager) -> None:
    """A page waits behind the circuit first and fails later."""
    pager.change(fallback_user_id=pager.people["fay"])
    at = break_down(pager)
    [mail] = claim_all(pager, "email", at)
    pager.record(mail, FAILED, at)
    stall(pager, at + STALL_AFTER)
    [probe] = claim_all(pager, "webhook", at + MINUTE)
    pager.record(probe, FAILED, at + MINUTE)
    told = [who for kind, who, _ in pager.outbox() if kind == "fallback"]
    assert told == ["fay"]
    assert of(pager, "webhook")[0].state is DeliveryState.FAILED


def test_a_provider_that_was_away_gets_what_is_alive_the_oldest_first(pager: Pager) -> None:
    at = break_down(pager)
    pager.take(*[a_signal(f"disk{n}") for n in range(3)], at=at)
    pager.take(a_signal("disk1", resolved=True), at=at + MINUTE)
    back = at + 5 * MINUTE
    rows = {row.id for row in of(pager, "webhook")}
    sent: list[Any] = []
    channel = Accepts()

    def take_one() -> DeliveryClaim | None:
        claims = (pager.claim(each, back) for each in pager.due(back) if each in rows)
        return next(filter(None, claims), None)

    while taken := take_one():
        channel.send(build_envelope(taken, no_links, back), taken.config)
        sent += taken.messages
        pager.record(taken, SENT, back)
    assert [each.message.title for each in sent] == [
        "disk0 is full",  # the probe, because "first" may be why nothing arrived
        "first is full",
        "disk2 is full",
    ]
    states = [row.state for row in of(pager, "webhook")]
    assert states.count(DeliveryState.CANCELLED) == 1


def test_a_page_that_always_fails_is_not_every_probe(pager: Pager) -> None:
    at = break_down(pager) + MINUTE
    pager.take(a_signal("other"), at=at)
    poison, other = of(pager, "webhook")
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    assert pager.claim(poison.id, at) is None
    assert hints == [Hint("deliver", other.id)]
    assert pager.claim(other.id, at) is not None


def test_a_page_goes_before_news_where_only_one_message_may(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(Channel).values(messages_per_minute=1))
    pager.take(a_signal("old"))
    deliver_all(pager, "webhook", NOW)
    later = NOW + 5 * MINUTE
    pager.take(a_signal("old", resolved=True), a_signal("new"), at=later)
    news, page = sorted(of(pager, "webhook")[1:], key=lambda row: -row.priority)
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    assert pager.claim(news.id, later) is None
    assert hints == [Hint("deliver", page.id)]
    taken = pager.claim(page.id, later)
    assert taken is not None
    hints.clear()
    pager.record(taken, SENT, later)
    assert Hint("deliver", news.id, later) in hints


def test_who_has_to_wait_makes_way_for_others_of_the_lane(pager: Pager) -> None:
    """One provider for all mail: ann has used her rate, and bob is paged."""
    storm(pager, BURST)
    deliver_all(pager, "email", NOW)
    storm(pager, 2 * BURST)
    with pager.database.write() as session:
        [*waiting, last] = of(pager, "email")[BURST:]
        bob = f"user:{pager.people['bob']}:email"
        session.execute(update(Notification).where(Notification.id == last.id).values(target=bob))
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    assert pager.claim(waiting[0].id) is None
    assert Hint("deliver", last.id, NOW) in hints


def test_what_a_dead_worker_left_does_not_fill_the_lane(pager: Pager) -> None:
    storm(pager, BURST)
    assert len(claim_all(pager, "email")) == MAX_CONCURRENT_PER_PROVIDER
    late = NOW + LEASE
    with pager.database.write() as session:
        # Ann got many other messages meanwhile.
        session.execute(update(RecipientRate).values(busy_until=late + MINUTE))
    left = of(pager, "email")[0]
    assert pager.claim(left.id, late) is None
    pager.take(a_signal("other"), at=late)
    with pager.database.write() as session:
        last = of(pager, "email")[-1]
        session.execute(
            update(Notification).where(Notification.id == last.id).values(target="user:2:email")
        )
    assert pager.claim(last.id, late) is not None


def test_a_bundle_of_pages_that_are_sent_again_is_not_taken_for_the_first(pager: Pager) -> None:
    storm(pager, 2 * BURST)
    [taken] = claim_all(pager, "webhook")
    pager.record(taken, FAILED)
    root = Actor(name="root", via="api", is_admin=True)
    with pager.database.write() as session:
        for row in session.scalars(select(Notification).where(Notification.id.in_(taken.ids))):
            failed_notifications.resend_notification(session, row, actor=root, now=NOW)
    [again] = claim_all(pager, "webhook")
    assert again.ids == taken.ids
    assert again.uid != taken.uid
