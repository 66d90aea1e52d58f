"""The recipients of a plan's step, with reasons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from incidentrelay.channels.kinds import INBOX
from incidentrelay.domain.enums import NotificationKind, TargetKind
from incidentrelay.domain.escalation.plan import Plan, PlanStep, PlanTarget, Progress
from incidentrelay.domain.oncall.escalation_order import escalation_order, next_member
from incidentrelay.domain.oncall.shifts import Shift, on_call
from incidentrelay.domain.text import join_words
from incidentrelay.services.recipients.directory import Directory, Recipient

# The most people and channels of one step in the timeline's facts.
MOST_NAMED = 20
_MOST_METHODS = 10


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """The addresses of one target; ``shift`` is set if somebody is on call."""

    target: PlanTarget
    recipients: tuple[Recipient, ...]
    shift: Shift | None = None


@dataclass(frozen=True, slots=True)
class StepAddresses:
    """The addresses that a step's targets resolve to.

    ``unreached`` is why people or the whole step could not be reached. ``off_call``: a rotation
    has nobody on call.
    """

    resolved: tuple[ResolvedTarget, ...]
    unreached: tuple[str, ...] = ()
    off_call: bool = False

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        return tuple(each for target in self.resolved for each in target.recipients)


def find_addresses(
    step: PlanStep, assignee_id: int | None, people: Directory, now: datetime
) -> StepAddresses:
    """The addresses of the step's targets, and why some have none."""
    resolved = tuple(resolve_target(target, assignee_id, people, now) for target in step.targets)
    empty = [each for each in resolved if not each.recipients and each.target.kind in _PEOPLE]
    unreached = [
        "the person on call cannot be reached" if each.shift else _PEOPLE[each.target.kind]
        for each in empty
    ]
    found = StepAddresses(resolved)
    if not unreached and not found.recipients:
        unreached.append("this step has no person and no channel that can be notified")
    # Reminders do not repeat this problem.
    loud = step.kind is not NotificationKind.REMINDER
    if loud and not unreached and all(each.method == INBOX for each in found.recipients):
        people_only = all(each.user_id is not None for each in found.recipients)
        unreached += [_inbox_only(found.recipients)] if people_only else []
    off_call = any(each.target.kind in _TURNS and each.shift is None for each in empty)
    return replace(found, unreached=tuple(unreached), off_call=off_call)


def _inbox_only(recipients: Sequence[Recipient]) -> str:
    names = list(dict.fromkeys(recipient.label for recipient in recipients))
    verb = "has" if len(names) == 1 else "have"
    return f"{join_words(names[:MOST_NAMED])} {verb} no contact method"


_TURNS = (TargetKind.ON_CALL, TargetKind.NEXT_MEMBER)
_PEOPLE = {
    TargetKind.ON_CALL: "the rotation has nobody at this time",
    TargetKind.NEXT_MEMBER: "the rotation has no active member",
    TargetKind.TEAM: "the team has no active member",
    TargetKind.USER: "the person of this step is no longer available",
}


def find_stand_in(plan: Plan, people: Directory, now: datetime) -> int | None:
    """The person on call in a rotation of the plan, for an assignee who has left."""
    for step in plan.steps:
        for target in step.targets:
            schedule = people.schedules.get(target.id or 0)
            if target.kind is TargetKind.ON_CALL and schedule is not None:
                shift = on_call(schedule, now)
                if shift is not None and people.person(shift.user_id):
                    return shift.user_id
    return None


def resolve_target(
    target: PlanTarget, assignee_id: int | None, people: Directory, now: datetime
) -> ResolvedTarget:
    """The addresses of a step's target at ``now``; none if nobody is there."""
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
    """The next step at ``progress``, as stored in events."""
    facts: dict[str, Any] = {"plan": plan.source, "steps": len(plan.steps)}
    if plan.version is not None:
        facts["version"] = plan.version
    if progress.step < len(plan.steps):
        facts["step"] = progress.step + 1
    if progress.round:
        facts["round"] = progress.round + 1
    return facts


def notified_facts(targets: Sequence[ResolvedTarget]) -> dict[str, Any]:
    """Who was notified, why and how, as stored in events; each once, with the first reason."""
    persons: dict[int, dict[str, Any]] = {}
    channels: dict[int, str] = {}
    for resolved in targets:
        reason = _reason(resolved)
        for recipient in resolved.recipients:
            if recipient.user_id is not None:
                first = {"id": recipient.user_id, "name": recipient.label, **reason, "methods": []}
                person = persons.setdefault(recipient.user_id, first)
                _add_method(person["methods"], recipient)
            elif recipient.channel_id is not None:
                channels.setdefault(recipient.channel_id, recipient.label)
    facts: dict[str, Any] = {}
    if persons:
        facts["people"] = list(persons.values())[:MOST_NAMED]
    if channels:
        facts["channels"] = list(channels.values())[:MOST_NAMED]
    more = max(len(persons) - MOST_NAMED, 0) + max(len(channels) - MOST_NAMED, 0)
    return {**facts, "more": more} if more else facts


def people_facts(why: str, recipients: Sequence[Recipient]) -> dict[str, Any]:
    """The same for people who are notified for a reason other than a step's target."""
    facts = notified_facts([ResolvedTarget(PlanTarget(TargetKind.USER), tuple(recipients))])
    for person in facts.get("people", ()):
        person["why"] = why
    return facts


def _add_method(methods: list[list[Any]], recipient: Recipient) -> None:
    method = [recipient.method, recipient.delay] if recipient.delay else [recipient.method]
    if method not in methods and len(methods) < _MOST_METHODS:
        methods.append(method)


def _reason(resolved: ResolvedTarget) -> dict[str, Any]:
    target, shift = resolved.target, resolved.shift
    if shift is None:
        turn = target.kind is TargetKind.NEXT_MEMBER
        return {"why": str(target.kind), **({"rotation": target.id} if turn else {})}
    by = {"override": shift.override_id} if shift.override_id else {"layer": shift.layer}
    why = {"why": str(target.kind), "rotation": target.id}
    return {**why, **by, "until": shift.end.isoformat()}
