from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import AuditEntry, Silence, Team, User
from incidentrelay.services.common import matchers as label_matchers
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.silences import silences
from tests.services.conftest import ADMIN, acting
from tests.support import factories

HOUR = timedelta(hours=1)


@pytest.fixture
def reconsidered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The teams whose alerts were reconsidered, which has its own tests."""
    teams: list[int] = []

    def note(session: Session, team_id: int, *, now: datetime) -> None:
        teams.append(team_id)

    monkeypatch.setattr(escalation_runner, "reconsider", note)
    return teams


def make(session: Session, team: Team, now: datetime, **data: Any) -> Silence:
    given = {"matchers": ["alertname=DiskFull"], "ends_at": now + HOUR, **data}
    return silences.create(session, team, given, actor=ADMIN, now=now)


def test_a_life(
    session: Session, team: Team, people: dict[str, User], now: datetime, reconsidered: list[int]
) -> None:
    bob = people["bob"]
    data = {"matchers": 'severity!="critical"', "ends_at": now + HOUR, "reason": "Move"}
    silence = silences.create(session, team, data, actor=acting(bob), now=now)
    assert (silence.starts_at, silence.created_by, silence.matchers) == (
        now,
        bob,
        ['severity!="critical"'],
    )
    silences.update(session, silence, {"ends_at": now + 2 * HOUR}, actor=ADMIN, now=now)
    silences.update(session, silence, {"reason": "Move"}, actor=ADMIN, now=now)
    assert (silence.ends_at, silence.version) == (now + 2 * HOUR, 2)
    number = silence.id
    silences.delete(session, silence, actor=ADMIN, now=now)
    assert session.scalars(select(Silence)).all() == []
    assert reconsidered == [team.id] * 3
    session.flush()
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(line.action, line.subject) for line in lines] == [
        (action, f"core/{number}") for action in ("create", "update", "delete")
    ]


@pytest.mark.both_databases
def test_it_works_with_the_real_escalations(session: Session, now: datetime) -> None:
    team = factories.team(session, factories.group(session))
    silence = make(session, team, now)
    silences.delete(session, silence, actor=ADMIN, now=now)
    assert session.scalars(select(Silence)).all() == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": ["{}"]}, "matchers"),
        ({"matchers": ['alertname=~".*"']}, "matchers"),
        ({"matchers": ["=x"]}, "matchers.0"),
        ({"matchers": [5]}, "matchers"),
        ({"matchers": None}, "matchers"),
        ({"ends_at": 0}, "ends_at"),
        ({"starts_at": 2}, "ends_at"),
        ({"starts_at": -5, "ends_at": -1}, "ends_at"),
        ({"ends_at": 24 * 367}, "ends_at"),
    ],
)
def test_bad_silences(
    session: Session, team: Team, now: datetime, data: dict[str, Any], field: str
) -> None:
    given = {k: now + v * HOUR if isinstance(v, int) else v for k, v in data.items()}
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now, **given)
    assert list(caught.value.errors) == [field]


@pytest.mark.usefixtures("reconsidered")
def test_everything_can_be_meant(session: Session, team: Team, now: datetime) -> None:
    silence = make(session, team, now, matchers=[], everything=True)
    silences.update(session, silence, {"reason": "Fire drill"}, actor=ADMIN, now=now)
    assert (silence.matchers, silence.reason) == ([], "Fire drill")


@pytest.mark.usefixtures("reconsidered")
def test_an_edit_is_checked_too(session: Session, team: Team, now: datetime) -> None:
    silence = make(session, team, now)
    for data in ({"matchers": []}, {"ends_at": now}, {"starts_at": now + 2 * HOUR}):
        with pytest.raises(InvalidInput):
            silences.update(session, silence, data, actor=ADMIN, now=now)
    with pytest.raises(Conflict, match="has ended"):
        silences.update(session, silence, {"reason": "x"}, actor=ADMIN, now=now + HOUR)


@pytest.mark.parametrize(
    ("texts", "everything"),
    [
        ([], True),
        (['a=""'], True),
        (["a=~.*", "b=~x?"], True),
        (["a=~.+"], False),
        (["a!=x"], False),
        (['a=""', "b=x"], False),
    ],
)
def test_what_matches_everything(texts: list[str], everything: bool) -> None:
    assert label_matchers.match_everything(texts) is everything
