"""Two actions on the same alert at once lose no page.

The second begins before the first is committed. On SQLite it waits, because there is one
writer; on PostgreSQL it continues until it needs a row that the first has locked.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.domain.messages import Message
from incidentrelay.models import Alert, Notification, Provider, Silence, Team
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.delivery import stalled
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult, PendingMessage
from incidentrelay.services.silences import silences
from tests.services.conftest import ADMIN
from tests.support.pager import MINUTE, NOW, RAW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases

HOUR = timedelta(hours=1)
Begin = Callable[..., "Future[Any]"]


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin something, and return when it is blocked or done."""
    with ThreadPoolExecutor(2) as pool:

        def begin(deed: Callable[..., Any], *given: Any) -> "Future[Any]":
            begun = pool.submit(deed, *given)
            wait([begun], timeout=0.3)
            return begun

        yield begin


def only_alert(session: Session) -> Alert:
    return session.scalars(select(Alert)).one()


def test_a_repeat_while_somebody_resolves_brings_the_alert_back(pager: Pager, begin: Begin) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        alert_actions.resolve(session, only_alert(session), actor=ADMIN, now=NOW + MINUTE)
        repeat = begin(lambda: pager.take(a_signal(), at=NOW + MINUTE))
    [verdict] = repeat.result(timeout=10)
    assert (verdict.outcome, verdict.status) == ("reopened", AlertStatus.FIRING)


def test_an_alert_that_comes_while_its_silence_ends_pages(pager: Pager, begin: Begin) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        given = {"matchers": ["alertname=disk"], "ends_at": NOW + HOUR}
        silences.create(session, team, given, actor=ADMIN, now=NOW)

    def unsilence() -> None:
        with pager.database.write() as session:
            silence = session.scalars(select(Silence)).one()
            silences.delete(session, silence, actor=ADMIN, now=NOW + MINUTE)

    with pager.database.write() as session:
        route = intake_receive.lock_route(session, pager.route_id, NOW)
        intake_receive.receive_request(session, route, [a_signal()], RAW, NOW)
        deletion = begin(unsilence)
    deletion.result(timeout=10)
    with pager.database.read() as session:
        assert only_alert(session).quiet_until is None
    assert ("page", "ann", "pending") in pager.outbox()


def test_to_acknowledge_while_others_are_told_is_no_deadlock(pager: Pager, begin: Begin) -> None:
    """One holds the alert and cancels pending rows; the other holds those and wants it."""
    pager.take(a_signal())
    with pager.database.write() as session:
        lanes_down(session)
    with pager.database.write() as session:
        alert = alert_actions.lock_alert(session, only_alert(session))
        telling = begin(stall, pager)
        alert_actions.acknowledge(session, alert, actor=ADMIN, now=NOW + MINUTE)
    assert telling.result(timeout=10) == 0
    assert ("page", "ann", "cancelled") in pager.outbox()


def lanes_down(session: Session) -> None:
    for name in session.scalars(select(Notification.provider).distinct()).all():
        session.add(Provider(name=name, failures=9, since=NOW, open_until=NOW + MINUTE))


def stall(pager: Pager) -> int:
    with pager.database.write() as session:
        return stalled.mark_stalled(session, NOW + MINUTE, limit=10)


def test_to_acknowledge_two_while_both_of_one_message_fail_is_no_deadlock(
    pager: Pager, begin: Begin
) -> None:
    """The pages of a message may be in another order than their alerts."""
    pager.take(a_signal("a"), a_signal("b"))
    with pager.database.write() as session:
        ids = sorted(session.scalars(select(Alert.id)))
        owed = [
            PendingMessage(row.id, row.fence, row.alert_id, Message.from_json(row.message))
            for row in turned(session)
        ]
    taken = DeliveryClaim(tuple(owed), 1, "bundle", None, "email", "email", {}, "thread")
    with pager.database.write() as session:
        alert_transitions.lock_alerts(session, ids[:1])
        failing = begin(pager.record, taken, DeliveryResult(DeliveryState.FAILED, "It is gone."))
        alert_transitions.lock_alerts(session, ids[1:])
    assert failing.result(timeout=10)


def turned(session: Session) -> list[Notification]:
    """The mails being sent, each about the other's alert."""
    rows = session.scalars(select(Notification).where(Notification.method == "email")).all()
    first, second = rows
    second.target = "user:1:email:2"  # two of one alert have two targets
    session.flush()
    first.alert_id, second.alert_id = second.alert_id, first.alert_id
    for row in rows:
        row.state = DeliveryState.SENDING
    session.flush()
    return [first, second]
