"""Groups on real databases: what alerts show, who hears of joins, and the query budgets."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Message
from incidentrelay.models import Event, IntakeRequest, Notification, Route, Signal
from incidentrelay.services.alerts import actions
from incidentrelay.services.intake import joins as intake_joins
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.receive import IntakeRequestBody
from tests.support.pager import MINUTE, NOW, RAW, Pager, a_signal, build
from tests.support.statements import statements

pytestmark = pytest.mark.both_databases
SECOND = timedelta(seconds=1)


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = build(database)
    with database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["cluster"]
    return pager


def db(number: int, **values: Any) -> Any:
    name = f"db{number}"
    values.setdefault("severity", Severity.WARNING)
    labels = {"cluster": "x", "host": name}
    return a_signal(name, labels=labels, description=f"{name} does not answer", **values)


def acknowledge(pager: Pager, at: datetime = NOW + MINUTE, by: str = "bob") -> None:
    with pager.database.write() as session:
        actor = Actor(name=by.title(), via="api", user_id=pager.people[by])
        actions.acknowledge(session, pager.alert(session), actor=actor, now=at)


def joins(pager: Pager) -> list[Notification]:
    with pager.database.read() as session:
        query = select(Notification).where(
            Notification.kind == NotificationKind.UPDATE, Notification.step > 0
        )
        return list(session.scalars(query.order_by(Notification.id)))


def test_an_alert_shows_what_still_fires(pager: Pager) -> None:
    """Also what was stored by earlier requests."""
    pager.take(db(1, severity=Severity.CRITICAL), db(2))
    pager.take(db(1, resolved=True), at=NOW + MINUTE)
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert (alert.title, alert.severity) == ("db2 is full", "warning")
        assert alert.description == "db2 does not answer"
        assert alert.labels == {"cluster": "x", "host": "db2"}
    pager.take(db(3), at=NOW + 2 * MINUTE)
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert (alert.title, alert.labels) == ("db2 is full and 1 more", {"cluster": "x"})


def test_times_and_who_gave_them_are_stored(pager: Pager) -> None:
    pager.take(db(1, starts_at=NOW - MINUTE), db(2))
    pager.take(db(1, resolved=True), db(2, resolved=True, ends_at=NOW), at=NOW + MINUTE)
    with pager.database.read() as session:
        rows = session.scalars(select(Signal).order_by(Signal.dedup_key)).all()
        assert [(r.starts_at, r.start_from_source) for r in rows] == [
            (NOW - MINUTE, True),
            (NOW, False),
        ]
        assert [(r.ends_at, r.end_from_source, r.resolved_at) for r in rows] == [
            (NOW + MINUTE, False, NOW + MINUTE),
            (NOW, True, NOW + MINUTE),
        ]


def test_a_source_that_gave_up_too_early_pages_again(pager: Pager) -> None:
    """Prometheus paused: Alertmanager resolves the alert and then sends the same start."""
    (first,) = pager.take(db(1, starts_at=NOW))
    pager.take(db(1, resolved=True, starts_at=NOW, ends_at=NOW + MINUTE), at=NOW + 2 * MINUTE)
    (late,) = pager.take(db(1, starts_at=NOW), at=NOW + 2 * MINUTE + 30 * SECOND)
    (again,) = pager.take(db(1, starts_at=NOW), at=NOW + 4 * MINUTE)
    assert (late.outcome, again.outcome, again.id) == ("ignored", "reopened", first.id)
    assert pager.outbox()[-2:] == [("page", "ann", "pending"), ("page", "channel:1", "pending")]


def test_signals_that_join_are_one_message_to_the_person_who_acknowledged(pager: Pager) -> None:
    pager.take(db(1))
    acknowledge(pager)
    for number in range(2, 502):
        at = NOW + MINUTE + number * 0.1 * SECOND
        pager.take(db(number, severity=Severity.LOW), at=at)
    found = joins(pager)
    assert {row.user_id for row in found} == {pager.people["bob"]}
    assert len({row.method for row in found}) == len(found)
    assert {row.next_at for row in found} == {NOW + 2 * MINUTE + 0.2 * SECOND}
    message = Message.from_json(found[0].message)
    assert (message.headline, message.joined, message.signal_count) == (
        "500 signals joined",
        500,
        501,
    )
    assert [signal.title for signal in message.signals] == [f"db{n} is full" for n in range(2, 12)]
    assert (message.acknowledged_by, message.status) == ("Bob", AlertStatus.ACKNOWLEDGED)


def test_the_next_minute_has_its_own_message(pager: Pager) -> None:
    pager.take(db(1))
    acknowledge(pager)
    pager.take(db(2), at=NOW + MINUTE)
    inbox = [row.id for row in joins(pager) if row.method == "inbox"]
    taken = pager.claim(inbox[0], at=NOW + 2 * MINUTE)
    assert taken is not None
    assert taken.messages[0].message.headline == "1 signal joined"
    pager.take(db(3), db(4), at=NOW + 2 * MINUTE)
    last = [row for row in joins(pager) if row.method == "inbox"][-1]
    assert last.id != inbox[0]
    assert Message.from_json(last.message).headline == "2 signals joined"


def test_a_message_that_a_worker_takes_meanwhile_stays_as_it_is(
    pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager.take(db(1))
    acknowledge(pager)
    pager.take(db(2), at=NOW + MINUTE)
    load = intake_joins._load_updates

    def load_and_claim(session: Any, alerts: Any) -> Any:
        found = load(session, alerts)
        taken = update(Notification).where(Notification.step > 0).values(state="sending")
        session.execute(taken.execution_options(synchronize_session=False))
        return found

    monkeypatch.setattr(intake_joins, "_load_updates", load_and_claim)
    pager.take(db(3), at=NOW + MINUTE + SECOND)
    told = [(row.state, row.message["headline"]) for row in joins(pager) if row.method == "inbox"]
    assert told == [("sending", "1 signal joined"), ("pending", "1 signal joined")]


def test_what_joins_an_old_acknowledgement_pages(pager: Pager) -> None:
    pager.change(ack_covers=600)
    pager.take(db(1))
    acknowledge(pager)
    (covered,) = pager.take(db(2), at=NOW + 11 * MINUTE)
    assert covered.status is AlertStatus.ACKNOWLEDGED
    (joined,) = pager.take(db(3), at=NOW + 11 * MINUTE + SECOND)
    assert joined.status is AlertStatus.FIRING
    assert pager.outbox()[-2:] == [("page", "ann", "pending"), ("page", "channel:1", "pending")]
    # The page tells of the signal that joined before; its own message is not needed.
    assert {row.state for row in joins(pager)} == {"cancelled"}
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert (alert.acknowledged_at, alert.acknowledged_by_id) == (None, None)


def test_an_acknowledgement_tells_channels_who_and_when(pager: Pager) -> None:
    pager.take(db(1), db(2))
    with pager.database.write() as session:
        for row in session.scalars(select(Notification)):
            row.state = "sent"
            row.method = "webhook" if row.channel_id else row.method
    acknowledge(pager)
    with pager.database.read() as session:
        query = select(Notification).where(Notification.kind == NotificationKind.UPDATE)
        message = Message.from_json(session.scalars(query).first().message)  # type: ignore[union-attr]
    assert message.acknowledged_by == "Bob"
    assert message.acknowledged_at == (NOW + MINUTE).isoformat()
    assert [signal.title for signal in message.signals] == ["db1 is full", "db2 is full"]
    assert message.signal_count == 2


def test_reminders_list_the_worst_signals(pager: Pager) -> None:
    pager.take(db(1), db(2, severity=Severity.CRITICAL))
    assert pager.run_due(NOW + MINUTE)
    with pager.database.read() as session:
        query = select(Notification).where(Notification.kind == NotificationKind.REMINDER)
        message = Message.from_json(session.scalars(query).first().message)  # type: ignore[union-attr]
    assert [signal.title for signal in message.signals] == ["db2 is full", "db1 is full"]
    assert message.signals[0].labels == {"cluster": "x", "host": "db2"}


def test_the_number_of_statements_does_not_grow_with_the_group(pager: Pager) -> None:
    def count(at: datetime, *numbers: int) -> int:
        with statements(pager.database) as sent:
            pager.take(*[db(number) for number in numbers], at=at)
        return len(sent)

    pager.take(db(1))
    acknowledge(pager)
    pager.take(db(2), at=NOW + MINUTE)
    few = count(NOW + MINUTE + SECOND, 3)
    many = count(NOW + MINUTE + 2 * SECOND, *range(4, 300))
    assert many <= few


def left_out(pager: Pager, count: int, *items: Any) -> list[Any]:
    with pager.database.write() as session:
        raw = IntakeRequestBody(RAW.body, False, RAW.address, left_out=count)
        route = intake_receive.lock_route(session, pager.route_id, NOW)
        return intake_receive.receive_request(session, route, list(items), raw, NOW)


def test_alerts_that_a_source_left_out_leave_a_trace(pager: Pager) -> None:
    for _ in range(2):
        (verdict,) = left_out(pager, 57, db(1))
        assert verdict.reason == "The source left 57 more alerts out of this request."
    with pager.database.read() as session:
        texts = session.scalars(select(Event.text).where(Event.kind == "source_note")).all()
        assert texts == ["The source left 57 more alerts out of this request."]
        assert set(session.scalars(select(IntakeRequest.left_out))) == {57}
