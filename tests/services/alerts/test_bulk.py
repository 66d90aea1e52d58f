"""One action on many alerts: an outcome for each, and no statement for each."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, GroupRole
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.matchers import parse
from incidentrelay.models import Alert, Event, Group, User
from incidentrelay.services.alerts import bulk
from incidentrelay.services.alerts.bulk import BulkAction, BulkOrder, BulkOutcome, BulkResult
from tests.services.conftest import acting
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases
LATER = NOW + MINUTE


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = build(database)
    pager.take(*[a_signal(f"disk{number}") for number in range(3)])
    return pager


def ids_of(session: Session) -> list[int]:
    return list(session.scalars(select(Alert.id).order_by(Alert.id)))


def member(session: Session, role: GroupRole = GroupRole.RESPONDER) -> Any:
    group = session.scalars(select(Group).where(Group.slug == "ops")).one()
    return SimpleNamespace(is_admin=False, groups={group.id: role}, teams={}, bound_group_id=None)


def order(pager: Pager, session: Session, action: BulkAction) -> BulkOrder:
    user = session.get_one(User, pager.people["cy"])
    return BulkOrder(action, NOW + timedelta(hours=1), user, "Looking.")


def do(
    pager: Pager, action: BulkAction, ids: list[int] | None = None, at: Any = LATER
) -> list[BulkResult]:
    with pager.database.write() as session:
        bob = acting(session.get_one(User, pager.people["bob"]))
        return bulk.perform_bulk(
            session,
            order(pager, session, action),
            ids_of(session) if ids is None else ids,
            member(session),
            actor=bob,
            now=at,
        )


def outcomes(results: list[BulkResult]) -> list[str]:
    return [str(result.outcome) for result in results]


@pytest.mark.parametrize(
    ("action", "status", "event"),
    [
        (BulkAction.ACK, AlertStatus.ACKNOWLEDGED, "acknowledged"),
        (BulkAction.RESOLVE, AlertStatus.RESOLVED, "resolved"),
        (BulkAction.SNOOZE, AlertStatus.FIRING, "snoozed"),
        (BulkAction.ASSIGN, AlertStatus.FIRING, "assigned"),
        (BulkAction.REASSIGN, AlertStatus.FIRING, "assigned"),
        (BulkAction.ESCALATE, AlertStatus.FIRING, "escalated"),
        (BulkAction.COMMENT, AlertStatus.FIRING, "commented"),
    ],
)
def test_it_is_done_to_each(
    pager: Pager, action: BulkAction, status: AlertStatus, event: str
) -> None:
    assert outcomes(do(pager, action)) == ["done"] * 3
    with pager.database.read() as session:
        assert set(session.scalars(select(Alert.status))) == {status}
        query = select(Event.alert_id).where(Event.kind == event, Event.actor_id.is_not(None))
        assert sorted(session.scalars(query)) == ids_of(session)


def test_an_assignment_pages_once_for_each(pager: Pager) -> None:
    do(pager, BulkAction.ASSIGN)
    assert pager.outbox().count(("assignment", "cy", "pending")) == 3


def test_what_is_so_already_is_unchanged_and_the_impossible_is_refused(pager: Pager) -> None:
    with pager.database.read() as session:
        first, second, third = ids_of(session)
    do(pager, BulkAction.ACK, [first])
    do(pager, BulkAction.RESOLVE, [second])
    results = do(pager, BulkAction.ACK, [third, 999, second, first])
    assert [result.id for result in results] == [third, 999, second, first]
    assert outcomes(results) == ["done", "not_found", "refused", "unchanged"]
    assert "resolved" in results[2].reason
    assert results[3].reason == "It was already acknowledged."
    assert outcomes(do(pager, BulkAction.UNACK, [first, second])) == ["done", "refused"]


def test_what_one_may_only_see_is_refused_and_the_rest_is_not_there(pager: Pager) -> None:
    with pager.database.write() as session:
        other = factories.team(session, factories.group(session, "apps"), "web")
        foreign = factories.alert(session, other)
        mine = ids_of(session)[0]
        results = bulk.perform_bulk(
            session,
            BulkOrder(BulkAction.ACK),
            [mine, foreign.id],
            member(session, GroupRole.VIEWER),
            actor=acting(session.get_one(User, pager.people["bob"])),
            now=LATER,
        )
        assert outcomes(results) == ["refused", "not_found"]
        assert results[0].reason == "You may not respond to this alert."
        assert session.get_one(Alert, mine).status is AlertStatus.FIRING


def test_an_outsider_is_not_assigned(pager: Pager) -> None:
    with pager.database.write() as session:
        zoe = factories.user(session, "zoe")
        bob = acting(session.get_one(User, pager.people["bob"]))
        ids = ids_of(session)
        asked = BulkOrder(BulkAction.ASSIGN, user=zoe)
        results = bulk.perform_bulk(session, asked, ids, member(session), actor=bob, now=LATER)
    assert {result.outcome for result in results} == {BulkOutcome.REFUSED}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (BulkOrder(BulkAction.SNOOZE), "until"),
        (BulkOrder(BulkAction.SNOOZE, NOW), "until"),
        (BulkOrder(BulkAction.ASSIGN), "username"),
        (BulkOrder(BulkAction.COMMENT, text=" "), "text"),
    ],
)
def test_an_order_without_sense_is_named(pager: Pager, asked: BulkOrder, field: str) -> None:
    with pager.database.write() as session:
        bob = acting(session.get_one(User, pager.people["bob"]))
        with pytest.raises(InvalidInput) as caught:
            bulk.perform_bulk(
                session, asked, ids_of(session), member(session), actor=bob, now=LATER
            )
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize("action", list(BulkAction))
def test_the_number_of_statements_does_not_grow(
    pager: Pager, action: BulkAction, query_count: Callable[[], Any]
) -> None:
    pager.take(*[a_signal(f"load{number}") for number in range(20)])
    with pager.database.read() as session:
        ids = ids_of(session)
    if action is BulkAction.UNACK:
        do(pager, BulkAction.ACK)
    with query_count() as few:
        do(pager, action, ids[:2])
    with query_count() as many:
        assert outcomes(do(pager, action, ids[2:20])) == ["done"] * 18
    assert len(many) <= len(few)


def test_a_filter_finds_the_newest_and_says_that_there_are_more(
    pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_ALERTS", 2)
    with pager.database.read() as session:
        first, second, third = ids_of(session)
        viewer_of_all = member(session)
        assert bulk.find_alerts(session, viewer_of_all, {}) == ([third, second], True)
        wanted = {"matchers": parse('{alertname=~"disk[01]"}')}
        assert bulk.find_alerts(session, viewer_of_all, wanted) == ([second, first], False)
        assert bulk.find_alerts(session, viewer_of_all, {"title": "disk1"}) == ([second], False)
        stranger = SimpleNamespace(is_admin=False, groups={}, teams={}, bound_group_id=None)
        assert bulk.find_alerts(session, stranger, {}) == ([], False)
