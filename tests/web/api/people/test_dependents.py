"""What depends on somebody before they are deactivated or removed, and what happens then."""

from typing import Any

import pytest

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
    root.patch_json("/api/users/rex", {"active": False})
    after = root.get(f"/api/alerts/{alert['id']}").json
    assert (after["status"], after["assignee"]) == ("firing", None)
    assert root.get("/api/users/rex/dependents").json["alerts"] == []
    rex.get(f"/api/alerts/{alert['id']}", status=401)
