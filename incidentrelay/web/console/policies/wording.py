"""Plans in words: "After 5 min, if nobody has reacted: Anna Larsen"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidentrelay.domain.enums import Severity, TargetKind
from incidentrelay.domain.escalation.conditions import Conditions
from incidentrelay.domain.escalation.plan import Plan, PlanStep, PlanTarget
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.domain.text import join_words
from incidentrelay.models import Rotation
from incidentrelay.services.escalation.double_duty import DoubleDutyView
from incidentrelay.services.escalation.policy_queries import PolicyPicture, PolicyThings
from incidentrelay.web.console.rotations import layer_wording

GONE = "a deleted target"
_ICONS: Mapping[TargetKind, str] = {
    TargetKind.ON_CALL: "rotate",
    TargetKind.USER: "user",
    TargetKind.TEAM: "users",
    TargetKind.CHANNEL: "send",
    TargetKind.ASSIGNEE: "repeat",
}
_LEADS: Mapping[TargetKind, str] = {
    TargetKind.ON_CALL: "The person on call in",
    TargetKind.USER: "",
    TargetKind.TEAM: "Everybody in",
    TargetKind.CHANNEL: "The channel",
    TargetKind.ASSIGNEE: "The current assignee,",
}
_NOBODY: Mapping[TargetKind, str] = {
    TargetKind.ON_CALL: "now: nobody",
    TargetKind.USER: "inactive: not notified",
    TargetKind.TEAM: "no active member",
    TargetKind.CHANNEL: "switched off: not notified",
}
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_MOST_NAMES = 5
MOST_DOUBLE_DUTY = 10


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One target: ``lead`` and ``name`` are a sentence; ``note`` is about right now.

    ``bad``: nobody would be notified.
    """

    icon: str
    lead: str
    name: str
    note: str
    bad: bool


@dataclass(frozen=True, slots=True)
class StepView:
    """A step: its time, recipients and conditions."""

    when: str
    lines: Sequence[TargetLine]
    conditions: Sequence[str]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A plan for policies/_picture.jinja2. ``fallback`` is "" if there is none.

    ``repeats`` is how often it repeats ("": never), ``again`` how a repetition begins.
    """

    stops: Sequence[StepView]
    repeats: str
    again: str
    end: str
    fallback: str


@dataclass(frozen=True, slots=True)
class DoubleDutyRow:
    """Somebody on call in two rotations, which different steps page."""

    person: str
    start: datetime
    end: datetime
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class DoubleDutyList:
    """The first rows; ``more`` is how many follow."""

    rows: Sequence[DoubleDutyRow]
    more: int


def view_policy(picture: PolicyPicture, team_id: int) -> PolicyView:
    """The picture in words; targets of teams other than ``team_id`` have their team's name."""
    plan = picture.plan
    return PolicyView(
        stops=[
            StepView(
                _when(number, step),
                [_line(target, picture, team_id) for target in step.targets],
                list(conditions(step.conditions)),
            )
            for number, step in enumerate(plan.steps)
        ],
        repeats=repeats(plan),
        again=_again(plan),
        end=f"After {_lasting(plan.exhausted_after)} more, if nobody has reacted",
        fallback=_listed(picture.fallback),
    )


def view_double_duty(found: Sequence[DoubleDutyView], team_id: int) -> DoubleDutyList:
    """The first few; rotations of teams other than ``team_id`` have their team's name."""
    return DoubleDutyList(
        rows=[
            DoubleDutyRow(
                each.user.display_name,
                each.start,
                each.end,
                *(_rotation(rotation, team_id) for rotation in (each.first, each.second)),
            )
            for each in found[:MOST_DOUBLE_DUTY]
        ],
        more=max(0, len(found) - MOST_DOUBLE_DUTY),
    )


def in_short(plan: Plan, things: PolicyThings, team_id: int) -> list[str]:
    """Each step as a few words: ``At once: Primary``, ``5 min: Anna, Ops mail``."""
    return [
        f"{'At once' if not number and not step.delay else f'+ {_lasting(step.delay)}'}: "
        + ", ".join(_name(target, things, team_id) for target in step.targets)
        for number, step in enumerate(plan.steps)
    ]


def repeats(plan: Plan) -> str:
    """How often the plan repeats; "" is never."""
    if not plan.rounds:
        return ""
    return "once more" if plan.rounds == 1 else f"{plan.rounds} more times"


def conditions(found: Conditions) -> Iterator[str]:
    """The conditions of a step, one sentence each."""
    if found.severity is Severity.CRITICAL:
        yield "Only if the alert is critical."
    elif found.severity is not None:
        yield f"Only if the severity is {found.severity} or worse."
    if found.hours is not None:
        windows = [
            Window(day, found.hours.opens, found.hours.closes) for day in found.hours.weekdays
        ]
        yield f"Only {'; '.join(layer_wording.hours(windows))} ({found.hours.zone})."
    if found.wait:
        longest = _lasting(found.wait)
        yield f"While nobody is on call, it waits for the next shift, at most {longest}."


def _again(plan: Plan) -> str:
    wait = plan.steps[0].delay if plan.steps else 0
    begin = f"{_lasting(wait)} after the last step" if wait else "together with the last step"
    return f"Again from the first step, {begin}, until somebody reacts."


def _when(number: int, step: PlanStep) -> str:
    if number == 0:
        return f"After {_lasting(step.delay)}" if step.delay else "At once"
    if not step.delay:
        return "At the same time"
    return f"After {_lasting(step.delay)}, if nobody has reacted"


def _line(target: PlanTarget, picture: PolicyPicture, team_id: int) -> TargetLine:
    icon, lead = _ICONS[target.kind], _LEADS[target.kind]
    if target.kind is TargetKind.ASSIGNEE:
        return TargetLine(icon, lead, "again", "", False)
    thing, reached = picture.things.get(target), picture.reached[target]
    name = _name(target, picture.things, team_id)
    if thing is None:
        return TargetLine(icon, "", name, "nobody is notified", True)
    if target.kind is TargetKind.ON_CALL and thing.paused:
        return TargetLine(icon, lead, name, "paused: pages nobody", True)
    if not reached:
        return TargetLine(icon, lead, name, _NOBODY[target.kind], True)
    now = {TargetKind.ON_CALL: f"now: {reached[0]}", TargetKind.TEAM: _listed(reached)}
    return TargetLine(icon, lead, name, now.get(target.kind, ""), False)


def _name(target: PlanTarget, things: PolicyThings, team_id: int) -> str:
    if target.kind is TargetKind.ASSIGNEE:
        return "the same person again"
    thing = things.get(target)
    if thing is None:
        return GONE
    other = thing.team_id is not None and thing.team_id != team_id
    return f"{thing.name} ({thing.team_name})" if other else thing.name


def _rotation(rotation: Rotation, team_id: int) -> str:
    own = rotation.team_id == team_id
    return rotation.name if own else f"{rotation.name} ({rotation.team.name})"


def _listed(names: Sequence[str]) -> str:
    shown_names, more = list(names[:_MOST_NAMES]), len(names) - _MOST_NAMES
    if more > 0:
        shown_names.append(f"{more} more")
    return join_words(shown_names)


def _lasting(seconds: int) -> str:
    """Exact, unlike the templates' filter: ``1 h 30 min``, ``7 min 30 s``."""
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts) or "0 s"
