"""The preview counts the effects of a silence, signal by signal."""

from typing import Any

import pytest

from incidentrelay.db import Database
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.models import Route, Silence, Team
from incidentrelay.services.silences import preview, proposals, silences
from incidentrelay.services.silences.preview import SilencePreview
from tests.services.conftest import ADMIN
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal

pytestmark = pytest.mark.both_databases

HOUR = 60 * MINUTE


@pytest.fixture
def pager(database: Database) -> Pager:
    """Dev and prod of one service are one alert."""
    pager = pagers.build(database)
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["service"]
    pager.take(grouped("one", env="dev"), grouped("two", env="prod"))
    return pager


def grouped(key: str, **labels: str) -> IncomingSignal:
    return a_signal(key, labels={"service": "db", **labels})


def look(pager: Pager, *matchers: str, replaces: int | None = None) -> SilencePreview:
    data: dict[str, Any] = {"matchers": list(matchers), "ends_at": NOW + HOUR}
    with pager.database.read() as session:
        team = session.get_one(Team, pager.team_id)
        row = session.get_one(Silence, replaces) if replaces else None
        return preview.preview_silence(session, team, data, now=NOW, replaces=row)


def save(pager: Pager, *matchers: str) -> int:
    data = {"matchers": list(matchers), "ends_at": NOW + HOUR}
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        return silences.create(session, team, data, actor=ADMIN, now=NOW).id


@pytest.mark.parametrize(
    ("matchers", "counts"),
    [
        (["service=db"], (1, 0, 1)),
        (["env=~dev|prod"], (1, 0, 1)),
        (["env=dev"], (0, 1, 0)),
        (['env!="prod"'], (0, 1, 0)),
        # The signals have no env in common, but each has one.
        (['env=""', "service=db"], (0, 0, 0)),
        (["env=test"], (0, 0, 0)),
    ],
)
def test_an_alert_is_quiet_if_all_its_signals_match(
    pager: Pager, matchers: list[str], counts: tuple[int, int, int]
) -> None:
    shown = look(pager, *matchers)
    assert (shown.firing, shown.partly_covered, shown.recent) == counts
    assert len(shown.alerts) == shown.firing


def test_other_silences_may_cover_the_rest(pager: Pager) -> None:
    number = save(pager, "env=dev")
    shown = look(pager, "env=prod")
    assert (shown.firing, shown.partly_covered) == (1, 0)
    # The edited silence does not count its own coverage.
    assert look(pager, "env=prod", replaces=number).partly_covered == 1


def test_a_resolved_signal_needs_no_silence(pager: Pager) -> None:
    over = a_signal("two", resolved=True, labels={"service": "db", "env": "prod"})
    pager.take(over, at=NOW)
    assert look(pager, "env=dev").firing == 1


def test_contradicting_matchers_are_warned_about(pager: Pager) -> None:
    shown = look(pager, "env=a", "env=b")
    assert shown.firing == 0
    assert list(shown.warnings) == [
        'env="a" and env="b" contradict each other, so this silence covers nothing.'
    ]
    assert look(pager, "env=a", "service=b").warnings == []


def test_the_proposal_covers_the_firing_signals_of_the_alert(pager: Pager) -> None:
    with pager.database.read() as session:
        proposal = proposals.propose_silence(session, pager.alert(session))
    assert look(pager, *proposal.matchers).firing == 1
    assert proposal.notes == (
        "The 2 signals of this alert differ in env. The matchers list all values; signals that"
        " join with other values still page.",
    )
    pager.take(grouped("three", env="test"))
    assert look(pager, *proposal.matchers).partly_covered == 1
