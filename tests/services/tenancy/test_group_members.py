from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.errors import Conflict, HasDependents, InvalidInput, NotAllowed
from incidentrelay.models import AuditEntry, Group, GroupMember, Team, TeamMember, User
from incidentrelay.services.tenancy import group_members
from tests.services.conftest import ADMIN, acting
from tests.support import factories

People = dict[str, User]


def membership(session: Session, user: User) -> GroupMember:
    return session.scalars(select(GroupMember).where(GroupMember.user_id == user.id)).one()


def test_somebody_becomes_a_member(
    session: Session, group: Group, people: People, now: datetime
) -> None:
    data = {"username": "zoe", "role": "editor"}
    member = group_members.create(session, group, data, actor=acting(people["ann"]), now=now)
    assert (member.user.username, member.group.slug, member.role) == (
        "zoe",
        "sre",
        GroupRole.EDITOR,
    )
    session.flush()
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.subject_kind, entry.subject, entry.group_id) == ("group_member", "zoe", group.id)
    assert entry.diff == {"role": [None, "editor"]}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"username": "nobody", "role": "viewer"}, "username"),
        ({"username": "zoe"}, "role"),
        ({"username": "zoe", "role": "manager"}, "role"),
    ],
)
def test_bad_members(
    session: Session,
    group: Group,
    people: People,
    now: datetime,
    data: dict[str, str],
    field: str,
) -> None:
    with pytest.raises(InvalidInput) as caught:
        group_members.create(session, group, data, actor=ADMIN, now=now)
    assert list(caught.value.errors) == [field]


def test_nobody_is_a_member_twice(
    session: Session, group: Group, people: People, now: datetime
) -> None:
    data = {"username": "bob", "role": "viewer"}
    with pytest.raises(Conflict, match="bob is a member"):
        group_members.create(session, group, data, actor=ADMIN, now=now)


ROLES = [GroupRole.VIEWER, GroupRole.RESPONDER, GroupRole.EDITOR, GroupRole.OWNER]


@pytest.mark.parametrize("own", ROLES)
@pytest.mark.parametrize("role", ROLES)
def test_nobody_grants_or_touches_a_role_above_their_own(
    session: Session, group: Group, people: People, now: datetime, own: GroupRole, role: GroupRole
) -> None:
    actor = factories.user(session, "actor")
    factories.group_member(session, group, actor, own)
    other = factories.group_member(session, group, factories.user(session, "other"), role)

    def granting() -> None:
        data = {"username": "zoe", "role": str(role)}
        group_members.create(session, group, data, actor=acting(actor), now=now)

    def demoting() -> None:
        data = {"role": "viewer"}
        group_members.update(session, other, data, actor=acting(actor), now=now)

    def removing() -> None:
        group_members.delete(session, other, actor=acting(actor), now=now)

    for deed in (granting, demoting, removing):
        if ROLES.index(own) >= ROLES.index(role):
            deed()
        else:
            with pytest.raises(NotAllowed, match=role):
                deed()


def test_a_role_in_another_group_or_an_inactive_one_is_none(
    session: Session, group: Group, people: People, now: datetime
) -> None:
    stranger = factories.group(session)
    factories.group_member(session, stranger, people["zoe"], GroupRole.OWNER)
    data = {"username": "zoe", "role": "viewer"}
    for actor in (acting(people["zoe"]), Actor(name="Zabbix", via="source")):
        with pytest.raises(NotAllowed):
            group_members.create(session, group, data, actor=actor, now=now)
    group.active = False
    with pytest.raises(NotAllowed):
        group_members.create(session, group, data, actor=acting(people["ann"]), now=now)


@pytest.mark.both_databases
@pytest.mark.parametrize("actor", ["ann", "root"])
def test_the_last_owner_stays(session: Session, now: datetime, actor: str) -> None:
    group, ann = factories.group(session), factories.user(session, "ann")
    member = factories.group_member(session, group, ann, GroupRole.OWNER)
    former = factories.user(session, active=False)
    factories.group_member(session, group, former, GroupRole.OWNER)
    by = ADMIN if actor == "root" else acting(ann)
    with pytest.raises(Conflict, match="last owner"):
        group_members.update(session, member, {"role": "editor"}, actor=by, now=now)
    with pytest.raises(Conflict, match="last owner"):
        group_members.delete(session, member, actor=by, now=now)
    group_members.update(session, member, {"role": "owner"}, actor=by, now=now)
    factories.group_member(session, group, factories.user(session), GroupRole.OWNER)
    group_members.update(session, member, {"role": "editor"}, actor=by, now=now)
    assert (member.role, member.version) == (GroupRole.EDITOR, 2)


def test_leaving_the_group_is_leaving_its_teams(
    session: Session, group: Group, team: Team, people: People, now: datetime
) -> None:
    other = factories.team(session, factories.group(session))
    factories.team_member(session, team, people["bob"], TeamRole.MANAGER)
    factories.team_member(session, other, people["bob"], TeamRole.MANAGER)
    team.fallback_user_id = other.fallback_user_id = people["bob"].id
    session.flush()
    member = membership(session, people["bob"])
    with pytest.raises(HasDependents) as caught:
        group_members.delete(session, member, actor=ADMIN, now=now)
    # Only those of the group.
    assert len(caught.value.dependents["fallback_of"]) == 1
    group_members.delete(session, member, actor=ADMIN, now=now, confirm=True)
    assert session.scalars(select(TeamMember.team_id)).all() == [other.id]
    session.expire_all()
    # Named until somebody chooses another; a banner says that they cannot be reached.
    assert {team.fallback_user_id, other.fallback_user_id} == {people["bob"].id}


def test_who_is_in_a_present_schedule_stays(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team, "primary", (people["bob"], people["cy"]))
    member = membership(session, people["bob"])
    with pytest.raises(Conflict, match="core/primary"):
        group_members.delete(session, member, actor=ADMIN, now=now)
    factories.revision(session, rotation, (people["cy"],), effective_from=now)
    group_members.delete(session, member, actor=ADMIN, now=now)


def test_whom_a_policy_notifies_stays(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    step = {"delay": 0, "targets": [{"kind": "user", "id": people["bob"].id}]}
    factories.policy(session, team, "night", steps=[step])
    with pytest.raises(Conflict, match="core/night"):
        group_members.delete(session, membership(session, people["bob"]), actor=ADMIN, now=now)
