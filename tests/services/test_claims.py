"""Storms, and providers that do not work: what is sent together, and what waits."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from incidentrelay.db import Database, Hint
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.circuit import FIRST_PAUSE, PATIENCE, THRESHOLD
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.domain.pacing import BURST, MOST_IN_ONE
from incidentrelay.models import Attempt, Channel, Event, Notification, TargetPace
from incidentrelay.services import alerts, delivery_results, failed_notifications
from incidentrelay.services.deliveries import DUE, LANE_WIDTH, Claim, Result, envelope
from tests.services.pager import LEASE, MINUTE, NOW, Accepts, Pager, a_signal, build, no_links

pytestmark = pytest.mark.both_databases

SENT, FAILED = Result(DeliveryState.SENT), Result(DeliveryState.FAILED, "It is gone.")
DOWN = Result(DeliveryState.RETRY, "It does not answer.", down=True)
BUSY = Result(DeliveryState.RETRY, "This mailbox is busy.")
SECOND = timedelta(seconds=1)


@pytest.fixture
def pager(database: Database) -> Pager:
    """Its channel is one to the outside, so that it has a pace."""
    pager = build(database)
    with database.write() as session:
        session.execute(update(Channel).values(kind="webhook"))
    return pager


def storm(pager: Pager, count: int, at: datetime = NOW) -> None:
    pager.take(*[a_signal(f"disk{number}") for number in range(count)], at=at)


def of(pager: Pager, method: str) -> list[Notification]:
    with pager.database.read() as session:
        query = select(Notification).where(Notification.method == method)
        return list(session.scalars(query.order_by(Notification.id)))


def claim_all(pager: Pager, method: str, at: datetime = NOW) -> list[Claim]:
    """Everything of ``method`` that can be sent right now."""
    return list(_claims(pager, method, at))


def deliver_all(pager: Pager, method: str, at: datetime) -> list[Claim]:
    """As :func:`claim_all`, one after the other, each with success."""
    claims = []
    for taken in _claims(pager, method, at):
        pager.record(taken, SENT, at)
        claims.append(taken)
    return claims


def _claims(pager: Pager, method: str, at: datetime) -> Iterator[Claim]:
    tried: set[int] = set()
    while True:
        due = [
            row.id
            for row in of(pager, method)
            if row.id not in tried and row.state in DUE and row.next_at and row.next_at <= at
        ]
        if not due:
            return
        tried.add(due[0])
        taken = pager.claim(due[0], at)
        if taken:
            yield taken


def test_a_handful_of_alerts_are_messages_of_their_own(pager: Pager) -> None:
    storm(pager, BURST)
    claims = deliver_all(pager, "webhook", NOW)
    assert [len(taken.owed) for taken in claims] == [1] * BURST


def test_a_storm_is_one_message_and_none_is_lost(pager: Pager) -> None:
    storm(pager, 40)
    [taken] = claim_all(pager, "webhook")
    assert len(taken.owed) == 40
    pager.record(taken, SENT)
    rows = of(pager, "webhook")
    assert {row.state for row in rows} == {DeliveryState.SENT}
    assert {row.bundle for row in rows} == {taken.uid}


def test_in_a_storm_each_recipient_is_told_at_once(pager: Pager) -> None:
    """The first hint of each is enough, because its message tells of all."""
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    storm(pager, 100)
    at_once = {hint.id for hint in hints if hint.task == "deliver"}
    firsts = {of(pager, method)[0].id for method in ("webhook", "email", "inbox")}
    assert at_once == firsts
    assert Hint("sweep") in hints


def test_each_alert_knows_which_message_told_of_it(pager: Pager) -> None:
    storm(pager, 40)
    [taken] = claim_all(pager, "webhook")
    pager.record(taken, SENT)
    with pager.database.read() as session:
        told = session.scalars(select(Event).where(Event.kind == "notification_sent")).all()
        attempts = session.scalars(select(Attempt.notification_id)).all()
    assert {line.alert_id for line in told} == {each.alert_id for each in taken.owed}
    assert {line.data["bundle"] for line in told} == {taken.uid}
    assert told[0].text.endswith("in one message with 39 others")
    assert sorted(attempts) == sorted(taken.ids)


def test_a_big_storm_is_a_few_messages_at_an_even_pace(pager: Pager) -> None:
    for start in range(0, 1000, 100):
        pager.take(*[a_signal(f"disk{start + number}") for number in range(100)])
    at, sizes = NOW, []
    while at < NOW + MINUTE:
        sizes += [len(taken.owed) for taken in deliver_all(pager, "webhook", at)]
        at += SECOND
    assert sum(sizes) == 1000
    assert len(sizes) == 10
    assert max(sizes) == MOST_IN_ONE


def test_what_has_to_wait_is_woken_when_its_time_has_come(pager: Pager) -> None:
    for number in range(BURST + 2):
        pager.take(a_signal(f"disk{number}"))
        if number < BURST:
            deliver_all(pager, "webhook", NOW)
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    assert claim_all(pager, "webhook") == []
    waiting = [row for row in of(pager, "webhook") if row.state is DeliveryState.PENDING]
    assert {row.next_at for row in waiting} == {NOW + 6 * SECOND}
    assert Hint("deliver", waiting[0].id, NOW + 6 * SECOND) in hints
    [together] = claim_all(pager, "webhook", NOW + 6 * SECOND)
    assert together.ids == [row.id for row in waiting]


def test_a_channel_has_the_pace_that_was_chosen_for_it(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(Channel).values(messages_per_minute=1))
    storm(pager, 1)
    assert len(deliver_all(pager, "webhook", NOW)) == 1
    pager.take(a_signal("another"))
    assert claim_all(pager, "webhook", NOW + 59 * SECOND) == []
    assert len(claim_all(pager, "webhook", NOW + MINUTE)) == 1


def test_each_person_has_a_pace_of_their_own(pager: Pager) -> None:
    storm(pager, 40)
    with pager.database.write() as session:
        half = select(Notification.id).where(Notification.method == "email").limit(20)
        to_bob = {"target": f"user:{pager.people['bob']}:email", "user_id": pager.people["bob"]}
        session.execute(
            update(Notification).where(Notification.id.in_(half.scalar_subquery())).values(to_bob)
        )
    claims = claim_all(pager, "email")
    assert sorted((taken.user_id, len(taken.owed)) for taken in claims) == [
        (pager.people["ann"], 20),
        (pager.people["bob"], 20),
    ]


def test_news_and_pages_do_not_share_a_message(pager: Pager) -> None:
    storm(pager, 10)
    deliver_all(pager, "webhook", NOW)
    pager.take(*[a_signal(f"disk{n}", resolved=True) for n in range(10)], at=NOW + MINUTE)
    pager.take(*[a_signal(f"cpu{n}") for n in range(10)], at=NOW + MINUTE)
    claims = claim_all(pager, "webhook", NOW + 2 * MINUTE)
    kinds = [{each.message.kind for each in taken.owed} for taken in claims]
    assert sorted(map(len, kinds)) == [1, 1]


def test_a_bundle_that_may_have_arrived_is_sent_again_as_it_was(pager: Pager) -> None:
    storm(pager, 10)
    [dead] = claim_all(pager, "webhook")
    storm_later = NOW + LEASE
    pager.take(*[a_signal(f"cpu{n}") for n in range(10)], at=storm_later)
    again = pager.claim(dead.ids[0], storm_later)
    assert again is not None
    assert (again.uid, again.ids) == (dead.uid, dead.ids)
    assert not pager.record(dead, FAILED, storm_later)
    assert pager.record(again, SENT, storm_later)


def test_a_page_that_was_tried_alone_stays_alone(pager: Pager) -> None:
    pager.take(a_signal("first"))
    [taken] = claim_all(pager, "webhook")
    pager.record(taken, BUSY)
    pager.take(*[a_signal(f"disk{n}") for n in range(10)])
    again = pager.claim(taken.ids[0], NOW + MINUTE)
    assert again is not None
    assert (again.uid, again.ids) == (taken.uid, taken.ids)


def test_who_is_not_needed_any_more_is_left_out(pager: Pager) -> None:
    storm(pager, 10)
    [dead] = claim_all(pager, "webhook")
    with pager.database.write() as session:
        actor = Actor(name="Ann", via="api", user_id=pager.people["ann"])
        alerts.acknowledge(session, pager.alert(session), actor=actor, now=NOW)
    again = pager.claim(dead.ids[0], NOW + LEASE)
    assert again is not None
    assert again.ids == dead.ids[:-1]
    assert of(pager, "webhook")[9].state is DeliveryState.CANCELLED


def test_one_that_cannot_be_read_spoils_no_bundle(pager: Pager) -> None:
    storm(pager, 10)
    bad = of(pager, "webhook")[4].id
    with pager.database.write() as session:
        session.execute(update(Notification).where(Notification.id == bad).values(message={}))
    taken = pager.claim(of(pager, "webhook")[0].id)
    assert taken is not None
    assert len(taken.owed) == 9
    assert bad not in taken.ids
    with pytest.raises(KeyError):
        pager.claim(bad, NOW)


def test_a_bundle_sums_up_and_has_each_alerts_links(pager: Pager) -> None:
    storm(pager, 10)
    [taken] = claim_all(pager, "webhook")
    sent = envelope(taken, no_links, NOW)
    assert sent.message.headline == "Page: 10 alerts"
    assert sent.idempotency_key == taken.uid
    assert sent.links.console == "http://localhost/alerts"
    assert [part.links.console for part in sent.parts] == [
        f"http://localhost/alerts/{each.alert_id}" for each in taken.owed
    ]


def test_when_a_bundle_fails_each_alert_falls_back(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    storm(pager, 10)
    for method in ("email", "webhook"):
        [taken] = claim_all(pager, method)
        pager.record(taken, FAILED)
    told = [who for kind, who, _ in pager.outbox() if kind == "fallback"]
    assert told == ["fay"] * 10


# Circuits.


def break_down(pager: Pager, method: str = "webhook") -> datetime:
    """Let one alert's message fail until the circuit opens; when that is."""
    pager.take(a_signal("first"))
    row, at = of(pager, method)[0], NOW
    for number in range(THRESHOLD):
        taken = pager.claim(row.id, at)
        assert taken is not None, number
        with pager.database.write() as session:
            delivery_results.record(
                session, taken, DOWN, started_at=at, now=at, most_attempts=99, chance=0.5
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
    assert sum(len(taken.owed) for taken in deliver_all(pager, "webhook", again)) == 3


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
    busy = Result(DeliveryState.RETRY, "429", retry_after=90 * SECOND, down=True)
    with pager.database.write() as session:
        delivery_results.record(
            session, taken, busy, started_at=NOW, now=NOW, most_attempts=1, chance=0.5
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
            delivery_results.record(
                session, taken, BUSY, started_at=at, now=at, most_attempts=99, chance=0.5
            )
        at += MINUTE
    pager.take(a_signal("other"), at=at)
    assert claim_all(pager, "email", at)


def strand(pager: Pager, at: datetime) -> int:
    with pager.database.write() as session:
        return delivery_results.strand(session, at, limit=100)


def test_what_waits_too_long_is_told_to_others(pager: Pager) -> None:
    """Mail and webhook are both down: the fallback is told and the plan goes on."""
    pager.change(fallback_user_id=pager.people["fay"])
    at = break_down(pager)
    for row in of(pager, "email"):
        taken = pager.claim(row.id, at)
        assert taken is not None
        pager.record(taken, FAILED, at)
    assert strand(pager, at) == 0
    assert strand(pager, at + PATIENCE) == 1
    assert strand(pager, at + PATIENCE) == 0
    assert ("fallback", "fay", "pending") in pager.outbox()
    assert "notification_stranded" in pager.timeline()
    assert pager.run_due(at + PATIENCE) == 1
    assert ("escalation", "bob", "pending") in pager.outbox()


def test_a_page_that_arrived_elsewhere_needs_no_fallback(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    at = break_down(pager)
    [mail] = claim_all(pager, "email", at)
    pager.record(mail, SENT, at)
    assert strand(pager, at + PATIENCE) == 1
    assert not [who for kind, who, _ in pager.outbox() if kind == "fallback"]


def test_the_fallback_is_told_once_of_one_step(pager: Pager) -> None:
    """A page strands first and fails later."""
    pager.change(fallback_user_id=pager.people["fay"])
    at = break_down(pager)
    [mail] = claim_all(pager, "email", at)
    pager.record(mail, FAILED, at)
    strand(pager, at + PATIENCE)
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

    def take_one() -> Claim | None:
        claims = (pager.claim(each, back) for each in pager.due(back) if each in rows)
        return next(filter(None, claims), None)

    while taken := take_one():
        channel.send(envelope(taken, no_links, back), taken.config)
        sent += taken.owed
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
    """The lane of all mails: ann has had her share, and bob is paged."""
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
    assert len(claim_all(pager, "email")) == LANE_WIDTH
    late = NOW + LEASE
    with pager.database.write() as session:
        # Others have told ann a lot meanwhile.
        session.execute(update(TargetPace).values(busy_until=late + MINUTE))
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
            failed_notifications.resend(session, row, actor=root, now=NOW)
    [again] = claim_all(pager, "webhook")
    assert again.ids == taken.ids
    assert again.uid != taken.uid
