"""The page of failed notifications, and the button that sends one again."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from incidentrelay.domain.enums import DeliveryState, GroupRole
from incidentrelay.models import Alert, GroupMember, Notification, Provider
from tests.support.pager import NOW


@pytest.fixture
def failed(pager: Any, alert_id: int) -> int:
    """The pages of the alert have all failed; returns how many there are."""
    with pager.database.write() as session:
        result = session.execute(
            update(Notification).values(
                state=DeliveryState.FAILED,
                next_at=None,
                attempts=12,
                last_error="Mailbox unknown",
                finished_at=NOW,
            )
        )
        return int(result.rowcount)


def test_every_page_says_that_something_failed_and_leads_there(browse: Any, failed: int) -> None:
    page = browse("ann").get("/oncall")
    assert f"{failed} notifications could not be delivered." in page.text
    page = page.click("could not be delivered")
    assert page.text.count("Mailbox unknown") == failed
    assert "12 attempts" in page.text


def test_one_is_sent_again(browse: Any, pager: Any, failed: int) -> None:
    page = browse("bob").get("/notifications")
    form = next(form for form in page.forms.values() if form.action.endswith("/resend"))
    page = form.submit().follow()
    assert "again. If that fails too, it is listed here." in page.text
    assert page.text.count("Mailbox unknown") == failed - 1
    with pager.database.read() as session:
        states = list(session.scalars(select(Notification.state)))
    assert states.count(DeliveryState.PENDING) == 1


def test_it_is_sent_again_from_the_alert(browse: Any, alert_id: int, failed: int) -> None:
    page = browse("bob").get(f"/alerts/{alert_id}")
    form = next(form for form in page.forms.values() if form.action.endswith("/resend"))
    answer = form.submit()
    assert answer.location.endswith(f"/alerts/{alert_id}")
    assert "Bob" in answer.follow().text


def test_a_refusal_says_why(browse: Any, pager: Any, failed: int) -> None:
    page = browse("bob").get("/notifications")
    form = next(form for form in page.forms.values() if form.action.endswith("/resend"))
    with pager.database.write() as session:
        session.execute(update(Alert).values(status="resolved", resolved_at=NOW))
    assert "The alert is resolved" in form.submit().follow().text


def test_what_is_over_is_only_among_all_of_them(browse: Any, pager: Any, failed: int) -> None:
    with pager.database.write() as session:
        session.execute(update(Alert).values(status="resolved", resolved_at=NOW))
    page = browse("ann").get("/notifications")
    assert "Nothing has failed" in page.text
    assert "could not be delivered" not in page.text
    page = page.click("^All$")
    assert page.text.count("Mailbox unknown") == failed
    assert "Send again" not in page.text
    assert "nobody needs to be notified" in page.text


def test_a_viewer_reads_but_has_no_button(browse: Any, pager: Any, failed: int) -> None:
    with pager.database.write() as session:
        session.execute(
            update(GroupMember)
            .where(GroupMember.user_id == pager.people["cy"])
            .values(role=GroupRole.VIEWER)
        )
    cy = browse("cy")
    page = cy.get("/notifications")
    assert page.text.count("Mailbox unknown") == failed
    assert "Send again" not in page.text
    assert "Send again" not in cy.get("/alerts/1").text


def test_the_page_costs_the_same_however_long_it_is(
    browse: Any, pager: Any, failed: int, query_count: Any
) -> None:
    from tests.support import factories

    ann = browse("ann")
    with query_count() as few:
        ann.get("/notifications")
    with pager.database.write() as session:
        for _ in range(20):
            factories.notification(session, pager.alert(session), state="failed", next_at=None)
    with query_count() as many:
        ann.get("/notifications")
    assert len(many) == len(few), many


def test_a_way_that_does_not_work_and_what_waits_behind_it(
    browse: Any, pager: Any, alert_id: int
) -> None:
    with pager.database.write() as session:
        session.execute(
            update(Notification).values(
                provider="email", state=DeliveryState.RETRY, next_at=NOW, stalled_at=NOW
            )
        )
        session.add(Provider(name="email", failures=9, since=NOW, reason="The server is silent"))
        count = session.scalar(select(func.count(Notification.id)))
    page = browse("ann").get("/oncall").click("E-mail has been down for")
    assert "E-mail has been down since" in page.text
    assert "The server is silent" in page.text
    assert f"{count} message" in page.text
    told = browse("ann").get(f"/alerts/{alert_id}").text
    assert told.count("This provider is down. Others were notified;") == count
    assert "Will be retried" in told


def test_what_works_is_not_mentioned(browse: Any, alert_id: int) -> None:
    assert "does not work" not in browse("ann").get("/notifications").text
