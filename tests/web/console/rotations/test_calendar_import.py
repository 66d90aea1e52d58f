"""The page that imports a calendar as overrides of a rotation."""

from typing import Any

import pytest
from webtest import Upload

from incidentrelay.transport.http import Response
from tests.support.calendars import calendar, event

PAGE = "/groups/sre/teams/core/rotations/primary"
TARA = event("DTSTART:20260312T090000Z", "DTEND:20260313T090000Z", "SUMMARY:On call (Tara)")
NOBODY = event(
    "DTSTART:20260314T090000Z", "DTEND:20260315T090000Z", "SUMMARY:On call (Zed)", uid="2"
)


def overrides(client: Any) -> list[str]:
    return [row["user"] for row in client.get(f"/api{PAGE}/overrides").json["items"]]


def preview(client: Any, **fields: Any) -> Any:
    form = client.get(f"{PAGE}/import").forms[1]
    for name, value in fields.items():
        form[name] = value
    return form.submit()


def test_the_report_comes_first_and_changes_nothing(login_as: Any) -> None:
    rex = login_as("rex")
    before = overrides(rex)
    page = preview(rex, text=calendar(TARA))
    assert "Overrides: 1 new." in page.text
    assert "Tara" in page.text
    assert overrides(rex) == before
    done = page.forms[1].submit("apply")
    assert done.location.endswith(PAGE)
    assert overrides(rex) == [*before, "tara"]
    assert "Calendar imported: 1 new." in rex.get(PAGE).text


def test_a_calendar_that_is_the_whole_roster_removes_what_it_has_not(login_as: Any) -> None:
    rex = login_as("rex")
    before = overrides(rex)
    preview(rex, text=calendar(TARA)).forms[1].submit("apply")
    later = event("DTSTART:20260318T090000Z", "DTEND:20260319T090000Z", "SUMMARY:Tara", uid="3")
    page = preview(rex, text=calendar(later), whole=True)
    assert "Overrides: 1 new, 1 removed." in page.text
    page.forms[1].submit("apply")
    assert len(overrides(rex)) == len(before) + 1


def test_what_is_not_clear_is_said_and_left_out(login_as: Any) -> None:
    rex = login_as("rex")
    page = preview(rex, text=calendar(TARA, NOBODY))
    assert "It names no active member of the group." in page.text
    before = overrides(rex)
    page.forms[1].submit("apply")
    assert overrides(rex) == [*before, "tara"]


def test_nothing_is_left_out_that_nobody_was_told_of(login_as: Any) -> None:
    rex = login_as("rex")
    form = preview(rex, text=calendar(TARA)).forms[1]
    before = overrides(rex)
    form["text"] = calendar(TARA, NOBODY)
    page = form.submit("apply", status=422)
    assert "Nothing was imported." in page.text
    assert "BEGIN:VCALENDAR" in page.text
    assert overrides(rex) == before


def test_a_file_with_its_mark_in_front(login_as: Any) -> None:
    file = Upload("shifts.ics", b"\xef\xbb\xbf" + calendar(TARA).encode(), "text/calendar")
    assert "Overrides: 1 new." in preview(login_as("rex"), file=file).text


def test_what_was_looked_at_is_what_is_imported(
    login_as: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Once:
        def request(self, _method: str, url: str, **_options: Any) -> Response:
            asked.append(url)
            return Response(200, {}, calendar(TARA).encode())

    monkeypatch.setitem(app.registry, "downloads", Once())
    rex = login_as("rex")
    before = overrides(rex)
    page = preview(rex, url="https://calendar.example.net/a.ics")
    page.forms[1].submit("apply")
    assert asked == ["https://calendar.example.net/a.ics"]
    assert overrides(rex) == [*before, "tara"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "url"),
        ({"text": "nonsense"}, "text"),
        ({"url": "ftp://a.example/x"}, "url"),
        ({"url": "https://a.example/x", "text": "BEGIN:VCALENDAR"}, "url"),
        ({"file": Upload("a.ics", b"\xff\xfe\x00", "text/calendar")}, "file"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    login_as: Any, given: dict[str, Any], field: str
) -> None:
    form = login_as("rex").get(f"{PAGE}/import").forms[1]
    for name, value in given.items():
        form[name] = value
    page = form.submit(status=422)
    assert f'id="field-{field}-error"' in page.text
    if isinstance(text := given.get("text"), str):
        assert page.forms[1]["text"].value == text


def test_the_way_to_it_is_there_for_those_who_may(login_as: Any) -> None:
    assert f'href="{PAGE}/import"' in login_as("rex").get(PAGE).text
    assert f'href="{PAGE}/import"' not in login_as("vera").get(PAGE).text
    login_as("vera").get(f"{PAGE}/import", status=403)
