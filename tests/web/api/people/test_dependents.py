"""What depends on somebody before they are deactivated or removed, and what happens then."""

from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.models import Team, User
from tests.web.conftest import CORE


@pytest.mark.parametrize("path", ["/api/users/rex", "/api/groups/sre/members/rex"])
def test_what_depends_on_somebody(login_as: Any, path: str) -> None:
    found = login_as("root").get(f"{path}/dependents").json
    assert found["rotations"] == ["sre/core/primary", "sre/edge/primary"]
    assert [each.rpartition("/")[0] for each in found["overrides"]] == found["rotations"]
    assert (found["policies"], found["fallback_of"], found["alerts"]) == ([], [], [])


def test_an_alert_acknowledged_by_somebody_who_is_deactivated_fires_again(login_as: Any) -> None:
    root, rex = login_as("root"), login_as("rex")
    (alert,) = root.get(f"{CORE}/alerts").json["items"]
    rex.post_json(f"/api/alerts/{alert['id']}/ack", {})
    assert root.get("/api/users/rex/dependents").json["alerts"] == [alert["id"]]
    refused = root.patch_json("/api/users/rex", {"active": False}, status=409).json
    assert refused["dependents"] == root.get("/api/users/rex/dependents").json
    assert root.get(f"/api/alerts/{alert['id']}").json["status"] == "acknowledged"
    root.patch_json("/api/users/rex?confirm=true", {"active": False})
    after = root.get(f"/api/alerts/{alert['id']}").json
    assert (after["status"], after["assignee"]) == ("firing", None)
    assert root.get("/api/users/rex/dependents").json["alerts"] == []
    rex.get(f"/api/alerts/{alert['id']}", status=401)


def refuse(answer: Any) -> list[str]:
    """The kinds of dependents of a refused request."""
    assert "confirm=true" in answer.json["detail"]
    return sorted(kind for kind, names in answer.json["dependents"].items() if names)


@pytest.fixture
def fallback(database: Database) -> str:
    """Vera, who is in no schedule and the fallback contact of a team."""
    with database.write() as session:
        vera = session.scalars(select(User).where(User.username == "vera")).one()
        team = session.scalars(select(Team).where(Team.slug == "core")).one()
        team.fallback_user_id = vera.id
    return "vera"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch_json", "/api/users/vera", {"active": False}),
        ("put_json", "/api/users/vera", {"username": "vera", "active": False}),
        ("delete", "/api/users/vera", None),
        ("delete", "/api/groups/sre/members/vera", None),
    ],
)
def test_what_depends_on_somebody_comes_first(
    login_as: Any, fallback: str, method: str, path: str, body: Any
) -> None:
    root = login_as("root")
    send = getattr(root, method)
    given = () if body is None else (body,)
    assert refuse(send(path, *given, status=409)) == ["fallback_of"]
    assert refuse(send(f"{path}?confirm=false", *given, status=409)) == ["fallback_of"]
    send(f"{path}?confirm=perhaps", *given, status=422)
    assert root.get("/api/groups/sre/members/vera").json["username"] == fallback
    assert root.get("/api/users/vera").json["active"]
    send(f"{path}?confirm=true", *given)
    if body is None:
        root.get(path, status=404)
    else:
        assert not root.get(path).json["active"]


@pytest.mark.both_databases
def test_nothing_is_asked_when_nothing_depends(login_as: Any) -> None:
    root = login_as("root")
    assert not root.patch_json("/api/users/vera", {"active": False}).json["active"]
    # Somebody inactive may be edited as before.
    root.patch_json("/api/users/vera", {"active": False, "zone": "Europe/Paris"})
    root.delete("/api/groups/sre/members/vera")
