"""Actions on all ticked alerts."""

from typing import Any

import pytest

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Alert
from tests.support import factories


@pytest.fixture
def ids(database: Any, cast: Any) -> list[int]:
    """Two firing alerts of the team core and one that is resolved."""
    with database.write() as session:
        team = session.merge(cast.teams["core"].team)
        statuses = (AlertStatus.FIRING, AlertStatus.FIRING, AlertStatus.RESOLVED)
        return [factories.alert(session, team, status=status).id for status in statuses]


def post(client: Any, *ids: object, **fields: str) -> str:
    """The page after the form was sent."""
    data = [("ids", str(each)) for each in ids] + list(fields.items())
    text: str = client.post("/alerts/bulk", data).follow().text
    return text


def statuses(database: Any, ids: list[int]) -> list[str]:
    with database.read() as session:
        return [str(session.get_one(Alert, each).status) for each in ids]


def test_only_what_can_be_changed_can_be_ticked(login_as: Any, ids: list[int]) -> None:
    page = login_as("rex").get("/alerts").text
    assert [f'id="tick-{each}"' in page for each in ids] == [True, True, False]
    assert 'form="bulk"' in page
    assert 'id="tick-' not in login_as("vera").get("/alerts").text


@pytest.mark.parametrize(
    ("fields", "said", "after"),
    [
        ({"action": "ack"}, "2 alerts acknowledged.", "acknowledged"),
        ({"action": "resolve"}, "2 alerts resolved.", "resolved"),
        ({"action": "snooze", "for": "30"}, "2 alerts snoozed.", "firing"),
        ({"action": "assign", "username": "tara"}, "2 alerts assigned.", "firing"),
        ({"action": "comment", "text": "Looking."}, "2 alerts commented.", "firing"),
        ({"action": "escalate"}, "2 alerts escalated.", "firing"),
    ],
)
def test_it_is_done_to_all(
    login_as: Any, database: Any, ids: list[int], fields: dict[str, str], said: str, after: str
) -> None:
    assert said in post(login_as("rex"), *ids[:2], **fields)
    assert statuses(database, ids[:2]) == [after] * 2


def test_what_has_no_rotation_is_not_handed_on(login_as: Any, ids: list[int]) -> None:
    page = post(login_as("rex"), *ids[:2], action="reassign-to-next")
    assert "0 alerts passed to the next person, 2 failed. This alert" in page
    assert "plan has no rotation, so there is no next person" in page


def test_what_was_not_done_is_said(login_as: Any, database: Any, ids: list[int]) -> None:
    page = post(login_as("rex"), *ids, action="ack")
    assert "2 alerts acknowledged, 1 failed." in page
    assert "1 alert acknowledged" not in page
    assert "0 alerts acknowledged, 2 already were." in post(login_as("rex"), *ids[:2], action="ack")
    assert statuses(database, ids) == ["acknowledged", "acknowledged", "resolved"]


@pytest.mark.parametrize(
    ("sent", "fields", "said"),
    [
        ((), {"action": "ack"}, "Tick the alerts first."),
        (("x",), {"action": "ack"}, "Tick the alerts first."),
        ((1,), {"action": "explode"}, "Choose an action."),
        ((1,), {"action": "snooze", "for": "7"}, "Choose a duration."),
        ((1,), {"action": "assign", "username": "nobody"}, "no user with this name"),
        ((1,), {"action": "comment", "text": " "}, "between 1 and"),
    ],
)
def test_what_makes_no_sense_is_said(
    login_as: Any, ids: list[int], sent: tuple[object, ...], fields: dict[str, str], said: str
) -> None:
    assert said in post(login_as("rex"), *sent, **fields)


def test_a_viewer_changes_nothing(login_as: Any, database: Any, ids: list[int]) -> None:
    page = post(login_as("vera"), *ids[:2], action="ack")
    assert "You may not respond" in page
    assert statuses(database, ids[:2]) == ["firing", "firing"]
