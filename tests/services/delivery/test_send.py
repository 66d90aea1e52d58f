"""Claims, leases, fences, retries and fallbacks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from incidentrelay.channels.base import NotSetUp, PermanentFailure, SendResult, TemporaryFailure
from incidentrelay.db import Database, Hint
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.delivery.backoff import REFUSED_FOR
from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.models import Attempt, Channel, Event, Notification, Team, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult
from tests.support.pager import LEASE, MINUTE, NOW, Accepts, Pager, a_signal, build, no_links

pytestmark = pytest.mark.both_databases

SENT, FAILED = (
    DeliveryResult(DeliveryState.SENT),
    DeliveryResult(DeliveryState.FAILED, "It is gone."),
)


@pytest.fixture
def pager(database: Database) -> Pager:
    """One firing alert: its pages are due."""
    pager = build(database)
    pager.take(a_signal())
    return pager


def first(pager: Pager, at: Any = NOW) -> DeliveryClaim:
    taken = pager.claim(pager.due(at)[0], at)
    assert taken is not None
    return taken


def state(pager: Pager, notification_id: int) -> Notification:
    with pager.database.read() as session:
        return session.get_one(Notification, notification_id)


def test_what_is_claimed_is_not_claimed_again_before_the_lease_ends(pager: Pager) -> None:
    taken = first(pager)
    assert pager.claim(taken.ids[0], NOW + LEASE - timedelta(seconds=1)) is None
    again = pager.claim(taken.ids[0], NOW + LEASE)
    assert again is not None
    assert (again.messages[0].fence, again.attempt) == (taken.messages[0].fence + 1, 2)


def test_a_dead_workers_late_result_is_fenced_off(pager: Pager) -> None:
    dead = first(pager)
    alive = pager.claim(dead.ids[0], NOW + LEASE)
    assert alive is not None
    assert not pager.record(dead, FAILED, NOW + LEASE)
    assert pager.record(alive, SENT, NOW + LEASE)
    assert state(pager, dead.ids[0]).state is DeliveryState.SENT


def test_a_sent_notification_is_never_due_again(pager: Pager) -> None:
    taken = first(pager)
    pager.record(taken, SENT)
    assert pager.claim(taken.ids[0], NOW + 10 * LEASE) is None
    assert taken.ids[0] not in pager.due(NOW + 10 * LEASE)


def test_a_retry_waits_and_the_last_one_fails(pager: Pager) -> None:
    taken, at = first(pager), NOW
    for attempt in (1, 2, 3):
        assert taken.attempt == attempt
        pager.record(taken, DeliveryResult(DeliveryState.RETRY, "It is busy."), at)
        row = state(pager, taken.ids[0])
        if attempt < 3:
            assert row.state is DeliveryState.RETRY
            assert row.next_at is not None
            assert row.next_at > at
            at = row.next_at
            again = pager.claim(taken.ids[0], at)
            assert again is not None
            taken = again
    assert row.state is DeliveryState.FAILED
    assert row.last_error == "It is busy."
    with pager.database.read() as session:
        attempts = session.scalars(select(Attempt.number).order_by(Attempt.id)).all()
        assert list(attempts) == [1, 2, 3]


def test_what_nobody_needs_any_more_is_cancelled_at_the_claim(pager: Pager) -> None:
    taken = first(pager)
    actor = Actor(name="Ann", via="api", user_id=pager.people["ann"])
    with pager.database.write() as session:
        alert_actions.acknowledge(session, pager.alert(session), actor=actor, now=NOW)
    assert pager.claim(taken.ids[0], NOW + LEASE) is None
    assert state(pager, taken.ids[0]).state is DeliveryState.CANCELLED


def test_those_who_were_told_are_told_of_the_end(pager: Pager) -> None:
    for notification_id in pager.due():
        taken = pager.claim(notification_id)
        assert taken is not None
        pager.record(taken, SENT)
    with pager.database.write() as session:
        everything = update(Notification).where(Notification.target == "channel:1")
        session.execute(everything.values(method="webhook"))
    pager.take(a_signal(resolved=True), at=NOW + MINUTE)
    updates = [(who, state) for kind, who, state in pager.outbox() if kind == "update"]
    assert updates == [("channel:1", "pending")]
    with pager.database.read() as session:
        mail = select(Notification).where(
            Notification.kind == "update", Notification.method == "email"
        )
        assert session.scalars(mail).one().user_id == pager.people["ann"]


def test_when_nothing_arrives_the_fallback_is_told_and_the_plan_goes_on(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        everything = update(Notification).where(Notification.target == "channel:1")
        session.execute(everything.values(method="webhook"))
    for notification_id in pager.due():
        taken = pager.claim(notification_id)
        assert taken is not None
        pager.record(taken, SENT if taken.method == "inbox" else FAILED)
    assert ("fallback", "fay", "pending") in pager.outbox()
    assert pager.run_due(NOW) == 1
    assert ("escalation", "bob", "pending") in pager.outbox()


def storm(pager: Pager) -> None:
    """Thirty more alerts: mail to ann and a message to the channel for each."""
    pager.take(*[a_signal(f"disk{number}") for number in range(30)])


def providers(pager: Pager, ids: Sequence[int]) -> list[str]:
    with pager.database.read() as session:
        rows = session.execute(
            select(Notification.id, Notification.provider).where(Notification.id.in_(ids))
        ).all()
    named = dict(rows)
    return [named[notification_id] for notification_id in ids]


def test_a_lane_takes_only_a_few_and_leaves_the_others_alone(pager: Pager) -> None:
    storm(pager)
    claimed: list[DeliveryClaim] = []
    for notification_id in pager.due():
        taken = pager.claim(notification_id)
        claimed += [taken] if taken else []
    assert Counter(taken.provider for taken in claimed) == {
        "email": 1,  # all of ann's mails are one message
        "inbox": outbox_records.MAX_CONCURRENT_PER_PROVIDER,
        "channel:1": outbox_records.MAX_CONCURRENT_PER_PROVIDER,
    }


def test_a_free_place_in_a_lane_wakes_who_waits_in_it(pager: Pager) -> None:
    storm(pager)
    taken = first(pager)
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    pager.record(taken, SENT)
    ids = [hint.id for hint in hints if hint.task == "deliver" and hint.id]
    assert providers(pager, ids) == [taken.provider] * outbox_records.MAX_CONCURRENT_PER_PROVIDER


def test_a_crowded_lane_does_not_hide_the_others(pager: Pager) -> None:
    storm(pager)
    due = pager.due(NOW + MINUTE)
    assert Counter(providers(pager, due)) == {
        "email": outbox_records.MAX_BATCH_PER_PROVIDER,
        "inbox": outbox_records.MAX_BATCH_PER_PROVIDER,
        "channel:1": outbox_records.MAX_BATCH_PER_PROVIDER,
    }


def fail_all(pager: Pager, at: Any) -> None:
    for notification_id in pager.due(at):
        taken = pager.claim(notification_id, at)
        assert taken is not None
        pager.record(taken, SENT if taken.method == "inbox" else FAILED, at)


def test_a_plan_in_which_nobody_can_be_reached_does_not_race(pager: Pager) -> None:
    """Pages that all fail bring the next step forward, but slower each time."""
    at, runs = NOW, 0
    while at < NOW + 10 * MINUTE:
        fail_all(pager, at)
        runs += pager.run_due(at)
        at += timedelta(seconds=1)
    assert 5 < runs < 20


def test_methods_that_are_not_set_up_are_no_failures_but_fall_back(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])

    class Missing:
        info: Any = None

        def send(self, envelope: Any, config: Any) -> SendResult:
            raise NotSetUp("No mail server.")

    outcomes = {}
    for notification_id in pager.due():
        taken = pager.claim(notification_id)
        assert taken is not None
        result = outbox_records.send_claim(taken, Missing(), no_links, NOW)
        pager.record(taken, result)
        outcomes[taken.user_id is not None] = result.state
    assert outcomes == {True: DeliveryState.CANCELLED, False: DeliveryState.FAILED}
    assert pager.timeline().count("notification_failed") == 1
    assert pager.timeline().count("fallback_notified") == 1


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (TemporaryFailure("Busy.", retry_after=MINUTE), DeliveryState.RETRY),
        (TemporaryFailure("Lost.", unknown=True), DeliveryState.RETRY),
        (PermanentFailure("Gone."), DeliveryState.FAILED),
    ],
)
def test_failures_of_channels_become_results(
    pager: Pager, raised: Exception, expected: DeliveryState
) -> None:
    class Fails:
        info: Any = None

        def send(self, envelope: Any, config: Any) -> SendResult:
            raise raised

    result = outbox_records.send_claim(first(pager), Fails(), no_links, NOW)
    assert result.state is expected


def test_the_envelope_says_the_same_on_every_attempt(pager: Pager) -> None:
    channel = Accepts()
    taken = first(pager)
    outbox_records.send_claim(taken, channel, no_links, NOW)
    again = pager.claim(taken.ids[0], NOW + LEASE)
    assert again is not None
    outbox_records.send_claim(again, channel, no_links, NOW + LEASE)
    one, two = channel.envelopes
    assert one.idempotency_key == two.idempotency_key
    assert one.thread_key == two.thread_key
    assert one.links.console == "http://localhost/alerts/1"


def test_an_unknown_kind_of_channel_fails_and_says_so(pager: Pager) -> None:
    result = outbox_records.send_claim(first(pager), None, no_links, NOW)
    assert result.state is DeliveryState.FAILED
    assert "no channel" in result.reason


def defer(pager: Pager, notification_id: int, at: datetime, most: int = 3) -> None:
    with pager.database.write() as session:
        delivery_results.defer_delivery(session, notification_id, "Odd.", at, most_attempts=most)


def test_a_row_that_cannot_be_claimed_is_pushed_out_of_the_way(pager: Pager) -> None:
    notification_id, at = pager.due()[0], NOW
    for _ in range(2):
        defer(pager, notification_id, at)
        row = state(pager, notification_id)
        assert row.state is DeliveryState.RETRY
        assert row.next_at is not None
        at = row.next_at
    defer(pager, notification_id, at)
    row = state(pager, notification_id)
    assert (row.state, row.last_error) == (DeliveryState.FAILED, "Odd.")
    assert pager.timeline().count("notification_failed") == 1
    with pager.database.read() as session:
        line = session.scalars(select(Event).where(Event.kind == "notification_failed")).one()
    assert line.text.startswith("Page to ")
    assert line.text.endswith(" failed: Odd.")


def test_a_row_that_is_being_sent_is_not_deferred(pager: Pager) -> None:
    taken = first(pager)
    defer(pager, taken.ids[0], NOW + timedelta(seconds=1))
    assert pager.record(taken, SENT)


def test_pages_that_can_never_be_claimed_fall_back_too(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        unreadable = update(Notification).where(Notification.method != "inbox")
        session.execute(unreadable.values(message={"kind": "?"}))
        webhook = update(Notification).where(Notification.target == "channel:1")
        session.execute(webhook.values(method="webhook", message={"kind": "?"}))
    for notification_id in pager.due():
        defer(pager, notification_id, NOW, most=1)
    assert ("fallback", "fay", "pending") in pager.outbox()
    assert pager.run_due(NOW) == 1


SHARED, MAIL = Notification.channel_id.is_not(None), Notification.method == "email"
GONE: list[tuple[Any, Any, dict[str, Any]]] = [
    (SHARED, Channel, {"enabled": False}),
    (SHARED, Notification, {"channel_id": None}),
    (MAIL, User, {"active": False}),
    (MAIL, Notification, {"user_id": None}),
    (MAIL, Notification, {"target": "user:1:email:9"}),
]


@pytest.mark.parametrize(("which", "model", "values"), GONE)
def test_a_page_to_whom_nobody_can_be_told_any_more_fails_at_once(
    pager: Pager, which: Any, model: Any, values: dict[str, Any]
) -> None:
    """It was owed before the channel was switched off, the person left, and so on."""
    with pager.database.write() as session:
        session.get_one(Team, pager.team_id).fallback_user_id = pager.people["fay"]
        mine = session.scalars(select(Notification).where(which)).one()
        session.execute(
            update(Notification)
            .where(Notification.id != mine.id)
            .values(state=DeliveryState.FAILED, next_at=None)
        )
        one = {Notification: mine.id, Channel: mine.channel_id, User: mine.user_id}[model]
        session.execute(update(model).where(model.id == one).values(**values))
    assert pager.claim(mine.id) is None
    after = state(pager, mine.id)
    assert (after.state, after.attempts, after.next_at) == (DeliveryState.FAILED, 0, None)
    assert after.last_error
    assert pager.timeline()[-2:] == ["notification_failed", "fallback_notified"]


def test_news_to_whom_nobody_can_be_told_any_more_are_dropped(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(Notification).values(kind="update"))
        session.execute(update(Channel).values(enabled=False))
        mine = session.scalars(select(Notification).where(SHARED)).one()
    assert pager.claim(mine.id) is None
    assert state(pager, mine.id).state is DeliveryState.CANCELLED
    assert "notification_failed" not in pager.timeline()


REFUSED = DeliveryResult(DeliveryState.RETRY, "It answered 404.", refused=True)


def refuse(pager: Pager, taken: DeliveryClaim, at: datetime) -> Notification:
    with pager.database.write() as session:
        delivery_results.record_result(
            session, taken, REFUSED, started_at=at, now=at, most_attempts=99, jitter=0.5
        )
    return state(pager, taken.ids[0])


def test_what_is_refused_once_is_tried_again_and_fails_after_some_minutes(pager: Pager) -> None:
    at = NOW
    taken = first(pager)
    while (row := refuse(pager, taken, at)).state is DeliveryState.RETRY:
        assert row.next_at is not None
        again = pager.claim(row.id, row.next_at)
        assert again is not None
        taken, at = again, row.next_at
    assert row.state is DeliveryState.FAILED
    assert (row.last_error, row.finished_at) == (REFUSED.reason, NOW + REFUSED_FOR)
    assert row.attempts >= 6
    with pager.database.read() as session:
        outcomes = session.scalars(select(Attempt.outcome).where(Attempt.notification_id == row.id))
        assert set(outcomes) == {"refused"}


def test_refusals_count_from_the_last_that_was_none(pager: Pager) -> None:
    """A proxy that comes up after an outage refuses until its target has come up too."""
    at = NOW
    taken = first(pager)
    for result in (REFUSED, DeliveryResult(DeliveryState.RETRY, "It does not answer.")):
        pager.record(taken, result, at)
        at += REFUSED_FOR
        again = pager.claim(taken.ids[0], at)
        assert again is not None
        taken = again
    assert refuse(pager, taken, at).state is DeliveryState.RETRY


def test_a_test_that_is_refused_says_so_at_once(pager: Pager) -> None:
    taken = first(pager)
    [one] = taken.messages
    message = replace(one.message, kind=NotificationKind.TEST)
    test = replace(taken, messages=(replace(one, message=message),))
    assert refuse(pager, test, NOW).state is DeliveryState.FAILED


def test_the_envelope_knows_the_recipients_zone_and_a_reopening(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(User).values(zone="Asia/Kathmandu"))
    pager.take(a_signal(resolved=True), at=NOW + MINUTE)
    pager.take(a_signal(), at=NOW + 2 * MINUTE)
    at = NOW + 2 * MINUTE
    envelopes = {}
    for notification_id in pager.due(at):
        taken = pager.claim(notification_id, at)
        if taken is not None:
            envelopes[taken.method] = outbox_records.build_envelope(taken, no_links, at)
    assert {envelope.reopened for envelope in envelopes.values()} == {True}
    assert envelopes["email"].zone == "Asia/Kathmandu"


def test_a_first_page_is_no_reopening(pager: Pager) -> None:
    assert first(pager).reopened is False
