"""Triggers keep the table of labels."""

from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.models import Alert, AlertLabel, Team
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import Pager, a_signal

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def labels(session: Any) -> list[str]:
    return sorted(session.scalars(select(AlertLabel.label)).all())


def test_labels_of_all_signals_are_indexed_once_for_each_alert(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        alert = factories.alert(session, team)
        for host in ("a", "b"):
            given = {"zone": "x", "host": host, "naïve": "☎", "empty": ""}
            factories.signal(session, alert, dedup_key=host, labels=given)
        assert labels(session) == ["empty=", "host=a", "host=b", "naïve=☎", "zone=x"]
        rows = session.execute(select(AlertLabel.team_id, AlertLabel.alert_id).distinct()).all()
        assert rows == [(team.id, alert.id)]


def test_a_long_label_is_cut_off(pager: Pager) -> None:
    with pager.database.write() as session:
        alert = factories.alert(session, session.get_one(Team, pager.team_id))
        factories.signal(session, alert, labels={"long": "é" * 500})
        assert labels(session) == ["long=" + "é" * 195]


def test_changed_labels_are_indexed_again(pager: Pager) -> None:
    with pager.database.write() as session:
        alert = factories.alert(session, session.get_one(Team, pager.team_id))
        one = factories.signal(session, alert, dedup_key="1", labels={"host": "a", "zone": "x"})
        factories.signal(session, alert, dedup_key="2", labels={"zone": "x"})
        one.labels = {"host": "b"}
        session.flush()
        assert labels(session) == ["host=b", "zone=x"]


def test_deleting_an_alert_deletes_its_labels(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        for host in ("a", "b"):
            alert = factories.alert(session, team)
            factories.signal(session, alert, labels={"host": host})
        session.delete(session.get_one(Alert, alert.id))
        session.flush()
        assert labels(session) == ["host=a"]


def test_intake_indexes_what_it_takes_in(pager: Pager) -> None:
    pager.take(a_signal("new"))
    with pager.database.read() as session:
        alert = session.scalars(select(Alert)).one()
        assert labels(session) == sorted(f"{k}={v}" for k, v in alert.labels.items())
