from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.errors import Conflict, InvalidInput, NotAllowed
from incidentrelay.models import AuditEntry, Team, TeamMember, User
from incidentrelay.services.tenancy import team_members
from tests.services.conftest import ADMIN, acting
from tests.support import factories

People = dict[str, User]


def test_a_member_of_the_group_gets_a_role(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    data = {"username": "bob", "role": "responder"}
    member = team_members.create(session, team, data, actor=ADMIN, now=now)
    team_members.update(session, member, {"role": "manager"}, actor=ADMIN, now=now)
    assert (member.user.username, member.role) == ("bob", TeamRole.MANAGER)
    team_members.delete(session, member, actor=ADMIN, now=now)
    session.flush()
    assert session.scalars(select(TeamMember)).all() == []
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.subject, entry.diff["role"]) for entry in entries] == [
        ("create", "core/bob", [None, "responder"]),
        ("update", "core/bob", ["responder", "manager"]),
        ("delete", "core/bob", ["manager", None]),
    ]


@pytest.mark.parametrize("username", ["zoe", "nobody"])
def test_strangers_get_none(
    session: Session, team: Team, people: People, now: datetime, username: str
) -> None:
    data = {"username": username, "role": "responder"}
    with pytest.raises(InvalidInput) as caught:
        team_members.create(session, team, data, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["username"]


def test_nobody_is_a_member_twice(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    factories.team_member(session, team, people["bob"])
    data = {"username": "bob", "role": "manager"}
    with pytest.raises(Conflict, match="bob is a member"):
        team_members.create(session, team, data, actor=ADMIN, now=now)


@pytest.mark.parametrize(
    ("group_role", "team_role", "allowed"),
    [
        (GroupRole.VIEWER, None, False),
        (GroupRole.VIEWER, TeamRole.RESPONDER, False),
        (GroupRole.RESPONDER, None, False),
        (GroupRole.VIEWER, TeamRole.MANAGER, True),
        (GroupRole.EDITOR, None, True),
        (GroupRole.OWNER, None, True),
    ],
)
def test_a_manager_is_made_by_equals_only(
    session: Session,
    team: Team,
    people: People,
    now: datetime,
    group_role: GroupRole,
    team_role: TeamRole | None,
    allowed: bool,
) -> None:
    actor = factories.user(session, "actor")
    factories.group_member(session, team.group, actor, group_role)
    if team_role is not None:
        factories.team_member(session, team, actor, team_role)
    other = factories.team_member(session, team, people["cy"], TeamRole.MANAGER)

    def deeds() -> None:
        by = acting(actor)
        data = {"username": "bob", "role": "manager"}
        team_members.create(session, team, data, actor=by, now=now)
        team_members.update(session, other, {"role": "responder"}, actor=by, now=now)
        team_members.delete(session, other, actor=by, now=now)

    if allowed:
        deeds()
    else:
        with pytest.raises(NotAllowed):
            deeds()
        with pytest.raises(NotAllowed):
            team_members.delete(session, other, actor=acting(actor), now=now)
