"""One's own contacts and rules, through the API."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.models import ContactMethod, Notification
from incidentrelay.services.people import verification

NEW = {"kind": "email", "label": "Home", "address": "vera@home.test"}


@pytest.fixture
def vera(login_as: Any) -> Any:
    return login_as("vera")


def code_of(app: Any, database: Any, contact_id: int) -> str:
    """The newest code, read with the key that only the program has."""
    with database.read() as session:
        query = select(Notification).where(Notification.contact_id == contact_id)
        row = session.scalars(query.order_by(Notification.id.desc())).first()
        message = verification.open_code(row, app.registry["vault"])
    found = re.search(r"\d{6}", message.title)
    assert found is not None
    return found[0]


def test_a_contact_is_added_confirmed_and_used(app: Any, vera: Any, database: Any) -> None:
    made = vera.post_json("/api/me/contacts", NEW, status=201)
    contact_id, address = made.json["id"], made.headers["Location"]
    assert made.json["verified_at"] is None
    assert made.json["profile"] is False
    assert "code" not in made.text
    rules = {"rules": [{"delay": 0, "contact_id": contact_id}]}
    refused = vera.put_json("/api/me/rules/high", rules, status=422).json["errors"]
    assert list(refused) == ["rules.0.contact_id"]
    code = code_of(app, database, contact_id)
    done = vera.post_json(f"{address}/confirm", {"code": code}).json
    assert done["verified_at"] is not None
    kept = vera.put_json("/api/me/rules/high", rules).json
    assert kept == {"urgency": "high", "default": False, **rules}
    assert vera.get("/api/me/rules/high").json == kept
    assert vera.get("/api/me/rules/low").json["default"] is True


def test_a_wrong_code_costs_a_try_although_it_is_refused(
    app: Any, vera: Any, database: Any
) -> None:
    address = vera.post_json("/api/me/contacts", NEW, status=201).headers["Location"]
    for _ in range(verification.MOST_TRIES):
        answer = vera.post_json(f"{address}/confirm", {"code": "no"}, status=422).json
        assert answer["errors"]["code"] == ["This is not the code we sent."]
    contact_id = int(address.rsplit("/", 1)[1])
    code = code_of(app, database, contact_id)
    answer = vera.post_json(f"{address}/confirm", {"code": code}, status=422).json
    assert answer["errors"]["code"] == ["This code no longer works. Send a new one."]
    vera.post_json(f"{address}/send-code", {}, status=202)
    fresh = code_of(app, database, contact_id)
    vera.post_json(f"{address}/confirm", {"code": fresh}, status=200)


def test_a_contact_gets_another_label_but_never_another_address(vera: Any) -> None:
    address = vera.post_json("/api/me/contacts", NEW, status=201).headers["Location"]
    assert vera.patch_json(address, {"label": "Attic"}).json["label"] == "Attic"
    wrong = vera.patch_json(address, {"address": "else@x.test"}, status=422).json["errors"]
    assert list(wrong) == ["address"]
    vera.delete(address, status=204)
    vera.get(address, status=404)


def test_somebody_elses_contacts_are_not_there(vera: Any, login_as: Any, database: Any) -> None:
    address = vera.post_json("/api/me/contacts", NEW, status=201).headers["Location"]
    rex = login_as("rex")
    for method, path in (("get", address), ("delete", address), ("post", f"{address}/confirm")):
        getattr(rex, method)(path, status=404)
    with database.read() as session:
        theirs = session.scalars(select(ContactMethod.address)).all()
    listed = rex.get("/api/me/contacts").json["items"]
    assert [each["address"] for each in listed] == ["rex@example.test"]
    assert len(theirs) > 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rules": [{"delay": 60, "contact_id": 6}]}, "rules.0.delay"),
        ({"rules": [{"delay": -1, "contact_id": 6}]}, "rules.0.delay"),
        ({"rules": [{"delay": 0, "contact_id": 2**70}]}, "rules.0.contact_id"),
        ({"rules": [{"delay": 0, "contact_id": 6, "x": 1}]}, "rules.0.x"),
        ({"rules": {}}, "rules"),
        ({}, "rules"),
    ],
)
def test_bad_rules_name_the_field(
    vera: Any, database: Any, cast: Any, body: dict[str, Any], field: str
) -> None:
    with database.read() as session:
        query = select(ContactMethod.id).where(ContactMethod.user_id == cast.users["vera"].id)
        own = session.scalars(query).one()
    for rule in body["rules"] if isinstance(body.get("rules"), list) else ():
        rule["contact_id"] = own if rule["contact_id"] == 6 else rule["contact_id"]
    assert list(vera.put_json("/api/me/rules/high", body, status=422).json["errors"]) == [field]


def test_rules_are_tried_out(vera: Any) -> None:
    assert vera.get("/api/me/rules/high/test").json == []
    (sent,) = vera.post_json("/api/me/rules/high/test", {}, status=202).json
    assert (sent["kind"], sent["state"], sent["contact"]) == ("test", "pending", "Profile")
    assert vera.get("/api/me/rules/high/test").json[0]["id"] == sent["id"]
    vera.post_json("/api/me/rules/low/test", {}, status=409)


def test_there_are_rules_for_two_kinds_of_alerts_only(vera: Any) -> None:
    vera.get("/api/me/rules/medium", status=404)


def test_the_list_of_contacts_costs_as_much_for_many_as_for_one(
    vera: Any, database: Any, cast: Any, query_count: Any
) -> None:
    from tests.support import factories

    vera.get("/api/me/contacts")
    with query_count() as few:
        vera.get("/api/me/contacts")
    with database.write() as session:
        for number in range(9):
            factories.contact(session, cast.users["vera"], address=f"v{number}@x.test")
    with query_count() as many:
        assert len(vera.get("/api/me/contacts").json["items"]) == 10
    assert len(many) == len(few)


def test_an_admin_looks_at_the_contacts_of_others_and_changes_none(login_as: Any) -> None:
    root = login_as("root")
    (shown,) = root.get("/api/users/vera/contacts").json["items"]
    assert (shown["address"], shown["profile"]) == ("vera@example.test", True)
    assert "code_hash" not in shown
    root.get(shown["url"], status=200)
    root.delete(shown["url"], status=405)
    root.patch_json(shown["url"], {"label": "Mine"}, status=405)
    login_as("gail").get(shown["url"], status=404)
