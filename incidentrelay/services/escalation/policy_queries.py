"""What the pages of escalation policies show, in a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.escalation.plan import Plan, PlanTarget, policy_plan
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Channel, Group, Policy, Rotation, Route, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import rotation_queries
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients import targets as recipient_targets
from incidentrelay.services.recipients.directory import Recipient

MAX_POLICIES = 300
_MOST_CHOICES = 1000

_OWNED: Mapping[TargetKind, type[Rotation] | type[Channel]] = {
    TargetKind.ON_CALL: Rotation,
    TargetKind.CHANNEL: Channel,
}


@dataclass(frozen=True, slots=True)
class PolicyThing:
    """The name of a target; ``team_id`` and ``team_name`` are the team that owns it."""

    name: str
    team_id: int | None = None
    team_name: str = ""
    paused: bool = False


PolicyThings = Mapping[PlanTarget, PolicyThing]


@dataclass(frozen=True, slots=True)
class PolicyListing:
    """A policy with its plan; ``routes`` are the names of those that use it."""

    policy: Policy
    plan: Plan
    routes: Sequence[str]


@dataclass(frozen=True, slots=True)
class PolicyPicture:
    """A plan and the people it notifies right now.

    ``things`` lacks deleted targets. ``reached`` are the recipients of each target; empty means
    nobody. ``fallback`` are notified at the end.
    """

    plan: Plan
    things: PolicyThings
    reached: Mapping[PlanTarget, Sequence[str]]
    fallback: Sequence[str]


@dataclass(frozen=True, slots=True)
class PolicyChoices:
    """The possible targets of a team's policy: (name in the API, shown name)."""

    rotations: Sequence[tuple[str, str]]
    people: Sequence[tuple[str, str]]
    teams: Sequence[tuple[str, str]]
    channels: Sequence[tuple[str, str]]


def list_policies(
    session: Session, memberships: Memberships
) -> tuple[list[PolicyListing], PolicyThings]:
    """The visible policies of active teams, by team and name (at most 300).

    Returns the names of their targets too.
    """
    query = (
        select(Policy)
        .join(Policy.team)
        .join(Team.group)
        .options(contains_eager(Policy.team).contains_eager(Team.group))
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id, Policy.name, Policy.id)
        .limit(MAX_POLICIES)
    )
    rows = session.scalars(scope(query, Policy, memberships, Permission.VIEW)).all()
    routes = list_routes(session, rows)
    listed = [PolicyListing(row, plan_of(row.steps, row.repeat), routes[row.id]) for row in rows]
    return listed, _things(session, [each.plan for each in listed])


def list_routes(session: Session, policies: Sequence[Policy]) -> dict[int, list[str]]:
    """The names of the routes that use each policy, by the policy's id."""
    names: dict[int, list[str]] = {policy.id: [] for policy in policies}
    query = (
        select(Policy.id, Route.name)
        .join(Route, Route.policy_id == Policy.id)
        .where(Policy.id.in_(names))
        .order_by(Route.name, Route.id)
    )
    for policy_id, name in session.execute(query):
        names[policy_id].append(name)
    return names


def plan_of(steps: Sequence[Mapping[str, Any]], repeat: int) -> Plan:
    """Turn stored steps into a plan."""
    return policy_plan("", steps, repeat)


def policy_picture(session: Session, team: Team, plan: Plan, now: datetime) -> PolicyPicture:
    """The plan of a policy of ``team``, resolved at ``now``."""
    people = directories.load_directory(session, [plan], {team.id}, now=now).in_team(team.id)
    targets = {target for step in plan.steps for target in step.targets}
    return PolicyPicture(
        plan=plan,
        things=_things(session, [plan]),
        reached={
            target: _labels(recipient_targets.resolve_target(target, None, people, now).recipients)
            for target in targets
        },
        fallback=_labels(people.fallback(team.id)),
    )


def policy_choices(session: Session, team: Team) -> PolicyChoices:
    """Everything in the team's group that a step may name, the team's own first."""
    people = rotation_queries.list_candidates(session, team)
    query = select(Team.slug, Team.name).where(Team.group_id == team.group_id)
    teams = session.execute(query.order_by(Team.name, Team.id).limit(_MOST_CHOICES))
    return PolicyChoices(
        rotations=_owned(session, team, Rotation),
        people=[(user.username, user.display_name) for user in people],
        teams=[(slug, name) for slug, name in teams],
        channels=_owned(session, team, Channel),
    )


def _owned(
    session: Session, team: Team, model: type[Rotation] | type[Channel]
) -> list[tuple[str, str]]:
    query = (
        select(model.slug, model.name, Team.id, Team.slug, Team.name)
        .join(Team, Team.id == model.team_id)
        .where(Team.group_id == team.group_id)
        .order_by(Team.id != team.id, Team.name, Team.id, model.name, model.id)
        .limit(_MOST_CHOICES)
    )
    return [
        (slug, name) if owner == team.id else (f"{owner_slug}/{slug}", f"{name} ({owner_name})")
        for slug, name, owner, owner_slug, owner_name in session.execute(query)
    ]


def _labels(recipients: Iterable[Recipient]) -> list[str]:
    """Each recipient once, however many contact methods it has."""
    return list(dict.fromkeys(recipient.label for recipient in recipients))


def _things(session: Session, plans: Iterable[Plan]) -> dict[PlanTarget, PolicyThing]:
    ids: dict[TargetKind, set[int]] = defaultdict(set)
    for plan in plans:
        for step in plan.steps:
            for target in step.targets:
                if target.id is not None:
                    ids[target.kind].add(target.id)
    things: dict[PlanTarget, PolicyThing] = {}
    if ids[TargetKind.USER]:
        query = select(User.id, User.display_name).where(User.id.in_(ids[TargetKind.USER]))
        for row_id, name in session.execute(query):
            things[PlanTarget(TargetKind.USER, row_id)] = PolicyThing(name)
    if ids[TargetKind.TEAM]:
        query = select(Team.id, Team.name).where(Team.id.in_(ids[TargetKind.TEAM]))
        for row_id, name in session.execute(query):
            things[PlanTarget(TargetKind.TEAM, row_id)] = PolicyThing(name)
    for kind, model in _OWNED.items():
        if ids[kind]:
            statement = (
                select(model.id, model.name, Team.id, Team.name, model.enabled)
                .join(Team, Team.id == model.team_id)
                .where(model.id.in_(ids[kind]))
            )
            for row_id, name, team_id, team_name, enabled in session.execute(statement):
                things[PlanTarget(kind, row_id)] = PolicyThing(
                    name, team_id, team_name, not enabled
                )
    return things
