"""The queries behind the pages of policies, on both databases."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation.plan import PlanTarget
from incidentrelay.models import Channel, Group, Policy, Rotation, Route, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.escalation import policies, policy_queries
from incidentrelay.services.escalation.policy_queries import PolicyThing
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import NOW, Pager

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Any) -> Pager:
    return pagers.build(database)


def group_of(session: Session, team: Team) -> Group:
    return session.get_one(Group, team.group_id)


def target(kind: str, row_id: int) -> dict[str, Any]:
    return {"kind": kind, "id": row_id}


def test_a_picture_tells_who_is_there_now(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        web = factories.team(session, group_of(session, team), "web", name="Web")
        off = factories.channel(session, web, "off", name="Off", enabled=False)
        spare = factories.rotation(session, web, "spare", name="Spare")
        session.get_one(User, pager.people["cy"]).active = False
        team.fallback_user_id = pager.people["bob"]
        steps = [
            {
                "delay": 0,
                "targets": [
                    target("rotation", pager.rotation_id),
                    target("rotation", spare.id),
                    target("channel", off.id),
                    target("user", pager.people["cy"]),
                    target("user", 987654),
                ],
            }
        ]
        found = policy_queries.policy_picture(session, team, policy_queries.plan_of(steps, 0), NOW)
        primary = session.get_one(Rotation, pager.rotation_id)
        own = PolicyThing(primary.name, team.id, team.name)
    reached = {(t.kind, t.id): list(names) for t, names in found.reached.items()}
    assert reached == {
        (TargetKind.ON_CALL, pager.rotation_id): ["Ann"],
        (TargetKind.ON_CALL, spare.id): [],
        (TargetKind.CHANNEL, off.id): [],
        (TargetKind.USER, pager.people["cy"]): [],
        (TargetKind.USER, 987654): [],
    }
    assert found.fallback == ["Bob"]
    assert found.things == {
        PlanTarget(TargetKind.ON_CALL, pager.rotation_id): own,
        PlanTarget(TargetKind.ON_CALL, spare.id): PolicyThing("Spare", web.id, "Web"),
        PlanTarget(TargetKind.CHANNEL, off.id): PolicyThing("Off", web.id, "Web", paused=True),
        PlanTarget(TargetKind.USER, pager.people["cy"]): PolicyThing("Cy"),
    }


def test_the_list_and_its_routes(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        used, spare = (factories.policy(session, team, slug) for slug in ("used", "spare"))
        session.get_one(Route, pager.route_id).policy_id = used.id
        away = factories.team(session, factories.group(session, "away"))
        factories.policy(session, away)
        gone = factories.team(session, group_of(session, team), active=False)
        factories.policy(session, gone)
        route = session.get_one(Route, pager.route_id).name
    with pager.database.read() as session:
        ann = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        found, _ = policy_queries.list_policies(session, ann)
        nobody = memberships.Roles(is_admin=False, groups={}, teams={})
        assert policy_queries.list_policies(session, nobody) == ([], {})
    assert [(each.policy.id, each.routes) for each in found] == [
        (spare.id, []),
        (used.id, [route]),
    ]


def test_what_a_step_may_name(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        web = factories.team(session, group_of(session, team), "web", name="Another")
        factories.channel(session, web, "mail", name="Mail")
        away = factories.team(session, factories.group(session, "away"))
        factories.channel(session, away)
        session.get_one(User, pager.people["cy"]).active = False
        found = policy_queries.policy_choices(session, team)
        own = [
            (row.slug, row.name) for row in session.query(Channel).where(Channel.team_id == team.id)
        ]
    assert list(found.channels) == [*own, ("web/mail", "Mail (Another)")]
    assert found.teams == [("web", "Another"), (team.slug, team.name)]
    assert ("cy", "Cy") not in found.people
    assert ("bob", "Bob") in found.people


def test_a_draft_is_judged_and_not_written(pager: Pager) -> None:
    bob = {"kind": "user", "name": "bob"}
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        steps, repeat = policies.draft_policy(
            session, team, {"steps": [{"delay": 60, "targets": [bob]}], "repeat": 1}
        )
        assert steps[0]["targets"] == [target("user", pager.people["bob"])]
        assert repeat == 1
        hasty = {"steps": [{"delay": 0, "targets": [bob]}], "repeat": 1}
        with pytest.raises(InvalidInput) as caught:
            policies.draft_policy(session, team, hasty)
        assert list(caught.value.errors) == ["repeat"]
        assert session.query(Policy).all() == []
