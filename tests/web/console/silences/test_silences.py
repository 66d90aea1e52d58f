"""Silences in the console: from an alert to a silence, its preview, and its end."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.domain.enums import GroupRole
from incidentrelay.models import Route, Silence, Team
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Pager, a_signal

FOLDER = "/groups/ops/teams/core/silences"
NEW = f"{FOLDER}/new"
FORM: Mapping[str, str] = {
    "matchers": 'alertname="Disk"',
    "lasts": "60",
    "starts": "",
    "ends": "",
    "repeat": "",
    "rule": "",
    "zone": "UTC",
    "reason": "Moving the disks",
}


@pytest.fixture
def ann(browse: Callable[[str], Any]) -> Any:
    return browse("ann")


def stored(pager: Pager) -> list[Silence]:
    with pager.database.read() as session:
        return list(session.scalars(select(Silence).order_by(Silence.id)))


def test_from_an_alert_in_one_click(ann: Any, pager: Pager) -> None:
    labels = {"alertname": "Disk", "host": 'db-"1"', "severity": "critical"}
    (verdict,) = pager.take(a_signal("Disk", labels=labels))
    page = ann.get(f"/alerts/{verdict.id}").click("Silence", href="alert=")
    form = _form(page)
    assert form["matchers"].value.strip() == 'alertname="Disk"\nhost="db-\\"1\\""'
    assert form["reason"].value == f"For alert {verdict.id}: Disk is full"
    made = form.submit().follow()
    assert "Active until" in made.text
    assert "Silence created." in made.text
    with pager.database.read() as session:
        assert pager.alert(session).quiet_until == NOW + 60 * MINUTE
    assert "Quiet until" in ann.get(f"/alerts/{verdict.id}").text


def _form(page: Any) -> Any:
    return next(form for form in page.forms.values() if "matchers" in form.fields)


def test_a_preview_saves_nothing_and_keeps_what_was_typed(
    ann: Any, pager: Pager, alert_id: int
) -> None:
    page = ann.post(NEW, {**FORM, "do": "preview"})
    assert "nothing is saved yet" in page.text
    assert "<strong>1 firing alert</strong>" in page.text
    assert f'href="/alerts/{alert_id}"' in page.text
    assert _form(page)["reason"].value == "Moving the disks"
    assert stored(pager) == []


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"matchers": "a=b\nc=~(("}, "matchers", "Line 2: At character 3:"),
        ({"matchers": ""}, "matchers", "These match every alert"),
        ({"lasts": "custom"}, "ends", "Enter when it ends"),
        ({"lasts": "custom", "ends": "2026-03-10T11:00"}, "ends", "The end must be after"),
        ({"lasts": "x"}, "lasts", "Choose how long"),
        ({"ends": "2026-03-10T15:00"}, "lasts", "There is an end below"),
        ({"zone": "Mars"}, "zone", "There is no time zone"),
        ({"starts": "soon"}, "starts", "Enter a date and a time"),
        ({"repeat": "FREQ=DAILY"}, "starts", "when it first starts"),
        ({"repeat": "custom", "rule": "FREQ=HOURLY", "starts": "2026-03-11T02:00"}, "rule", "FREQ"),
        (
            {"repeat": "FREQ=DAILY", "starts": "2026-03-11T02:00", "lasts": "morning"},
            "lasts",
            "Choose how long",
        ),
        (
            {
                "repeat": "FREQ=DAILY",
                "starts": "2026-03-11T02:00",
                "lasts": "custom",
                "ends": "2026-03-20T02:00",
            },
            "ends",
            "from 1 minute to 7 days",
        ),
    ],
)
@pytest.mark.parametrize("button", [{}, {"do": "preview"}])
def test_what_is_wrong_stands_beside_its_field(
    ann: Any, pager: Pager, change: dict[str, str], field: str, sentence: str, button: Any
) -> None:
    page = ann.post(NEW, {**FORM, **change, **button}, status=422)
    assert f'id="field-{field}-error"' in page.text
    beside = page.text.partition(f'id="field-{field}-error"')[2].partition("</p>")[0]
    assert sentence in beside
    assert _form(page)["reason"].value == "Moving the disks"
    assert stored(pager) == []


def test_one_that_repeats_is_made_edited_and_ended(ann: Any, pager: Pager) -> None:
    given = {"repeat": "FREQ=WEEKLY", "starts": "2026-03-10T08:30", "zone": "America/New_York"}
    page = ann.post(NEW, {**FORM, **given}).follow()
    assert "Every week on Tuesday at 08:30 (America/New_York) for 1 h" in page.text
    assert "Begins" in page.text
    (row,) = stored(pager)
    address = f"{FOLDER}/{row.id}"
    form = _form(ann.get(f"{address}/edit"))
    assert (form["starts"].value, form["ends"].value) == ("2026-03-10T08:30", "2026-03-10T09:30")
    form["repeat"], form["rule"] = "custom", "FREQ=MONTHLY;BYDAY=2TU"
    page = form.submit().follow()
    assert "Every month on the 2nd Tuesday at 08:30" in page.text
    assert _form(ann.get(f"{address}/edit"))["rule"].value == "FREQ=MONTHLY;BYDAY=2TU"
    assert "has not started" in ann.post(f"{address}/end").follow().text
    ann.get(f"{address}/delete")
    assert "Silence deleted" in ann.post(f"{address}/delete").follow().text
    assert stored(pager) == []


def test_an_edit_that_changes_nothing_changes_nothing(ann: Any, pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        window = {"starts_at": NOW + MINUTE / 3, "ends_at": NOW + 90 * MINUTE / 4}
        number = factories.silence(session, team, **window).id
    _form(ann.get(f"{FOLDER}/{number}/edit")).submit().follow()
    (row,) = stored(pager)
    assert (row.version, row.starts_at) == (1, NOW + MINUTE / 3)


def test_somebody_elses_edit_is_not_lost(ann: Any, pager: Pager) -> None:
    ann.post(NEW, FORM)
    (row,) = stored(pager)
    form = _form(ann.get(f"{FOLDER}/{row.id}/edit"))
    ann.post(f"{FOLDER}/{row.id}/edit", {**FORM, "reason": "Other", "version": "1"})
    form["reason"] = "Mine"
    page = form.submit(status=412)
    assert "Somebody else changed this" in page.text
    assert _form(page)["reason"].value == "Mine"
    _form(page).submit().follow()
    assert stored(pager)[0].reason == "Mine"


def test_ending_one_now_pages_what_still_fires(ann: Any, pager: Pager, alert_id: int) -> None:
    ann.post(NEW, FORM)
    (row,) = stored(pager)
    assert "End now" in ann.get("/silences").text
    assert "Silence ended" in ann.post(f"{FOLDER}/{row.id}/end").follow().text
    with pager.database.read() as session:
        assert pager.alert(session).quiet_until is None
    assert "End now" not in ann.get("/silences").text
    assert "Moving the disks" in ann.get("/silences?state=over").text
    assert "Moving the disks" in ann.get(f"{FOLDER}?state=over").text


def test_a_door_leads_to_the_form_of_the_only_team(ann: Any) -> None:
    assert ann.get("/silences/new", status=303).location.endswith(NEW)


def test_who_may_only_look_is_offered_nothing(
    browse: Callable[[str], Any], ann: Any, pager: Pager, alert_id: int
) -> None:
    ann.post(NEW, FORM)
    (row,) = stored(pager)
    from incidentrelay.models import GroupMember

    with pager.database.write() as session:
        query = select(GroupMember).where(GroupMember.user_id == pager.people["cy"])
        session.scalars(query).one().role = GroupRole.VIEWER
    cy = browse("cy")
    for where in ("/silences", FOLDER, f"{FOLDER}/{row.id}", f"/silences/{row.id}"):
        page = cy.get(where)
        assert "End now" not in page.text
        assert "/new" not in page.text
    assert "/silences/new" not in cy.get(f"/alerts/{alert_id}").text
    cy.get(NEW, status=403)
    cy.post(NEW, FORM, status=403)
    cy.post(f"{FOLDER}/{row.id}/end", status=403)


def test_an_alert_of_another_team_is_no_template(ann: Any, pager: Pager) -> None:
    with pager.database.write() as session:
        other = factories.team(session, factories.group(session, "apps"), "web")
        foreign = factories.alert(session, other, factories.route(session, other)).id
    assert _form(ann.get(f"{NEW}?alert={foreign}"))["matchers"].value.strip() == ""
    assert _form(ann.get(f"{NEW}?alert=x"))["matchers"].value.strip() == ""


@pytest.fixture
def counted(query_count: Any, ann: Any) -> Iterator[Callable[[], int]]:
    def count() -> int:
        with query_count() as statements:
            ann.get("/silences")
        return len(statements)

    return count


def test_the_list_has_a_query_budget(pager: Pager, counted: Callable[[], int]) -> None:
    def more(number: int) -> None:
        with pager.database.write() as session:
            team = session.get_one(Team, pager.team_id)
            for _ in range(number):
                factories.silence(session, team)

    more(2)
    few = counted()
    more(60)
    assert counted() == few <= 17


def test_a_silence_from_a_group_says_in_what_its_signals_differ(ann: Any, pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["alertname"]
    verdicts = pager.take(
        a_signal("one", labels={"alertname": "Disk", "host": "a"}),
        a_signal("two", labels={"alertname": "Disk", "host": "b"}),
    )
    page = ann.get(f"/alerts/{verdicts[0].id}").click("Silence", href="alert=")
    assert "The 2 signals of this alert differ in host." in page.text
    form = _form(page)
    assert form["matchers"].value.strip() == 'alertname="Disk"\nhost=~"a|b"'
    shown = ann.post(NEW, {**FORM, "matchers": 'alertname="Disk"\nhost="a"', "do": "preview"})
    assert "1 more alert still pages: not all of its signals match." in shown.text


def test_matchers_that_contradict_each_other_are_warned_about(ann: Any) -> None:
    page = ann.post(NEW, {**FORM, "matchers": 'host="a"\nhost="b"', "do": "preview"})
    assert "contradict each other, so this silence covers nothing." in page.text
