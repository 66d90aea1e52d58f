"""Whom a step of a plan reaches, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.escalation.plan import Plan, PlanStep, PlanTarget, Progress
from incidentrelay.domain.oncall.escalation_order import escalation_order, next_member
from incidentrelay.domain.oncall.shifts import Shift, on_call
from incidentrelay.services.recipients.directory import Directory, Recipient

# So many people and channels of one step are named in the timeline's facts.
MOST_NAMED = 20
_MOST_WAYS = 10


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """The addresses to which a target led; ``shift`` where somebody is on call."""

    target: PlanTarget
    recipients: tuple[Recipient, ...]
    shift: Shift | None = None


def find_addresses(
    step: PlanStep, assignee_id: int | None, people: Directory, now: datetime
) -> tuple[list[ResolvedTarget], list[str]]:
    """What each target of the step led to, and the names of those where nobody was."""
    found = [resolve_target(target, assignee_id, people, now) for target in step.targets]
    nobody = [
        _PEOPLE[reached.target.kind]
        for reached in found
        if not reached.recipients and reached.target.kind in _PEOPLE
    ]
    if not nobody and not any(reached.recipients for reached in found):
        nobody.append("this step has no person and no channel that could be told")
    return found, nobody


_PEOPLE = {
    TargetKind.ON_CALL: "the rotation has nobody at this time",
    TargetKind.NEXT_MEMBER: "the rotation has no active member",
    TargetKind.TEAM: "the team has no active member",
    TargetKind.USER: "the person of this step is not active",
}


def resolve_target(
    target: PlanTarget, assignee_id: int | None, people: Directory, now: datetime
) -> ResolvedTarget:
    """The addresses that a target of a step has at ``now``; none where nobody is there."""
    if target.kind is TargetKind.CHANNEL:
        return ResolvedTarget(target, people.channel(target.id))
    if target.kind is TargetKind.USER:
        return ResolvedTarget(target, people.person(target.id))
    if target.kind is TargetKind.ASSIGNEE:
        return ResolvedTarget(target, people.person(assignee_id))
    if target.id is None:
        return ResolvedTarget(target, ())
    if target.kind is TargetKind.TEAM:
        members = people.team_members.get(target.id, ())
        addresses = (address for user_id in members for address in people.person(user_id))
        return ResolvedTarget(target, tuple(addresses))
    schedule = people.schedules.get(target.id)
    if schedule is None:
        return ResolvedTarget(target, ())
    if target.kind is TargetKind.ON_CALL:
        shift = on_call(schedule, now)
        return ResolvedTarget(target, people.person(shift.user_id) if shift else (), shift)
    user_id = next_member(escalation_order(schedule, now), assignee_id)
    return ResolvedTarget(target, people.person(user_id))


def step_facts(plan: Plan, progress: Progress) -> dict[str, Any]:
    """Which step of which plan is next at ``progress``, as an event keeps it."""
    found: dict[str, Any] = {"plan": plan.source, "steps": len(plan.steps)}
    if plan.version is not None:
        found["version"] = plan.version
    if progress.step < len(plan.steps):
        found["step"] = progress.step + 1
    if progress.round:
        found["round"] = progress.round + 1
    return found


def notified_facts(found: Sequence[ResolvedTarget]) -> dict[str, Any]:
    """Who was notified, why and how, as an event stores it; each once, with the first reason."""
    told: dict[int, dict[str, Any]] = {}
    channels: dict[int, str] = {}
    for reached in found:
        reason = _reason(reached)
        for recipient in reached.recipients:
            if recipient.user_id is not None:
                first = {"id": recipient.user_id, "name": recipient.label, **reason, "methods": []}
                person = told.setdefault(recipient.user_id, first)
                _add_method(person["methods"], recipient)
            elif recipient.channel_id is not None:
                channels.setdefault(recipient.channel_id, recipient.label)
    facts: dict[str, Any] = {}
    if told:
        facts["people"] = list(told.values())[:MOST_NAMED]
    if channels:
        facts["channels"] = list(channels.values())[:MOST_NAMED]
    more = max(len(told) - MOST_NAMED, 0) + max(len(channels) - MOST_NAMED, 0)
    return {**facts, "more": more} if more else facts


def people_facts(why: str, recipients: Sequence[Recipient]) -> dict[str, Any]:
    """The same for people who are notified for a reason other than a step's target."""
    facts = notified_facts([ResolvedTarget(PlanTarget(TargetKind.USER), tuple(recipients))])
    for person in facts.get("people", ()):
        person["why"] = why
    return facts


def _add_method(ways: list[list[Any]], recipient: Recipient) -> None:
    way = [recipient.method, recipient.delay] if recipient.delay else [recipient.method]
    if way not in ways and len(ways) < _MOST_WAYS:
        ways.append(way)


def _reason(reached: ResolvedTarget) -> dict[str, Any]:
    target, shift = reached.target, reached.shift
    if shift is None:
        turn = target.kind is TargetKind.NEXT_MEMBER
        return {"why": str(target.kind), **({"rotation": target.id} if turn else {})}
    by = {"override": shift.override_id} if shift.override_id else {"layer": shift.layer}
    why = {"why": str(target.kind), "rotation": target.id}
    return {**why, **by, "until": shift.end.isoformat()}
