"""Escalation policies: recipients, delays, and repetitions.

A step in the API's format::

    {"delay": 300, "notify_assignee_again": false,
     "targets": [{"kind": "rotation", "name": "primary"}, {"kind": "user", "name": "ann"},
                 {"kind": "team", "name": "core"}, {"kind": "channel", "name": "chat"}]}

A rotation or channel of another team of the group is named ``team/slug``. A step may
have ``conditions`` (:mod:`incidentrelay.services.escalation.conditions`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Channel, Policy, Rotation, Route, Team, TeamMember, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import audit, limits, resources, team_lookup, validation
from incidentrelay.services.common.slugs import check_slug, with_slug
from incidentrelay.services.escalation import conditions as step_conditions
from incidentrelay.services.escalation import double_duty

MAX_STEPS = limits.POLICY_STEPS.high
LONGEST_DELAY = limits.STEP_DELAY.high
# The shortest round that may repeat, in seconds.
SHORTEST_ROUND = 60

_KINDS = (TargetKind.ON_CALL, TargetKind.USER, TargetKind.TEAM, TargetKind.CHANNEL)
_FIELDS: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "description": validation.DESCRIPTION,
    "repeat": validation.number(*limits.POLICY_REPEAT),
    "steps": lambda value: value,
}


def create(
    session: Session, team: Team, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Policy:
    """Create a policy; raises Conflict if the team has one with this slug."""
    values = validation.clean(
        with_slug(data), {**_FIELDS, "slug": check_slug}, required=("name", "slug", "steps")
    )
    conflict = f"There is a policy “{values['slug']}” in this team already."
    if team_lookup.has_slug(session, Policy, team.id, values["slug"]):
        raise Conflict(conflict)
    resources.lock_group(session, team.group_id)
    stored = {**values, "steps": _steps(session, team, values["steps"])}
    _check_round(stored["steps"], values.get("repeat", 0))
    policy = Policy(**stored, team=team, team_id=team.id, created_at=now, updated_at=now)
    policy.double_duty = double_duty.summarize_steps(session, policy.steps, now)
    resources.insert_row(session, policy, conflict=conflict)
    audit.record_team_change(
        session, actor, "create", team, policy, resources.given_fields(values), now=now
    )
    return policy


def update(
    session: Session, policy: Policy, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Policy:
    """Change the given fields. Running alerts keep their plan."""
    values = validation.clean(resources.without_fixed(policy, data), _FIELDS)
    team = team_lookup.find_team(session, policy)
    if "steps" in values:
        resources.lock_group(session, team.group_id)
        values["steps"] = _steps(session, team, values["steps"])
    _check_round(values.get("steps", policy.steps), values.get("repeat", policy.repeat))
    before = public_steps(session, [policy])[policy.id]
    diff = resources.change_row(policy, values)
    if "steps" in diff:
        diff["steps"] = [before, public_steps(session, [policy])[policy.id]]
        policy.double_duty = double_duty.summarize_steps(session, policy.steps, now)
    if diff:
        resources.save_row(session, policy, now)
        audit.record_team_change(session, actor, "update", team, policy, diff, now=now)
    return policy


def delete(session: Session, policy: Policy, *, actor: Actor, now: datetime) -> None:
    """Delete the policy; raises Conflict while routes use it."""
    team = team_lookup.find_team(session, policy)
    routes = session.scalars(select(Route.slug).where(Route.policy_id == policy.id)).all()
    if routes:
        raise Conflict(f"Routes use this policy ({', '.join(sorted(routes))}).")
    resources.remove_row(session, policy, conflict="A route uses this policy.")
    audit.record_team_change(session, actor, "delete", team, policy, {}, now=now)


def draft_policy(session: Session, team: Team, data: Mapping[str, Any]) -> tuple[list[Any], int]:
    """The steps and ``repeat`` that ``create`` would store; raises InvalidInput. Writes nothing."""
    table = {name: _FIELDS[name] for name in ("steps", "repeat")}
    values = validation.clean(data, table, required=("steps",))
    steps, repeat = _steps(session, team, values["steps"]), values.get("repeat", 0)
    _check_round(steps, repeat)
    return steps, repeat


def public_steps(session: Session, policies: Sequence[Policy]) -> dict[int, list[dict[str, Any]]]:
    """The steps of each policy as the API shows them, by policy id, in four statements at most.

    A deleted target has the name None.
    """
    targets = [t for policy in policies for step in policy.steps for t in step["targets"]]
    named = _names(session, targets)
    teams = {policy.id: policy.team_id for policy in policies}
    return {
        policy.id: [
            {
                "delay": step["delay"],
                "notify_assignee_again": step.get("notify_assignee_again", False),
                "targets": [_shown(target, named, teams[policy.id]) for target in step["targets"]],
                "conditions": step.get("conditions", {}),
            }
            for step in policy.steps
        ]
        for policy in policies
    }


def _steps(session: Session, team: Team, value: Any) -> list[dict[str, Any]]:
    """Steps with ids, as they are stored; raises InvalidInput like ``steps.0.targets.1.name``."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MAX_STEPS:
        raise InvalidInput.of("steps", f"Give 1 to {MAX_STEPS} steps.")
    return [_step(session, team, index, step) for index, step in enumerate(value)]


def _step(session: Session, team: Team, index: int, value: Any) -> dict[str, Any]:
    path = f"steps.{index}"
    table = {
        "delay": validation.number(*limits.STEP_DELAY),
        "notify_assignee_again": validation.flag,
        "targets": validation.listing(lambda value: value, *limits.STEP_TARGETS),
        "conditions": lambda value: value,
    }
    values = _clean(path, value, table, ("delay",))
    again = values.get("notify_assignee_again", False)
    targets = [
        _target(session, team, f"{path}.targets.{place}", target)
        for place, target in enumerate(values.get("targets", ()))
    ]
    if not targets and not (again and index):
        raise InvalidInput.of(f"{path}.targets", "Name somebody or something to notify.")
    table = {"conditions": lambda value: step_conditions.read_conditions(value, targets)}
    kept = _clean(path, {"conditions": values.get("conditions") or {}}, table, ())
    return {"delay": values["delay"], "targets": targets, "notify_assignee_again": again, **kept}


def _target(session: Session, team: Team, path: str, value: Any) -> dict[str, Any]:
    table = {"kind": validation.word(TargetKind), "name": validation.line(*limits.REFERENCE)}
    values = _clean(path, value, table, ("kind", "name"))
    kind, name = values["kind"], values["name"]
    if kind not in _KINDS:
        raise InvalidInput.of(f"{path}.kind", f"Write one of: {', '.join(_KINDS)}.")
    if kind is TargetKind.USER:
        user = user_lookup.find_reachable_member(session, team.group_id, name, f"{path}.name")
        return {"kind": str(kind), "id": user.id}
    query = select(Team.id).where(Team.group_id == team.group_id)
    if kind is TargetKind.TEAM:
        query = query.where(Team.slug == name)
    else:
        model = Rotation if kind is TargetKind.ON_CALL else Channel
        owner, _, slug = name.rpartition("/")
        query = select(model.id).join(Team, Team.id == model.team_id)
        query = query.where(Team.group_id == team.group_id, model.slug == slug)
        query = query.where(Team.slug == owner if owner else Team.id == team.id)
    row_id = session.scalar(query)
    if row_id is None:
        raise InvalidInput.of(f"{path}.name", f"There is no {kind} of this name.")
    if kind is TargetKind.TEAM and not _reaches_somebody(session, row_id):
        raise InvalidInput.of(f"{path}.name", "No member of this team can be reached.")
    return {"kind": str(kind), "id": row_id}


def _reaches_somebody(session: Session, team_id: int) -> bool:
    query = (
        select(User.id)
        .join(TeamMember, TeamMember.user_id == User.id)
        .where(TeamMember.team_id == team_id, user_lookup.is_reachable())
    )
    return session.scalar(query.limit(1)) is not None


def _clean(
    path: str, value: Any, table: Mapping[str, validation.Check], required: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput.of(path, "This must be an object.")
    try:
        return validation.clean(value, table, required=required)
    except InvalidInput as error:
        raise error.under(path) from None


def _check_round(steps: Sequence[Mapping[str, Any]], repeat: int) -> None:
    if repeat and sum(step["delay"] for step in steps) < SHORTEST_ROUND:
        raise InvalidInput.of(
            "repeat", f"To repeat, the steps must wait {SHORTEST_ROUND} seconds altogether."
        )


def _names(session: Session, targets: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, Any]]:
    """By kind: id → username, team slug, or (team id, team slug, slug)."""
    ids: dict[str, set[int]] = {str(kind): set() for kind in _KINDS}
    for target in targets:
        ids[target["kind"]].add(target["id"])
    names: dict[str, dict[int, Any]] = {str(kind): {} for kind in _KINDS}
    if ids[TargetKind.USER]:
        names[TargetKind.USER] = dict(user_lookup.display_names(session, ids[TargetKind.USER]))
    if ids[TargetKind.TEAM]:
        query = select(Team.id, Team.slug).where(Team.id.in_(ids[TargetKind.TEAM]))
        names[TargetKind.TEAM] = dict(session.execute(query).all())
    for kind, model in ((TargetKind.ON_CALL, Rotation), (TargetKind.CHANNEL, Channel)):
        if ids[kind]:
            rows = session.execute(
                select(model.id, Team.id, Team.slug, model.slug)
                .join(Team, Team.id == model.team_id)
                .where(model.id.in_(ids[kind]))
            )
            names[kind] = {row_id: (team_id, team, slug) for row_id, team_id, team, slug in rows}
    return names


def _shown(
    target: Mapping[str, Any], named: Mapping[str, Mapping[int, Any]], team_id: int
) -> dict[str, Any]:
    name = named[target["kind"]].get(target["id"])
    if isinstance(name, tuple):
        name = name[2] if name[0] == team_id else f"{name[1]}/{name[2]}"
    return {"kind": target["kind"], "name": name}
