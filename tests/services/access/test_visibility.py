from dataclasses import dataclass, field

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay import models
from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import visibility
from tests.support import factories


@dataclass(frozen=True)
class Who:
    is_admin: bool = False
    groups: dict[int, GroupRole] = field(default_factory=dict)
    teams: dict[int, TeamRole] = field(default_factory=dict)
    bound_group_id: int | None = None


@pytest.fixture
def tree(session: Session) -> None:
    """Group 1 with teams 1 and 2, group 2 with team 3; each team has one of everything."""
    for number, slugs in ((1, "ab"), (2, "c")):
        group = factories.group(session, f"g{number}")
        user = factories.user(session)
        factories.group_member(session, group, user)
        session.add(
            models.AuditEntry(
                at=factories.NOW,
                group_id=group.id,
                actor="x",
                action="x",
                subject_kind="x",
                subject="x",
                diff={},
            )
        )
        for slug in slugs:
            team = factories.team(session, group, slug)
            rotation = factories.rotation(session, team)
            factories.override(session, rotation, user)
            factories.channel(session, team)
            factories.policy(session, team)
            route = factories.route(session, team)
            factories.silence(session, team)
            factories.team_member(session, team, user)
            alert = factories.alert(session, team, route)
            factories.signal(session, alert)
            factories.event(session, alert)
            factories.notification(session, alert)
            session.add(
                models.IntakeRequest(
                    route_id=route.id, received_at=factories.NOW, body=b"", outcomes=[]
                )
            )
    session.flush()


def seen(
    session: Session, model: type[models.Base], who: Who, permission: str = "view"
) -> list[int]:
    """Ids of what is seen; every model has one row for each team, or for each group."""
    statement = visibility.scope(select(model), model, who, Permission(permission))
    return sorted(row.id for row in session.scalars(statement))


IN_TEAMS = (
    models.Team,
    models.Rotation,
    models.RotationOverride,
    models.Channel,
    models.Policy,
    models.Route,
    models.Silence,
    models.TeamMember,
    models.Alert,
    models.Signal,
    models.Event,
    models.Notification,
    models.IntakeRequest,
)
IN_GROUPS = (models.Group, models.GroupMember)


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("model", IN_TEAMS)
@pytest.mark.parametrize(
    ("who", "rows"),
    [
        (Who(), []),
        (Who(is_admin=True), [1, 2, 3]),
        (Who(is_admin=True, bound_group_id=2), [3]),
        (Who(groups={1: GroupRole.VIEWER}), [1, 2]),
        (Who(groups={2: GroupRole.OWNER}), [3]),
        (Who(groups={1: GroupRole.VIEWER, 2: GroupRole.VIEWER}), [1, 2, 3]),
        (Who(groups={1: GroupRole.VIEWER, 2: GroupRole.VIEWER}, bound_group_id=1), [1, 2]),
        (Who(groups={1: GroupRole.OWNER}, bound_group_id=2), []),
    ],
)
def test_visibility_in_teams(
    session: Session, model: type[models.Base], who: Who, rows: list[int]
) -> None:
    assert seen(session, model, who) == rows


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("model", IN_GROUPS)
@pytest.mark.parametrize(
    ("who", "rows"),
    [
        (Who(), []),
        (Who(is_admin=True), [1, 2]),
        (Who(is_admin=True, bound_group_id=2), [2]),
        (Who(groups={1: GroupRole.VIEWER}), [1]),
        (Who(groups={1: GroupRole.VIEWER}, bound_group_id=2), []),
    ],
)
def test_visibility_of_groups(
    session: Session, model: type[models.Base], who: Who, rows: list[int]
) -> None:
    assert seen(session, model, who) == rows


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("role", "rows"),
    [("viewer", []), ("responder", []), ("editor", []), ("owner", [1])],
)
def test_the_audit_log_is_for_owners(session: Session, role: str, rows: list[int]) -> None:
    who = Who(groups={1: GroupRole(role)})
    assert seen(session, models.AuditEntry, who, "audit") == rows
    assert seen(session, models.AuditEntry, Who(is_admin=True), "audit") == [1, 2]


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("who", "permission", "model", "rows"),
    [
        # A group's responder is not a team's manager, though the two tables share words.
        (Who(groups={1: GroupRole.RESPONDER}), "respond", models.Alert, [1, 2]),
        (Who(groups={1: GroupRole.RESPONDER}), "edit", models.Rotation, []),
        (Who(groups={1: GroupRole.EDITOR}), "edit", models.Rotation, [1, 2]),
        (Who(groups={1: GroupRole.EDITOR}), "edit", models.Team, [1, 2]),
        (Who(groups={1: GroupRole.EDITOR}), "edit", models.Group, []),
        (Who(groups={1: GroupRole.OWNER}), "edit", models.Group, [1]),
        (
            Who(groups={1: GroupRole.VIEWER}, teams={2: TeamRole.RESPONDER}),
            "respond",
            models.Alert,
            [2],
        ),
        (
            Who(groups={1: GroupRole.VIEWER}, teams={2: TeamRole.RESPONDER}),
            "edit",
            models.Route,
            [],
        ),
        (Who(groups={1: GroupRole.VIEWER}, teams={2: TeamRole.MANAGER}), "edit", models.Route, [2]),
        (Who(groups={1: GroupRole.VIEWER}, teams={2: TeamRole.MANAGER}), "edit", models.Team, []),
        (
            Who(groups={1: GroupRole.VIEWER}, teams={2: TeamRole.MANAGER}),
            "members",
            models.TeamMember,
            [2],
        ),
        (
            Who(groups={1: GroupRole.VIEWER}, teams={2: TeamRole.MANAGER}, bound_group_id=2),
            "respond",
            models.Alert,
            [],
        ),
        (Who(is_admin=True), "ingest", models.Route, []),
        (Who(is_admin=True), "ingest", models.Group, []),
    ],
)
def test_other_permissions(
    session: Session, who: Who, permission: str, model: type[models.Base], rows: list[int]
) -> None:
    assert seen(session, model, who, permission) == rows


@pytest.mark.parametrize("model", [models.User, models.ApiToken, models.WebSession])
def test_rows_outside_groups_have_no_scope(model: type[models.Base]) -> None:
    with pytest.raises(TypeError):
        visibility.visible(model, Who(groups={1: GroupRole.OWNER}), Permission.VIEW)
