"""Who is paged by two steps of a policy at once, in the next two weeks.

The page of a policy computes it. Finding it for all policies reads all schedules, so a job
does that from time to time, and banners read what it stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from incidentrelay import db
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.escalation.double_duty import DoubleDuty, DutyStep, find_double_duty
from incidentrelay.domain.escalation.plan import Plan, PlanStep
from incidentrelay.domain.oncall.shifts import Shift, shifts
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Policy, Rotation, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.escalation.policy_queries import plan_of
from incidentrelay.services.oncall import schedules

HORIZON = timedelta(days=14)
# Bounds how many shifts are in memory at a time.
_BATCH = 100

# Policy id → (version, summary): what Policy.double_duty should be.
Summaries = Mapping[int, tuple[int, dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class DoubleDutyView:
    """``user`` is on call in both rotations (with their teams) in [start, end)."""

    user: User
    start: datetime
    end: datetime
    first: Rotation
    second: Rotation


@dataclass(frozen=True, slots=True)
class DoubleDutyWarning:
    """The first double duty of a policy, in names; ``more`` is how many follow."""

    group_slug: str
    team_slug: str
    team: str
    policy_slug: str
    policy: str
    user: str
    first: str
    second: str
    start: datetime
    end: datetime
    more: int


def list_double_duty(session: Session, policy: Policy, now: datetime) -> list[DoubleDutyView]:
    """All double duty of ``policy`` that is not over, until ``horizon(now)``."""
    (found,) = _find(session, [plan_of(policy.steps, policy.repeat)], now)
    people, rotations = _load_named(session, found)
    return [
        DoubleDutyView(
            people[each.user_id],
            each.start,
            each.end,
            rotations[each.first_rotation_id],
            rotations[each.second_rotation_id],
        )
        for each in found
    ]


def horizon(now: datetime) -> datetime:
    """The end of the period that is looked at: midnight UTC in 14 days."""
    return _midnight(now) + HORIZON


def summarize_steps(
    session: Session, steps: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, Any] | None:
    """``Policy.double_duty`` of a policy with these steps."""
    (found,) = _find(session, [plan_of(steps, 0)], now)
    return _summary(found, *_load_named(session, found))


def find_outdated(session: Session, now: datetime) -> Summaries:
    """The policies of active teams whose stored summary is no longer true."""
    query = (
        select(Policy.id, Policy.version, Policy.steps, Policy.double_duty)
        .join(Team, Team.id == Policy.team_id)
        .join(Group, Group.id == Team.group_id)
        .where(Team.active, Group.active)
        .order_by(Policy.id)
    )
    outdated: dict[int, tuple[int, dict[str, Any] | None]] = {}
    policies = session.execute(query).all()
    for begin in range(0, len(policies), _BATCH):
        rows = policies[begin : begin + _BATCH]
        conflicts = _find(session, [plan_of(row.steps, 0) for row in rows], now)
        named = _load_named(session, [each for found in conflicts for each in found[:1]])
        for row, found in zip(rows, conflicts, strict=True):
            summary = _summary(found, *named)
            if summary != row.double_duty:
                outdated[row.id] = (row.version, summary)
    return outdated


def store_summaries(session: Session, summaries: Summaries) -> None:
    """Store what :func:`find_outdated` found, except for policies edited since."""
    query = select(Policy.id, Policy.version).where(Policy.id.in_(summaries)).with_for_update()
    rows = [
        {"id": policy_id, "double_duty": summaries[policy_id][1]}
        for policy_id, version in session.execute(query.order_by(Policy.id))
        if summaries[policy_id][0] == version
    ]
    # Not through the model: this is no edit of the policy, so its version stays.
    db.update_by_id(session, Policy, rows)


def list_warnings(
    session: Session, memberships: Memberships, now: datetime
) -> list[DoubleDutyWarning]:
    """Stored double duty that is not over, of policies that ``memberships`` may edit."""
    query = (
        select(Policy)
        .join(Policy.team)
        .join(Team.group)
        .options(contains_eager(Policy.team).contains_eager(Team.group))
        .where(Policy.double_duty.is_not(None), Team.active, Group.active)
        .order_by(Team.name, Team.id, Policy.name, Policy.id)
    )
    found = session.scalars(scope(query, Policy, memberships, Permission.EDIT))
    warnings = [_warning(policy, policy.double_duty or {}) for policy in found]
    return [each for each in warnings if each.end > now]


def _warning(policy: Policy, stored: Mapping[str, Any]) -> DoubleDutyWarning:
    return DoubleDutyWarning(
        group_slug=policy.team.group.slug,
        team_slug=policy.team.slug,
        team=policy.team.name,
        policy_slug=policy.slug,
        policy=policy.name,
        user=stored["user"],
        first=stored["first"],
        second=stored["second"],
        start=datetime.fromisoformat(stored["start"]),
        end=datetime.fromisoformat(stored["end"]),
        more=stored["more"],
    )


def _find(session: Session, plans: Sequence[Plan], now: datetime) -> list[list[DoubleDuty]]:
    """The double duty of each plan that is not over at ``now``."""
    # From midnight on: what goes on now keeps its start, so stored summaries stay equal.
    start, end = _midnight(now), horizon(now)
    ids = {key for plan in plans if _is_candidate(plan) for key in _rotations_of(plan.steps)}
    loaded = schedules.load_paging_schedules(session, ids, start)
    planned = {key: shifts(schedule, start, end) for key, schedule in loaded.items()}
    return [
        [
            each
            for each in find_double_duty(_duty_steps(plan, planned, start, end))
            if each.end > now
        ]
        for plan in plans
    ]


def _is_candidate(plan: Plan) -> bool:
    """Whether several steps page several rotations; most policies need no schedules."""
    paging = [step for step in plan.steps if _rotations_of([step])]
    return len(paging) > 1 and len(_rotations_of(paging)) > 1


def _rotations_of(steps: Iterable[PlanStep]) -> set[int]:
    targets = (target for step in steps for target in step.targets)
    return {each.id for each in targets if each.kind is TargetKind.ON_CALL and each.id is not None}


def _duty_steps(
    plan: Plan, planned: Mapping[int, Sequence[Shift]], start: datetime, end: datetime
) -> list[DutyStep]:
    return [
        DutyStep(
            {
                key: planned[key]
                for kind, key in ((target.kind, target.id) for target in step.targets)
                if kind is TargetKind.ON_CALL and key is not None and key in planned
            },
            step.conditions.hours.between(start, end) if step.conditions.hours else None,
        )
        for step in (plan.steps if _is_candidate(plan) else ())
    ]


def _load_named(
    session: Session, found: Sequence[DoubleDuty]
) -> tuple[dict[int, User], dict[int, Rotation]]:
    """The people and rotations (with their teams) that are mentioned, by id."""
    if not found:
        return {}, {}
    people = select(User).where(User.id.in_({each.user_id for each in found}))
    ids = {key for each in found for key in (each.first_rotation_id, each.second_rotation_id)}
    rotations = (
        select(Rotation)
        .join(Rotation.team)
        .options(contains_eager(Rotation.team))
        .where(Rotation.id.in_(ids))
    )
    return (
        {user.id: user for user in session.scalars(people)},
        {rotation.id: rotation for rotation in session.scalars(rotations)},
    )


def _summary(
    found: Sequence[DoubleDuty], people: Mapping[int, User], rotations: Mapping[int, Rotation]
) -> dict[str, Any] | None:
    if not found:
        return None
    first = found[0]
    return {
        "user": people[first.user_id].display_name,
        "first": rotations[first.first_rotation_id].name,
        "second": rotations[first.second_rotation_id].name,
        "start": first.start.isoformat(),
        "end": first.end.isoformat(),
        "more": len(found) - 1,
    }


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)
