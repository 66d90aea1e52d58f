"""What is left to do until the first page of an installation, and of each team."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import Select, String, cast, func, or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import (
    Alert,
    Channel,
    Group,
    GroupMember,
    IntakeRequest,
    Rotation,
    RotationLayer,
    RotationRevision,
    Route,
    Team,
    TeamMember,
    User,
)
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.oncall import rotation_queries
from incidentrelay.services.oncall.current import CurrentShift
from incidentrelay.services.recipients.reachable import find_reachable

_FEWEST_PEOPLE = 2
_REACTED = or_(Alert.acknowledged_at.is_not(None), Alert.status == AlertStatus.RESOLVED)
_WITH_MEMBERS = (
    select(RotationRevision.rotation_id)
    .join(RotationLayer, RotationLayer.revision_id == RotationRevision.id)
    .where(cast(RotationLayer.members, String) != "[]")
)


class FirstStep(StrEnum):
    """In the order in which they are done."""

    GROUP = auto()
    USERS = auto()
    GROUP_MEMBERS = auto()
    TEAM = auto()
    TEAM_MEMBERS = auto()
    ROTATION = auto()
    ROTATION_MEMBERS = auto()
    CHANNEL = auto()
    ROUTE = auto()
    TOKEN = auto()
    SENDER = auto()
    TEST = auto()
    ACKNOWLEDGE = auto()


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """``done`` of each step; ``route`` is the first, ``alert`` the newest that is open."""

    done: Mapping[FirstStep, bool]
    route: Route | None
    alert: Alert | None

    @property
    def next(self) -> FirstStep | None:
        return next((step for step, done in self.done.items() if not done), None)


@dataclass(frozen=True, slots=True)
class UnpageableTeam:
    """A team that no alert can page, with the reasons as sentences."""

    team: Team
    reasons: Sequence[str]


def is_first_run(session: Session) -> bool:
    """Whether nobody has acknowledged or resolved an alert yet."""
    query = select(Alert.id).where(_REACTED).limit(1)
    return session.scalar(query) is None


def load_first_steps(session: Session, memberships: Memberships) -> FirstSteps:
    """Which steps are done, as far as ``memberships`` may see."""

    def some(model: Any, *conditions: Any) -> Any:
        query = select(model.id if hasattr(model, "id") else func.count()).select_from(model)
        query = scope(query.where(*conditions), model, memberships, Permission.VIEW)
        return query.exists()

    people = select(func.count()).select_from(User).where(User.active).scalar_subquery()
    facts: Mapping[FirstStep, Any] = {
        FirstStep.GROUP: some(Group, Group.active),
        FirstStep.USERS: people >= _FEWEST_PEOPLE,
        FirstStep.GROUP_MEMBERS: some(GroupMember),
        FirstStep.TEAM: some(Team, Team.active),
        FirstStep.TEAM_MEMBERS: some(TeamMember),
        FirstStep.ROTATION: some(Rotation),
        FirstStep.ROTATION_MEMBERS: some(Rotation, Rotation.id.in_(_WITH_MEMBERS)),
        FirstStep.CHANNEL: some(Channel),
        FirstStep.ROUTE: some(Route, Route.enabled),
        # Only senders have an address; a test from the console has none.
        FirstStep.TOKEN: some(IntakeRequest, IntakeRequest.address != ""),
        FirstStep.SENDER: some(IntakeRequest, IntakeRequest.address != ""),
        FirstStep.TEST: some(Alert),
        FirstStep.ACKNOWLEDGE: some(Alert, _REACTED),
    }
    row = session.execute(select(*facts.values())).one()
    done = {step: bool(value) for step, value in zip(facts, row, strict=True)}
    route = session.scalar(_first(select(Route).where(Route.enabled), Route, memberships))
    opened = select(Alert).where(Alert.status != AlertStatus.RESOLVED)
    return FirstSteps(done, route, session.scalar(_first(opened, Alert, memberships)))


def _first(query: Select[Any], model: Any, memberships: Memberships) -> Select[Any]:
    """The oldest route, or the newest alert."""
    query = query.options(joinedload(model.team).joinedload(Team.group)).limit(1)
    order = model.id if model is Route else model.id.desc()
    return scope(query.order_by(order), model, memberships, Permission.VIEW)


def list_unpageable_teams(
    session: Session, memberships: Memberships, now: datetime
) -> list[UnpageableTeam]:
    """The visible teams that no alert can page now, in a constant number of statements."""
    teams = alert_list.list_teams(session, memberships)
    routes: dict[int, list[Route]] = defaultdict(list)
    ids = [team.id for team in teams]
    for route in session.scalars(select(Route).where(Route.enabled, Route.team_id.in_(ids))):
        routes[route.team_id].append(route)
    listed = rotation_queries.list_rotations(session, memberships, now)
    shifts = {each.covered.rotation.id: each.covered for each in listed}
    people = {shift.user.id for shift in shifts.values() if shift.user is not None}
    reachable = find_reachable(session, people)
    found = [(team, _obstacles(routes[team.id], shifts, reachable)) for team in teams]
    return [UnpageableTeam(team, reasons) for team, reasons in found if reasons]


def _obstacles(
    routes: Sequence[Route], shifts: Mapping[int, CurrentShift], reachable: frozenset[int]
) -> list[str]:
    """Why none of the routes pages anybody; empty if one does."""
    if not routes:
        return ["No route is switched on, so no alert arrives."]
    reasons: list[str] = []
    for route in routes:
        if route.policy_id is not None:
            return []
        reason = _obstacle(shifts.get(route.rotation_id or 0), reachable)
        if not reason:
            return []
        reasons.append(f"{route.name}: {reason}")
    return reasons


def _obstacle(shift: CurrentShift | None, reachable: frozenset[int]) -> str:
    if shift is None:
        return "the route leads to no rotation and no policy."
    name = shift.rotation.name
    if not shift.rotation.enabled:
        return f"the rotation {name} is paused."
    if shift.user is None:
        return f"nobody is on call in {name}."
    if shift.user.id not in reachable:
        return f"{shift.user.display_name} is on call, but has no confirmed contact method."
    return ""
