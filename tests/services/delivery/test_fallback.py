"""Two ways of one step that fail at the same moment, in two transactions."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult
from tests.support.pager import NOW, Pager, a_signal, build

# SQLite has one writer at a time.
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)

LOST = DeliveryResult(DeliveryState.FAILED, "It is gone.")


@pytest.fixture
def pager(database: Database) -> Pager:
    """A page on its way to Ann by e-mail and to a channel; Fay is the fallback contact."""
    pager = build(database)
    pager.change(fallback_user_id=pager.people["fay"])
    pager.take(a_signal())
    with database.write() as session:
        shared = update(Notification).where(Notification.channel_id.is_not(None))
        session.execute(shared.values(method="webhook"))
    return pager


def under_way(pager: Pager, method: str) -> DeliveryClaim:
    with pager.database.read() as session:
        found = session.scalar(select(Notification.id).where(Notification.method == method))
    assert found is not None
    taken = pager.claim(found)
    assert taken is not None
    return taken


def lose(session: Session, taken: DeliveryClaim) -> None:
    times = {"started_at": NOW, "now": NOW}
    delivery_results.record_result(session, taken, LOST, **times, most_attempts=3, jitter=0.5)


def would_wait(pager: Pager, deed: Callable[[Session], None]) -> bool:
    """Whether ``deed`` would have to wait for somebody; nothing of it is kept."""
    try:
        with pager.database.write() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            deed(session)
            session.rollback()
    except OperationalError as error:
        return "lock timeout" in str(error)
    return False


@pytest.mark.parametrize(("first", "second"), [("email", "webhook"), ("webhook", "email")])
def test_the_second_waits_and_sees_that_no_way_is_left(
    pager: Pager, first: str, second: str
) -> None:
    ways = under_way(pager, first), under_way(pager, second)
    with pager.database.write() as session:
        lose(session, ways[0])
        assert would_wait(pager, lambda other: lose(other, ways[1]))
    assert "fallback_notified" not in pager.timeline()
    with pager.database.write() as session:
        lose(session, ways[1])
    assert pager.timeline().count("fallback_notified") == 1
