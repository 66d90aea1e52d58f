"""Intake on real databases: what is written, in how few statements, and in parallel."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.intake.signals import Rejection
from incidentrelay.models import Alert, IntakeRequest, Notification, Route, Signal
from incidentrelay.services.intake import receive as intake_receive
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def test_a_new_signal_is_an_alert_with_everything_that_it_owes(pager: Pager) -> None:
    (verdict,) = pager.take(a_signal())
    assert (verdict.outcome, verdict.status, verdict.created) == ("created", "firing", True)
    assert verdict.assignee == "Ann"
    assert pager.outbox() == [("page", "ann", "pending"), ("page", "channel:1", "pending")]
    assert pager.timeline() == ["created", "paged"]
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert alert.assignee_id == pager.people["ann"]
        assert alert.wake_at == NOW + MINUTE
        kept = session.scalars(select(IntakeRequest)).one()
        assert kept.outcomes[0]["alert_id"] == alert.id


def test_repeats_and_resolves(pager: Pager) -> None:
    pager.take(a_signal())
    (repeat,) = pager.take(a_signal(), at=NOW + MINUTE)
    assert repeat.outcome is Outcome.DUPLICATE
    (resolve,) = pager.take(a_signal(resolved=True), at=NOW + 2 * MINUTE)
    assert (resolve.outcome, resolve.status) == ("resolved", "resolved")
    # Nobody had been told yet: the pages are taken back and there is no news to tell.
    assert {state for _, _, state in pager.outbox()} == {"cancelled"}
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert (alert.wake_at, alert.generation) == (None, 2)


def test_an_alert_comes_back_inside_the_window_and_is_new_after_it(pager: Pager) -> None:
    (first,) = pager.take(a_signal())
    pager.take(a_signal(resolved=True), at=NOW + MINUTE)
    (again,) = pager.take(a_signal(), at=NOW + 2 * MINUTE)
    assert (again.outcome, again.id) == (Outcome.REOPENED, first.id)
    pager.take(a_signal(resolved=True), at=NOW + 3 * MINUTE)
    (fresh,) = pager.take(a_signal(), at=NOW + 30 * MINUTE)
    assert fresh.outcome is Outcome.CREATED
    assert fresh.id != first.id
    with pager.database.read() as session:
        rows = session.scalars(select(Signal).order_by(Signal.id)).all()
        assert [(row.alert_id, row.current) for row in rows] == [
            (first.id, False),
            (fresh.id, True),
        ]


def test_grouping_makes_one_alert_of_many_signals(pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["cluster"]
    verdicts = pager.take(
        a_signal("a", labels={"cluster": "x"}),
        a_signal("b", labels={"cluster": "x"}),
        a_signal("c", labels={"cluster": "y"}),
    )
    assert [v.outcome for v in verdicts] == [Outcome.CREATED, Outcome.UPDATED, Outcome.CREATED]
    assert verdicts[0].id == verdicts[1].id != verdicts[2].id
    (resolve,) = pager.take(a_signal("a", resolved=True), at=NOW + MINUTE)
    assert (resolve.outcome, resolve.status) == (Outcome.RESOLVED, AlertStatus.FIRING)


def test_matchers_reject_with_a_routing_error_and_harm_no_other_item(pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).matchers = ['alertname="disk"']
    refused, rejected, taken = pager.take(a_signal("cpu"), Rejection("No."), a_signal("disk"))
    assert refused.outcome is Outcome.REJECTED
    assert refused.routing_error is not None
    assert rejected.routing_error is None
    assert taken.outcome is Outcome.CREATED


def test_a_route_that_is_switched_off_takes_nothing(pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).enabled = False
    with pytest.raises(NotAllowed):
        pager.take(a_signal())


def test_the_number_of_statements_does_not_grow(
    pager: Pager, query_count: Callable[[], Any]
) -> None:
    pager.take(a_signal("first"))  # reads the route's facts
    counts = []
    for size in (2, 300):
        signals = [a_signal(f"{size}-{number}") for number in range(size)]
        with query_count() as created:
            pager.take(*signals)
        resolved = [a_signal(f"{size}-{number}", resolved=True) for number in range(size)]
        with query_count() as closed:
            pager.take(*signals, *resolved, at=NOW + MINUTE)
        counts.append((len(created), len(closed)))
    assert counts[1] == counts[0]
    assert counts[0][0] <= 10


def test_ten_parallel_posts_of_a_new_signal_make_one_alert_and_one_page(pager: Pager) -> None:
    gate, outcomes, failures = threading.Barrier(10), [], []

    def post() -> None:
        try:
            gate.wait()
            outcomes.extend(verdict.outcome for verdict in pager.take(a_signal()))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=post) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(outcomes) == [Outcome.CREATED] + [Outcome.DUPLICATE] * 9
    with pager.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 1
        assert session.scalar(select(Signal.count)) == 10
        pages = select(func.count()).where(Notification.method == "inbox")
        assert session.scalar(pages.select_from(Notification)) == 2


def test_a_failure_in_the_middle_leaves_nothing(
    pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(intake_receive, "_keep", fail)
    with pytest.raises(RuntimeError):
        pager.take(a_signal())
    assert pager.outbox() == []
    assert pager.timeline() == []
