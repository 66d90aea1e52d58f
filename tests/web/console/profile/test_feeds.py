"""The user's calendar feeds in the console."""

import re
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import func, select

from incidentrelay.models import CalendarFeed

ADDRESS = re.compile(r'<code id="new-feed">http://localhost(/feeds/ir_f_[\w-]{51}\.ics)</code>')


def subscribe(client: Any, what: str = "user") -> tuple[str, Any]:
    """The path of a new feed, and the page that shows it."""
    page = client.post("/me/new-feed", {"what": what}, status=200)
    found = ADDRESS.search(page.text)
    assert found is not None
    return found[1], page


@pytest.fixture
def ann(browse: Any) -> Any:
    return browse("ann")


def form_to(page: Any, action: str) -> Any:
    return next(form for form in page.forms.values() if re.search(action, form.action))


def test_a_feed_is_made_and_shown_once(ann: Any, pager: Any, testapp: Any) -> None:
    form = form_to(ann.get("/me"), "/me/new-feed")
    assert [value for value, *_ in form["what"].options] == [
        "user",
        f"team:{pager.team_id}",
        f"rotation:{pager.rotation_id}",
    ]
    form["what"] = f"rotation:{pager.rotation_id}"
    found = ADDRESS.search(form.submit().text)
    assert found is not None
    events = Calendar.from_ical(testapp.get(found[1]).body).walk("VEVENT")
    assert {str(event["SUMMARY"]).split("(")[1] for event in events} == {"Ann)", "Bob)", "Cy)"}
    again = ann.get("/me").text
    assert found[1] not in again
    assert re.search(r"<strong>Core, \w+</strong>", again)


def test_a_new_address_ends_the_old_one(ann: Any, testapp: Any) -> None:
    old, _ = subscribe(ann)
    page = form_to(ann.get("/me"), r"/me/feeds/\d+/regenerate").submit()
    found = ADDRESS.search(page.text)
    assert found is not None
    testapp.get(old, status=404)
    testapp.get(found[1], status=200)


def test_a_removed_feed_is_gone(ann: Any, testapp: Any) -> None:
    path, _ = subscribe(ann)
    page = form_to(ann.get("/me"), r"/me/feeds/\d+/delete").submit().follow()
    assert "Its URL no longer works." in page.text
    testapp.get(path, status=404)


@pytest.mark.parametrize(
    "what", ["", "world", "team", "team:", "team:x", "rotation:99", "user:1", "team:" + "9" * 30]
)
def test_what_cannot_be_subscribed_to_is_said(ann: Any, pager: Any, what: str) -> None:
    page = ann.post("/me/new-feed", {"what": what}, status=422)
    assert re.search(r'id="feed-what-error">.*?</svg>[^<]+<', page.text, re.DOTALL)
    assert '<details class="ir-more" open>' in page.text
    with pager.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CalendarFeed)) == 0


def test_the_calendar_leads_to_the_form(ann: Any) -> None:
    own = ann.get("/calendar").forms[1]["rotation"].options[1][0]
    page = ann.get(f"/calendar?rotation={own}")
    link = re.search(r'href="(/me\?feed=[^"]*)#feeds"', page.text)
    assert link is not None
    form = form_to(ann.get(link[1]), "/me/new-feed")
    assert form["what"].value.startswith("rotation:")
    assert form_to(ann.get("/me"), "/me/new-feed")["what"].value == "user"


def test_feeds_of_others_are_not_found(ann: Any, browse: Any, pager: Any) -> None:
    subscribe(ann)
    with pager.database.read() as session:
        feed_id = session.scalar(select(CalendarFeed.id))
    for verb in ("regenerate", "delete"):
        browse("bob").post(f"/me/feeds/{feed_id}/{verb}", status=404)
