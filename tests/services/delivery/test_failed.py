"""Failed notifications: who sees them, which still matter, and sending one again."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import Alert, Channel, Event, Notification, User
from incidentrelay.services.access import memberships
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.outbox.records import DeliveryResult
from tests.support import pager as pagers
from tests.support.pager import NOW, Pager, a_signal

pytestmark = pytest.mark.both_databases

LATER = NOW + timedelta(minutes=3)


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def actor(pager: Pager, name: str = "bob") -> Actor:
    return Actor(name=name, via="api", user_id=pager.people[name])


def fail(pager: Pager, method: str = "email") -> int:
    """An alert's page by ``method`` that has failed for good."""
    pager.take(a_signal())
    with pager.database.read() as session:
        query = select(Notification.id).where(Notification.method == method)
        found = session.scalars(query.order_by(Notification.id)).first()
    assert found is not None
    taken = pager.claim(found)
    assert taken is not None
    assert pager.record(taken, DeliveryResult(DeliveryState.FAILED, "The mailbox is unknown."))
    return found


def resend(pager: Pager, notification_id: int) -> None:
    with pager.database.write() as session:
        row = session.get_one(Notification, notification_id)
        failed_notifications.resend_notification(session, row, actor=actor(pager), now=LATER)


def row(pager: Pager, notification_id: int) -> Notification:
    with pager.database.read() as session:
        return session.get_one(Notification, notification_id)


def seen(pager: Pager, **how: Any) -> list[int]:
    with pager.database.read() as session:
        ann = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        found, _ = failed_notifications.list_failed(session, ann, **how)
        if not how:
            assert failed_notifications.count_open_failures(session, ann) == len(found)
        return [each.id for each in found]


def test_one_that_is_sent_again_is_due_with_all_of_its_tries(pager: Pager) -> None:
    failed = fail(pager)
    before = row(pager, failed)
    resend(pager, failed)
    after = row(pager, failed)
    assert (after.state, after.attempts) == (DeliveryState.PENDING, 0)
    # Due at once, even for a worker whose clock is behind.
    assert after.next_at == after.created_at
    assert (after.finished_at, after.last_error, after.uid) == (None, "", before.uid)
    assert after.fence > before.fence
    assert failed in pager.due(LATER)
    taken = pager.claim(failed, LATER)
    assert taken is not None
    assert pager.record(taken, DeliveryResult(DeliveryState.SENT), LATER)
    assert row(pager, failed).state is DeliveryState.SENT


def test_the_timeline_says_who_sent_it_again(pager: Pager) -> None:
    resend(pager, fail(pager))
    with pager.database.read() as session:
        line = session.scalars(select(Event).where(Event.kind == "notification_resent")).one()
    assert line.text == "bob sends it again: Ann by e-mail"
    assert (line.actor_id, line.via) == (pager.people["bob"], "api")


def test_a_late_result_of_the_old_tries_changes_nothing(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.read() as session:
        found = session.scalars(select(Notification.id).order_by(Notification.id)).all()
    taken = pager.claim(found[-1])
    assert taken is not None
    with pager.database.write() as session:
        session.execute(
            update(Notification).where(Notification.id == found[-1]).values(state="failed")
        )
    resend(pager, found[-1])
    assert not pager.record(taken, DeliveryResult(DeliveryState.FAILED, "late"))
    assert row(pager, found[-1]).state is DeliveryState.PENDING


def test_twice_is_once(pager: Pager) -> None:
    failed = fail(pager)
    resend(pager, failed)
    with pytest.raises(Conflict, match="It is pending"):
        resend(pager, failed)


def acknowledge(session: Any, alert: Alert, pager: Pager) -> None:
    alert_actions.acknowledge(session, alert, actor=actor(pager), now=NOW)


def resolve(session: Any, alert: Alert, pager: Pager) -> None:
    alert_actions.resolve(session, alert, actor=actor(pager), now=NOW)


def snooze(session: Any, alert: Alert, pager: Pager) -> None:
    until = NOW + timedelta(hours=1)
    alert_actions.snooze(session, alert, until, actor=actor(pager), now=NOW)


def begin_again(session: Any, alert: Alert, pager: Pager) -> None:
    acknowledge(session, alert, pager)
    alert_actions.unacknowledge(session, alert, actor=actor(pager), now=NOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (acknowledge, "alert is acknowledged"),
        (resolve, "is resolved"),
        (snooze, "is quiet"),
        (begin_again, "has moved on"),
    ],
)
def test_what_nobody_needs_any_more_is_refused_and_not_counted(
    pager: Pager, change: Any, reason: str
) -> None:
    failed = fail(pager)
    assert seen(pager) == [failed]
    with pager.database.write() as session:
        change(session, pager.alert(session), pager)
    with pytest.raises(Conflict, match=reason):
        resend(pager, failed)
    assert row(pager, failed).state is DeliveryState.FAILED
    assert seen(pager) == []
    assert seen(pager, all_of_them=True) == [failed]


def test_nobody_is_told_who_cannot_be(pager: Pager) -> None:
    failed = fail(pager)
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).active = False
    with pytest.raises(Conflict, match="Ann is not active"):
        resend(pager, failed)


@pytest.mark.parametrize(
    ("values", "reason"), [({"enabled": False}, "switched off"), (None, "was deleted")]
)
def test_a_channel_that_is_off_or_gone_is_named(
    pager: Pager, values: dict[str, Any] | None, reason: str
) -> None:
    failed = fail(pager, method="inbox")
    with pager.database.write() as session:
        found = session.get_one(Notification, failed)
        found.user_id, found.target = None, "channel:9"
        found.channel_id = session.scalars(select(Channel.id)).one() if values else None
        if values:
            session.execute(update(Channel).values(**values))
    with pytest.raises(Conflict, match=reason):
        resend(pager, failed)


def test_a_stranger_sees_none(pager: Pager) -> None:
    fail(pager)
    nobody = memberships.Roles(is_admin=False, groups={}, teams={})
    with pager.database.read() as session:
        assert failed_notifications.count_open_failures(session, nobody) == 0
        assert failed_notifications.list_failed(session, nobody) == ([], None)


def test_the_list_goes_on_at_the_next_page(pager: Pager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_notifications, "PAGE_SIZE", 2)
    pager.take(a_signal("a"), a_signal("b"))
    with pager.database.write() as session:
        session.execute(update(Notification).values(state="failed"))
        ids = sorted(session.scalars(select(Notification.id)), reverse=True)
    with pager.database.read() as session:
        ann = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        found: list[int] = []
        before: int | None = None
        while True:
            page, before = failed_notifications.list_failed(session, ann, before=before)
            found += [each.id for each in page]
            if before is None:
                break
    assert found == ids
