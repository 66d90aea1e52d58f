"""The signals of an alert, each with its own labels, link, state and times."""

from typing import Any

import pytest

from incidentrelay.domain.enums import SignalStatus
from tests.support import factories
from tests.support.factories import NOW


@pytest.fixture
def alert(database: Any, cast: Any) -> str:
    """Alert of core with a signal that fires and two more, of which one is over."""
    row = cast.teams["core"].alert
    with database.write() as session:
        link = {"labels": {"host": "db1"}, "link": "http://prometheus.test/"}
        factories.signal(session, row, dedup_key="db1", start_from_source=True, **link)
        over = {"status": SignalStatus.RESOLVED, "ends_at": NOW, "resolved_at": NOW}
        factories.signal(session, row, dedup_key="db2", **over)
    return f"/api/alerts/{row.id}"


def test_all_signals_are_listed_in_pages(login_as: Any, alert: str) -> None:
    vera = login_as("vera")
    first = vera.get(f"{alert}/signals?limit=2").json
    rest = vera.get(f"{alert}/signals?limit=2&cursor={first['next']}").json
    signals = [*first["items"], *rest["items"]]
    assert rest["next"] is None
    db1, db2 = signals[1:]
    assert (db1["labels"], db1["link"]) == ({"host": "db1"}, "http://prometheus.test/")
    assert (db1["status"], db1["starts_at"], db1["start_from_source"]) == (
        "firing",
        "2026-03-10T12:00:00Z",
        True,
    )
    assert (db2["status"], db2["resolved_at"], db2["end_from_source"]) == (
        "resolved",
        "2026-03-10T12:00:00Z",
        False,
    )
    assert vera.get(db1["url"]).json == db1


def test_strangers_see_none(login_as: Any, testapp: Any, alert: str) -> None:
    login_as("otto").get(f"{alert}/signals", status=404)
    testapp.get(f"{alert}/signals", status=401)
