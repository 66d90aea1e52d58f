"""Contacts and notification rules on the settings page."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.models import ContactMethod, Notification, NotificationRule, User
from incidentrelay.services.people import verification
from tests.support import factories

NEW = {"kind": "email", "label": "Home", "address": "ann@home.test"}


@pytest.fixture
def ann(browse: Any) -> Any:
    return browse("ann")


def contacts(pager: Any) -> list[ContactMethod]:
    with pager.database.read() as session:
        return list(session.scalars(select(ContactMethod).order_by(ContactMethod.id)))


def confirmed(pager: Any, *labels: str) -> list[int]:
    with pager.database.write() as session:
        user = session.get_one(User, pager.people["ann"])
        rows = [
            factories.contact(session, user, label=label, address=f"{label}@ann.test")
            for label in labels
        ]
        return [row.id for row in rows]


def rules(pager: Any) -> list[tuple[int, int]]:
    with pager.database.read() as session:
        rows = session.scalars(select(NotificationRule).order_by(NotificationRule.delay))
        return [(row.delay, row.contact_id) for row in rows]


def sent(*rows: tuple[str, str]) -> dict[str, str]:
    """The fields of the form: minutes and contact of each row."""
    return {
        f"rules.{place}.{name}": value
        for place, row in enumerate(rows)
        for name, value in zip(("delay", "contact_id"), row, strict=True)
    }


def form(page: Any, action: str) -> Any:
    return next(each for each in page.forms.values() if each.action.endswith(action))


def test_a_contact_is_added_and_confirmed(ann: Any, pager: Any, app: Any) -> None:
    entry = form(ann.get("/me"), "/me/contacts")
    entry["address"], entry["label"] = NEW["address"], NEW["label"]
    page = entry.submit().follow()
    assert "We sent a code to ann@home.test." in page.text
    assert "Not confirmed: no page goes there" in page.text
    (contact,) = contacts(pager)
    with pager.database.read() as session:
        row = session.scalars(select(Notification)).one()
        title = verification.open_code(row, app.registry["vault"]).title
    code = form(page, f"/{contact.id}/confirm")
    code["code"] = re.sub(r"\D", "", title)
    assert "Home is confirmed. Pages go there now." in code.submit().follow().text
    assert contacts(pager)[0].verified_at is not None


def test_a_wrong_code_is_said_beside_it_and_counts(ann: Any, pager: Any) -> None:
    ann.post("/me/contacts", NEW)
    (contact,) = contacts(pager)
    page = ann.post(f"/me/contacts/{contact.id}/confirm", {"code": "x"}, status=422)
    assert f'id="{contact.id}-code-error"' in page.text
    assert "This is not the code we sent." in page.text
    assert contacts(pager)[0].code_tries == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"address": "nobody"}, "new-address"),
        ({"label": ""}, "new-label"),
        ({"kind": "pigeon"}, "new-kind"),
    ],
)
def test_what_is_wrong_with_a_contact_is_said_beside_it(
    ann: Any, pager: Any, change: dict[str, str], error: str
) -> None:
    page = ann.post("/me/contacts", {**NEW, **change}, status=422)
    assert f'id="{error}-error"' in page.text
    assert NEW["address"] in page.text or "address" in change
    assert contacts(pager) == []


def test_a_contact_is_deleted_and_a_needed_one_is_not(ann: Any, pager: Any) -> None:
    (home,) = confirmed(pager, "home")
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).email = None
    page = ann.post(f"/me/contacts/{home}/delete", status=409)
    assert "Nothing else reaches you." in page.text
    (work,) = confirmed(pager, "work")
    page = form(ann.get("/me"), f"/{home}/delete").submit().follow()
    assert "home deleted, with its rules." in page.text
    assert [each.id for each in contacts(pager)] == [work]


def test_rules_are_saved_changed_and_taken_back(ann: Any, pager: Any) -> None:
    home, work = confirmed(pager, "home", "work")
    fields = sent(("0", str(home)), ("2.5", str(work)), ("", ""))
    page = ann.post("/me/rules/high", fields).follow()
    assert "Rules saved." in page.text
    assert rules(pager) == [(0, home), (150, work)]
    shown = form(page, "/rules/high")
    assert [shown[f"rules.{row}.delay"].value for row in range(3)] == ["0", "2.5", ""]
    shown["rules.1.contact_id"] = ""
    shown.submit()
    assert rules(pager) == [(0, home)]
    emptied = form(ann.get("/me"), "/rules/high")
    emptied["rules.0.contact_id"] = ""
    assert "The default rules apply again." in emptied.submit().follow().text
    assert rules(pager) == []


@pytest.mark.parametrize(
    ("minutes", "error", "said"),
    [
        ("5", "high-rules.0.delay", "must come at once"),
        ("soon", "high-rules.0.delay", "Write a number of minutes."),
        ("nan", "high-rules.0.delay", "Write a number of minutes."),
        ("inf", "high-rules.0.delay", "Write a number of minutes."),
        ("999999", "high-rules.0.delay", "Wait at most 4 hours."),
    ],
)
def test_what_is_wrong_with_rules_is_said_beside_them(
    ann: Any, pager: Any, minutes: str, error: str, said: str
) -> None:
    (home,) = confirmed(pager, "home")
    page = ann.post("/me/rules/high", sent((minutes, str(home))), status=422)
    shown = re.search(
        rf'id="{re.escape(error)}-error"[^>]*>.*?</svg>([^<]+)<', page.text, re.DOTALL
    )
    assert shown is not None
    assert said in shown[1]
    assert f'value="{minutes}"' in page.text
    assert rules(pager) == []


def test_a_test_is_sent_and_shown(ann: Any, pager: Any) -> None:
    confirmed(pager, "home")
    page = form(ann.get("/me"), "/rules/high")
    shown = ann.post(f"{page.action}/test").follow()
    assert "Latest test" in shown.text
    assert "Waiting" in shown.text
    again = ann.post("/me/rules/low/test", status=409)
    assert "Wait 30 seconds between two tests." in again.text


def test_somebody_elses_contact_is_not_found(browse: Any, pager: Any) -> None:
    (home,) = confirmed(pager, "home")
    for verb in ("delete", "confirm", "send-code"):
        browse("bob").post(f"/me/contacts/{home}/{verb}", {"code": "1"}, status=404)
