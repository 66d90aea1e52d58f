from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import AuditEntry, Policy, Team, User
from incidentrelay.services.escalation import policies
from tests.services.conftest import ADMIN
from tests.support import factories

People = dict[str, User]
BOB = {"kind": "user", "name": "bob"}
STEP = {"delay": 60, "targets": [BOB]}


def make(session: Session, team: Team, now: datetime, **data: Any) -> Policy:
    given = {"name": "Night", "steps": [STEP], **data}
    return policies.create(session, team, given, actor=ADMIN, now=now)


@pytest.fixture
def web(session: Session, team: Team, people: People) -> Team:
    """Another team of the group, with a member, a rotation and a channel."""
    web = factories.team(session, team.group, "web")
    factories.team_member(session, web, people["cy"])
    factories.rotation(session, web, "primary")
    factories.channel(session, web, "chat")
    return web


def test_names_become_ids_and_names_again(
    session: Session, team: Team, web: Team, people: People, now: datetime, query_count: Any
) -> None:
    rotation = factories.rotation(session, team, "primary")
    targets = [
        {"kind": "rotation", "name": "primary"},
        {"kind": "rotation", "name": "web/primary"},
        BOB,
        {"kind": "team", "name": "web"},
        {"kind": "channel", "name": "web/chat"},
    ]
    steps = [
        {"delay": 0, "targets": targets},
        {"delay": 300, "targets": [], "notify_assignee_again": True},
    ]
    policy = make(session, team, now, steps=steps, repeat=3)
    assert policy.steps[0]["targets"][0] == {"kind": "rotation", "id": rotation.id}
    assert policy.steps[0]["targets"][2] == {"kind": "user", "id": people["bob"].id}
    session.flush()
    with query_count() as statements:
        shown = policies.public_steps(session, [policy])
    assert len(statements) == 4
    steps[0] |= {"notify_assignee_again": False, "conditions": {}}
    steps[1] |= {"conditions": {}}
    assert shown == {policy.id: steps}


def test_a_target_that_is_gone_has_no_name(session: Session, team: Team) -> None:
    step = {"delay": 0, "targets": [{"kind": "user", "id": 99}, {"kind": "channel", "id": 99}]}
    policy = factories.policy(session, team, steps=[step])
    (shown,) = policies.public_steps(session, [policy])[policy.id]
    assert shown["targets"] == [
        {"kind": "user", "name": None},
        {"kind": "channel", "name": None},
    ]
    assert shown["notify_assignee_again"] is False


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [STEP] * 21}, "steps"),
        ({"steps": None}, "steps"),
        ({"steps": ["x"]}, "steps.0"),
        ({"steps": [{"targets": [BOB]}]}, "steps.0.delay"),
        ({"steps": [{"delay": -1, "targets": [BOB]}]}, "steps.0.delay"),
        ({"steps": [{"delay": 604801, "targets": [BOB]}]}, "steps.0.delay"),
        ({"steps": [{"delay": 0}]}, "steps.0.targets"),
        ({"steps": [{"delay": 0, "targets": [BOB, BOB]}]}, "steps.0.targets"),
        ({"steps": [{"delay": 0, "notify_assignee_again": True}]}, "steps.0.targets"),
        ({"steps": [STEP, {"delay": 0, "targets": [5]}]}, "steps.1.targets.0"),
        (
            {"steps": [{"delay": 0, "targets": [{"kind": "x", "name": "y"}]}]},
            "steps.0.targets.0.kind",
        ),
        (
            {"steps": [{"delay": 0, "targets": [{"kind": "assignee", "name": "y"}]}]},
            "steps.0.targets.0.kind",
        ),
        ({"repeat": 101}, "repeat"),
        ({"repeat": 1, "steps": [{"delay": 59, "targets": [BOB]}]}, "repeat"),
    ],
)
def test_bad_policies(
    session: Session, team: Team, people: People, now: datetime, data: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now, **data)
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("user", "zoe"),
        ("team", "abroad"),
        ("rotation", "primary"),
        ("rotation", "abroad/primary"),
        ("channel", "chat"),
        ("channel", "abroad/chat"),
        ("channel", "web/nothing"),
    ],
)
def test_targets_lie_in_the_group(
    session: Session, team: Team, web: Team, people: People, now: datetime, kind: str, name: str
) -> None:
    abroad = factories.team(session, factories.group(session), "abroad")
    factories.rotation(session, abroad, "primary")
    factories.channel(session, abroad, "chat")
    steps = [{"delay": 0, "targets": [{"kind": kind, "name": name}]}]
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now, steps=steps)
    assert list(caught.value.errors) == ["steps.0.targets.0.name"]


@pytest.mark.both_databases
def test_a_policy_changes(session: Session, now: datetime) -> None:
    team = factories.team(session, factories.group(session, "sre"), "core")
    factories.group_member(session, team.group, factories.user(session, "bob"))
    policy = make(session, team, now)
    steps = [{**STEP, "delay": 120}]
    data = {"slug": "night", "steps": steps, "repeat": 2}
    policies.update(session, policy, data, actor=ADMIN, now=now)
    session.flush()
    session.refresh(policy)
    assert (policy.steps[0]["delay"], policy.repeat, policy.version) == (120, 2, 2)
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert last.diff["steps"][1][0]["targets"] == [BOB]
    short = {"steps": [{**STEP, "delay": 0}]}
    with pytest.raises(InvalidInput) as caught:
        policies.update(session, policy, short, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["repeat"]


def test_slugs_are_unique_in_a_team(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    make(session, team, now)
    with pytest.raises(Conflict, match="“night”"):
        make(session, team, now)


def test_a_policy_in_use_stays(session: Session, team: Team, people: People, now: datetime) -> None:
    policy = make(session, team, now)
    route = factories.route(session, team, "prometheus", policy_id=policy.id)
    with pytest.raises(Conflict, match="prometheus"):
        policies.delete(session, policy, actor=ADMIN, now=now)
    session.delete(route)
    policies.delete(session, policy, actor=ADMIN, now=now)
    assert session.scalars(select(Policy)).all() == []


def test_a_step_that_names_somebody_whom_no_page_reaches_is_rejected(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    people["bob"].email = None
    session.flush()
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now)
    assert list(caught.value.errors) == ["steps.0.targets.0.name"]
