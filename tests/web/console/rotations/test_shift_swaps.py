"""Overrides, and shifts that change hands, in the console."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.models import Rotation, RotationOverride, User
from tests.support import factories
from tests.support.pager import NOW
from tests.web.console.rotations.test_rotations import text, url

__all__ = ["url"]

BOBS = "2026-03-18T12:00:00Z"


def made(pager: Any) -> list[tuple[str, datetime, datetime]]:
    names = {number: name for name, number in pager.people.items()}
    with pager.database.read() as session:
        rows = session.scalars(select(RotationOverride).order_by(RotationOverride.id))
        return [(names[row.user_id], row.starts_at, row.ends_at) for row in rows]


def day(number: int, hour: int = 9, month: int = 3) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def test_an_override_is_made(browse: Any, pager: Any, url: str) -> None:
    form = browse("ann").get(f"{url}/overrides/new").forms[1]
    form["user"] = "cy"
    form["starts_at"], form["ends_at"] = "2026-03-12T18:00", "2026-03-13T06:00"
    form["reason"] = "A wedding"
    page = form.submit().follow()
    assert "Cy is on call from Thu 12 Mar, 18:00 UTC to Fri 13 Mar, 06:00 UTC." in text(page)
    assert "A wedding" in text(page)
    assert made(pager) == [("cy", day(12, 18), day(13, 6))]


def test_an_override_without_a_start_begins_now(browse: Any, pager: Any, url: str) -> None:
    fields = {"user": "cy", "starts_at": "", "ends_at": "2026-03-13T06:00"}
    browse("ann").post(f"{url}/overrides/new", fields, status=303)
    assert made(pager) == [("cy", NOW, day(13, 6))]


def test_an_override_form_has_no_preview(browse: Any, pager: Any, url: str) -> None:
    fields = {"user": "cy", "starts_at": "", "ends_at": "2026-03-13T06:00", "do": "preview"}
    page = browse("ann").post(f"{url}/overrides/new", fields, status=200)
    assert page.forms[1]["user"].value == "cy"
    assert made(pager) == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("user", "", "Fill this in."),
        ("user", "otto", "not a member of the group"),
        ("ends_at", "", "Fill this in."),
        ("ends_at", "2026-03-01T00:00", "This is in the past."),
        ("ends_at", "2026-03-29T02:30", "There is no 02:30 on that day"),
        ("starts_at", "2026-03-29T02:30", "There is no 02:30 on that day"),
        ("reason", "x" * 4001, "Longer than maximum length"),
    ],
)
def test_a_wrong_override_is_not_made_and_not_lost(
    browse: Any, pager: Any, url: str, field: str, value: str, said: str
) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).zone = "Europe/Berlin"
    good = {
        "user": "cy",
        "starts_at": "2026-03-28T18:00",
        "ends_at": "2026-03-30T06:00",
        "reason": "A wedding",
    }
    page = browse("ann").post(f"{url}/overrides/new", good | {field: value}, status=422)
    error = re.search(rf'id="field-{field}-error">.*?</svg>([^<]+)<', page.text, re.DOTALL)
    assert error is not None
    assert said in error[1]
    assert "(Europe/Berlin)" in page.text
    form = page.forms[1]
    assert form["reason"].value == ("A wedding" if field != "reason" else value)
    assert form["starts_at"].value == (value if field == "starts_at" else good["starts_at"])
    assert made(pager) == []


def test_a_repeated_hour_is_its_first_and_is_said_with_its_zone(
    browse: Any, pager: Any, url: str
) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).zone = "Europe/Berlin"
    fields = {"user": "cy", "starts_at": "2026-10-25T02:30", "ends_at": "2026-10-25T08:00"}
    page = browse("ann").post(f"{url}/overrides/new", fields).follow()
    assert "from Sun 25 Oct, 02:30 CEST to Sun 25 Oct, 08:00 CET" in text(page)
    assert made(pager) == [("cy", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), day(25, 7, 10))]


@pytest.fixture
def running(pager: Any) -> int:
    """An override of cy's that has begun, with seconds in its end."""
    with pager.database.write() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        cy = session.get_one(User, pager.people["cy"])
        begun = NOW - timedelta(hours=1)
        end = NOW + timedelta(hours=2, seconds=15)
        return factories.override(session, rotation, cy, starts_at=begun, ends_at=end).id


def test_of_one_that_has_begun_the_end_and_the_reason_change(
    browse: Any, pager: Any, url: str, running: int
) -> None:
    form = browse("ann").get(f"{url}/overrides/{running}/edit").forms[1]
    assert "user" not in form.fields
    form["reason"] = "Longer"
    form.submit(status=303)
    assert made(pager)[0][2] == NOW + timedelta(hours=2, seconds=15)
    form = browse("ann").get(f"{url}/overrides/{running}/edit").forms[1]
    form["ends_at"] = "2026-03-10T18:00"
    form.submit(status=303)
    assert made(pager)[0][2] == day(10, 18)


def test_two_who_edit_at_once_do_not_lose_what_they_typed(
    browse: Any, pager: Any, url: str, running: int
) -> None:
    first = browse("ann").get(f"{url}/overrides/{running}/edit").forms[1]
    second = browse("bob").get(f"{url}/overrides/{running}/edit").forms[1]
    first["reason"], second["reason"] = "first", "second"
    first.submit(status=303)
    page = second.submit(status=412)
    assert "Somebody else changed this" in text(page)
    assert page.forms[1]["reason"].value == "second"
    page.forms[1].submit(status=303)
    with pager.database.read() as session:
        assert session.get_one(RotationOverride, running).reason == "second"


def test_one_that_has_begun_is_ended(browse: Any, pager: Any, url: str, running: int) -> None:
    page = browse("ann").get(f"{url}/overrides/{running}/delete")
    assert "End the override of Cy?" in text(page)
    said = text(page.forms[1].submit().follow())
    assert "Override of Cy ended." in said
    assert made(pager)[0][2] == NOW


def test_one_that_has_not_begun_is_deleted(browse: Any, pager: Any, url: str) -> None:
    fields = {"user": "cy", "starts_at": "2026-03-12T18:00", "ends_at": "2026-03-13T06:00"}
    page = browse("ann").post(f"{url}/overrides/new", fields).follow()
    page = page.click(href=r"/overrides/\d+/delete$")
    assert "Delete the override of Cy?" in text(page)
    assert "Override of Cy deleted." in text(page.forms[1].submit().follow())
    assert made(pager) == []


def test_a_shift_is_taken_where_it_is_shown(browse: Any, pager: Any, url: str) -> None:
    page = browse("cy").get(url)
    taking = [form for form in page.forms.values() if form.action == f"{url}/take"]
    assert taking[0]["at"].value == "2026-03-10T12:00:00Z"
    said = text(taking[1].submit().follow())
    assert "Cy is on call from Mon 16 Mar, 09:00 UTC to Mon 23 Mar, 09:00 UTC." in said
    assert "To undo it, delete the override." in said
    assert made(pager) == [("cy", day(16), day(23))]


@pytest.mark.parametrize(
    ("at", "said"),
    [("2026-03-10T12:00:00Z", "You already have this shift."), ("soon", "Enter a date")],
)
def test_a_shift_that_cannot_be_taken(
    browse: Any, pager: Any, url: str, at: str, said: str
) -> None:
    assert said in text(browse("ann").post(f"{url}/take", {"at": at}).follow())
    assert made(pager) == []


def test_whoever_has_a_shift_finds_cover(browse: Any, pager: Any, url: str) -> None:
    page = browse("ann").get(url).click(href=f"{url}/cover\\?at=", index=0)
    form = page.forms[1]
    assert (form["for"].value, form["from"].value) == ("ann", "2026-03-10T12:00")
    assert form["to"].value == "2026-03-16T09:00"
    form["user"] = "cy"
    said = text(form.submit().follow())
    assert "Cy is on call from Tue 10 Mar, 12:00 UTC to Mon 16 Mar, 09:00 UTC." in said
    assert made(pager) == [("cy", NOW, day(16))]


def test_a_cover_that_cannot_be_keeps_what_was_typed(browse: Any, pager: Any, url: str) -> None:
    fields = {"user": "ann", "for": "ann", "from": "2026-03-11T00:00", "to": "2026-03-12T00:00"}
    page = browse("ann").post(f"{url}/cover", fields, status=422)
    assert "Nobody can stand in for themselves." in text(page)
    assert page.forms[1]["to"].value == "2026-03-12T00:00"
    page = browse("ann").post(f"{url}/cover", fields | {"for": "", "user": "cy"}, status=422)
    assert "Choose who needs cover." in text(page)
    fields |= {"for": "fay", "user": "cy"}
    page = browse("ann").post(f"{url}/cover", fields, status=409)
    assert "Fay is not on call in this period." in text(page)


def test_two_shifts_are_swapped(browse: Any, pager: Any, url: str) -> None:
    page = browse("ann").get(url).click(href=f"{url}/swap\\?theirs=2026-03-16")
    assert "You get the shift of Bob : Mon 16 Mar, 09:00 UTC – Mon 23 Mar, 09:00 UTC" in text(page)
    assert "Fill this in." in text(page.forms[1].submit(status=422))
    form = page.forms[1]
    form["mine"] = "2026-03-10T12:00:00Z"
    form.submit().follow()
    assert made(pager) == [("ann", day(16), day(23)), ("bob", NOW, day(16))]


def test_a_swap_that_cannot_be_says_why(browse: Any, pager: Any, url: str) -> None:
    page = browse("fay").get(f"{url}/swap?theirs={BOBS}")
    assert "You have no shift to swap in this rotation" in text(page)
    page = browse("ann").get(f"{url}/swap?theirs=%3Cscript%3E")
    assert "Nobody has a shift at that time." in text(page)
    fields = {"mine": BOBS, "theirs": BOBS}
    page = browse("ann").post(f"{url}/swap", fields, status=409)
    assert "is not yours; Bob has it." in text(page)
    assert made(pager) == []


@pytest.mark.parametrize("end", ["take", "cover", "swap", "overrides/new"])
def test_viewers_change_no_shifts(login_as: Any, end: str) -> None:
    url = "/groups/sre/teams/core/rotations/primary"
    login_as("vera").post(f"{url}/{end}", {}, status=403)
    login_as("otto").post(f"{url}/{end}", {}, status=404)
