"""People whom no page reaches: rejected on saving, and reported if they become so later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Rotation, Team, User
from incidentrelay.services.access import memberships, user_lookup
from incidentrelay.services.escalation import policies
from incidentrelay.services.oncall import overrides
from incidentrelay.services.operations.unreachable import list_unreachable, refresh_unreachable
from incidentrelay.services.recipients.reachable import find_reachable
from incidentrelay.services.tenancy import dependents, teams
from tests.services.conftest import ADMIN
from tests.support import factories
from tests.support.pager import NOW, Pager, build

pytestmark = pytest.mark.both_databases
Change = Callable[[Session, User], None]


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def deactivated(session: Session, user: User) -> None:
    user.active = False


def without_contacts(session: Session, user: User) -> None:
    user.email = None


GONE = pytest.mark.parametrize("change", [deactivated, without_contacts])


def save_fallback(session: Session, pager: Pager) -> None:
    team = session.get_one(Team, pager.team_id)
    teams.update(session, team, {"fallback_user": "fay"}, actor=ADMIN, now=NOW)


def save_policy(session: Session, pager: Pager, kind: str = "user", name: str = "fay") -> None:
    steps = [{"delay": 0, "targets": [{"kind": kind, "name": name}]}]
    team = session.get_one(Team, pager.team_id)
    policies.create(session, team, {"name": "Night", "steps": steps}, actor=ADMIN, now=NOW)


def save_override(session: Session, pager: Pager) -> None:
    data = {"user": "fay", "ends_at": NOW + timedelta(hours=8)}
    rotation = session.get_one(Rotation, pager.rotation_id)
    overrides.create(session, rotation, data, actor=ADMIN, now=NOW)


SAVES = [
    (save_fallback, "fallback_user"),
    (save_policy, "steps.0.targets.0.name"),
    (save_override, "user"),
]


@GONE
@pytest.mark.parametrize(("save", "field"), SAVES)
def test_naming_somebody_who_cannot_be_reached_is_refused(
    pager: Pager, save: Any, field: str, change: Change
) -> None:
    with pager.database.write() as session:
        change(session, session.get_one(User, pager.people["fay"]))
        session.flush()
        with pytest.raises(InvalidInput) as caught:
            save(session, pager)
        assert list(caught.value.errors) == [field]


def test_a_team_in_which_nobody_can_be_reached_is_refused(pager: Pager) -> None:
    with pager.database.write() as session:
        with pytest.raises(InvalidInput) as caught:
            save_policy(session, pager, "team", "core")
        assert list(caught.value.errors) == ["steps.0.targets.0.name"]
        team = session.get_one(Team, pager.team_id)
        factories.team_member(session, team, session.get_one(User, pager.people["bob"]))
        save_policy(session, pager, "team", "core")


@GONE
def test_what_names_somebody_who_cannot_be_reached_is_shown(pager: Pager, change: Change) -> None:
    with pager.database.write() as session:
        for save, _ in SAVES:
            save(session, pager)
        admin = factories.user(session, "root", is_admin=True)
        roles = memberships.load_roles(session, admin)
        assert refresh_unreachable(session, NOW) == 0
        assert list_unreachable(session, roles) == []
        change(session, session.get_one(User, pager.people["fay"]))
        session.flush()
        version = session.get_one(Team, pager.team_id).version
        assert refresh_unreachable(session, NOW) == 1
        assert refresh_unreachable(session, NOW) == 0
        session.expire_all()
        assert session.get_one(Team, pager.team_id).version == version
        found = [(each.kind, each.person) for each in list_unreachable(session, roles)]
        assert found == [("fallback", "Fay"), ("policy", "Fay"), ("override", "Fay")]
        nobody = memberships.Roles(False, {}, {})
        assert list_unreachable(session, nobody) == []


def test_once_it_is_mended_the_banner_goes(pager: Pager) -> None:
    roles = memberships.Roles(True, {}, {})
    with pager.database.write() as session:
        save_fallback(session, pager)
        fay = session.get_one(User, pager.people["fay"])
        fay.active = False
        session.flush()
        refresh_unreachable(session, NOW)
        assert len(list_unreachable(session, roles)) == 1
        fay.active = True
        session.flush()
        assert refresh_unreachable(session, NOW) == 1
        assert list_unreachable(session, roles) == []


def test_a_member_of_a_rotation_without_contacts_is_shown(pager: Pager) -> None:
    with pager.database.write() as session:
        without_contacts(session, session.get_one(User, pager.people["cy"]))
        deactivated(session, session.get_one(User, pager.people["bob"]))
        roles = memberships.Roles(True, {}, {})
        refresh_unreachable(session, NOW)
        found = [(each.kind, each.person) for each in list_unreachable(session, roles)]
    assert found == [("rotation", "Cy")]


def test_saving_and_paging_agree_on_who_can_be_reached(pager: Pager) -> None:
    with pager.database.write() as session:
        bare = [factories.user(session, email=None) for _ in range(3)]
        factories.contact(session, bare[0])
        factories.contact(session, bare[1], verified_at=None)
        factories.user(session, active=False)
        users = list(session.scalars(select(User.id)))
        by_sql = set(session.scalars(select(User.id).where(user_lookup.is_reachable())))
        assert by_sql == set(find_reachable(session, users))


def test_what_depends_on_somebody_is_listed(pager: Pager) -> None:
    with pager.database.write() as session:
        for save, _ in SAVES:
            save(session, pager)
        fay = session.get_one(User, pager.people["fay"])
        found = dependents.list_dependents(session, fay, NOW)
        rotation = session.get_one(Rotation, pager.rotation_id)
        assert (found.policies, found.fallback_of) == (["ops/core/night"], ["ops/core"])
        assert found.overrides == [f"ops/core/{rotation.slug}/1"]
        assert (found.rotations, found.alerts) == ([], [])
        ann = session.get_one(User, pager.people["ann"])
        found = dependents.list_dependents(session, ann, NOW)
        assert found.rotations == [f"ops/core/{rotation.slug}"]
        nowhere = dependents.list_dependents(session, ann, NOW, group_id=0)
        assert nowhere.rotations == []
