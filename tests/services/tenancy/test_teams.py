from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Alert, AuditEntry, Channel, Group, Policy, Rotation, Team, User
from incidentrelay.services.tenancy import teams
from tests.services.conftest import ADMIN
from tests.support import factories


def test_a_team_has_defaults(
    session: Session, group: Group, people: dict[str, User], now: datetime
) -> None:
    data = {"name": "Edge", "fallback_user": "BOB"}
    team = teams.create(session, group, data, actor=ADMIN, now=now)
    assert (team.slug, team.group_id, team.fallback_user_id) == ("edge", group.id, people["bob"].id)
    assert (team.escalation_enabled, team.escalation_after_reminders, team.ack_timeout) == (
        True,
        2,
        None,
    )


def test_fields_change(
    session: Session, team: Team, people: dict[str, User], now: datetime
) -> None:
    channel = factories.channel(session, team, "chat")
    data = {"ack_timeout": 3600, "fallback_user": "ann", "fallback_channel": "chat"}
    teams.update(session, team, data, actor=ADMIN, now=now)
    assert (team.ack_timeout, team.fallback_user_id, team.fallback_channel_id) == (
        3600,
        people["ann"].id,
        channel.id,
    )
    cleared = {"ack_timeout": None, "fallback_user": None, "fallback_channel": None}
    teams.update(session, team, cleared, actor=ADMIN, now=now)
    assert (team.ack_timeout, team.fallback_user_id, team.fallback_channel_id) == (None, None, None)
    assert team.version == 3


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"fallback_user": "zoe"}, "fallback_user"),
        ({"fallback_user": "nobody"}, "fallback_user"),
        ({"fallback_user": "gone"}, "fallback_user"),
        ({"fallback_channel": "elsewhere"}, "fallback_channel"),
        ({"ack_timeout": 5}, "ack_timeout"),
        ({"ack_covers": -1}, "ack_covers"),
        ({"ack_covers": None}, "ack_covers"),
        ({"escalation_after_reminders": -1}, "escalation_after_reminders"),
        ({"group_id": 7}, "group_id"),
    ],
)
def test_bad_fields(
    session: Session,
    team: Team,
    people: dict[str, User],
    now: datetime,
    data: dict[str, object],
    field: str,
) -> None:
    other = factories.team(session, factories.group(session))
    factories.channel(session, other, "elsewhere")
    factories.group_member(session, team.group, factories.user(session, "gone", active=False))
    with pytest.raises(InvalidInput) as caught:
        teams.update(session, team, data, actor=ADMIN, now=now)
    assert list(caught.value.errors) == [field]
    with pytest.raises(InvalidInput) as caught:
        teams.create(session, team.group, {"name": "T", **data}, actor=ADMIN, now=now)
    assert list(caught.value.errors) == [field]


def test_a_slug_is_taken_once_in_a_group(session: Session, team: Team, now: datetime) -> None:
    with pytest.raises(Conflict, match="“core”"):
        teams.create(session, team.group, {"name": "Core"}, actor=ADMIN, now=now)
    other = factories.group(session)
    assert teams.create(session, other, {"name": "Core"}, actor=ADMIN, now=now).slug == "core"


@pytest.mark.both_databases
def test_a_team_goes_with_all_that_it_owns(session: Session, now: datetime) -> None:
    group = factories.group(session, "sre")
    team = factories.team(session, group, "core")
    user = factories.user(session)
    factories.rotation(session, team, members=(user,))
    team.fallback_channel_id = factories.channel(session, team).id
    factories.policy(session, team, steps=[_notifying("team", team.id)])
    factories.silence(session, team)
    factories.team_member(session, team, user)
    alert = factories.alert(session, team, status=AlertStatus.RESOLVED)
    factories.signal(session, alert)
    teams.delete(session, team, actor=ADMIN, now=now)
    session.flush()
    for model in (Team, Rotation, Channel, Policy, Alert):
        assert session.scalars(select(model.id)).all() == []
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.subject, entry.group_id) == ("delete", "core", group.id)


def _notifying(kind: str, row_id: int) -> dict[str, object]:
    return {"delay": 0, "targets": [{"kind": kind, "id": row_id}]}


def test_a_team_in_use_stays(session: Session, team: Team, now: datetime) -> None:
    route = factories.route(session, team, "prometheus")
    alert = factories.alert(session, team, route)
    with pytest.raises(Conflict, match="open alerts"):
        teams.delete(session, team, actor=ADMIN, now=now)
    alert.status = AlertStatus.RESOLVED
    with pytest.raises(Conflict, match="prometheus"):
        teams.delete(session, team, actor=ADMIN, now=now)


@pytest.mark.parametrize("kind", ["team", "rotation", "channel"])
def test_a_team_that_others_notify_stays(
    session: Session, team: Team, now: datetime, kind: str
) -> None:
    target = {
        "team": team,
        "rotation": factories.rotation(session, team),
        "channel": factories.channel(session, team),
    }[kind]
    other = factories.team(session, team.group, "web")
    factories.policy(session, other, "night", steps=[_notifying(kind, target.id)])
    with pytest.raises(Conflict, match="web/night"):
        teams.delete(session, team, actor=ADMIN, now=now)


@pytest.mark.both_databases
def test_a_fallback_contact_whom_no_page_reaches_is_rejected(
    session: Session, group: Group, team: Team, people: dict[str, User], now: datetime
) -> None:
    """An inbox wakes nobody. A confirmed contact is enough, even without an e-mail address."""
    people["ann"].email = None
    session.flush()
    data = {"fallback_user": "ann"}
    with pytest.raises(InvalidInput) as caught:
        teams.update(session, team, data, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["fallback_user"]
    with pytest.raises(InvalidInput):
        teams.create(session, group, {"name": "Edge", **data}, actor=ADMIN, now=now)
    factories.contact(session, people["ann"])
    teams.update(session, team, data, actor=ADMIN, now=now)
    assert team.fallback_user_id == people["ann"].id
