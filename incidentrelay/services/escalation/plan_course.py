"""What running a plan does, whichever alert of its kind it is run for.

Alerts of the same severity, team and assignee take the same course: in a storm it is found
once. :mod:`incidentrelay.services.escalation.plan_run` turns it into rows for each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.enums import EventKind, NotificationKind, Severity, TargetKind
from incidentrelay.domain.escalation import engine
from incidentrelay.domain.escalation.engine import (
    Effect,
    Exhaust,
    NobodyNotified,
    RunStep,
    SkipStep,
    Wait,
)
from incidentrelay.domain.escalation.plan import Plan, PlanStep, Progress
from incidentrelay.services.escalation.plan_facts import plan_facts
from incidentrelay.services.recipients import targets
from incidentrelay.services.recipients.directory import Directory, Recipient


@dataclass(frozen=True, slots=True)
class PagedAlert:
    """All of an alert on which the course of its plan depends."""

    team_id: int
    severity: Severity
    assignee_id: int | None


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step that was due; ``step`` None is the end of the plan.

    ``unreached`` is why people could not be reached, and ``fallback`` are the team's contacts
    that were notified instead. A step that did not run was ``skipped`` (the reason), or waits
    ``until`` somebody is on call.
    """

    step: PlanStep | None
    recipients: tuple[Recipient, ...] = ()
    unreached: tuple[str, ...] = ()
    fallback: tuple[Recipient, ...] = ()
    assignee_id: int | None = None
    skipped: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline."""

    kind: EventKind
    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One message to some recipients; ``number`` is that of the step run."""

    kind: NotificationKind
    headline: str
    assignee: str | None
    recipients: tuple[Recipient, ...]
    number: int


@dataclass(slots=True)
class PlanCourse:
    """``runs`` are the steps that ran, in their order. ``at`` is the position in the
    plan, as stored in its events.
    """

    plan: Plan
    progress: Progress
    assignee_id: int | None
    assignee: str | None = None
    lines: list[Line] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    runs: list[StepRun] = field(default_factory=list)
    at: dict[str, Any] = field(default_factory=dict)


def follow_plan(
    alert: PagedAlert, plan: Plan, progress: Progress, people: Directory, now: datetime
) -> PlanCourse:
    """Run the due steps of ``plan``; ``people`` are those of the alert's team and severity."""
    course = PlanCourse(plan, progress, alert.assignee_id)
    # At most one hop per step: a plan that reaches nobody ends here
    # and continues with its ordinary delay.
    for _ in range(len(plan.steps) + 1):
        facts = plan_facts(alert.severity, plan, course.progress, people, now)
        decision = engine.decide(plan, course.progress, now, facts)
        course.at = targets.step_facts(plan, course.progress)
        course.progress = decision.progress
        if not decision.effects:
            break
        if isinstance(decision.effects[0], SkipStep):
            _skip(decision.effects, alert, people, course, now)
            continue
        if all(_perform(effect, alert, people, course, now) for effect in decision.effects):
            break
        course.progress = engine.advance_now(plan, course.progress, now)
    else:
        course.progress = _at_ordinary_pace(plan, course.progress, now)
    course.assignee = people.name(course.assignee_id)
    return course


def _at_ordinary_pace(plan: Plan, progress: Progress, now: datetime) -> Progress:
    if progress.due is None:
        return progress
    steps = plan.steps
    delay = steps[progress.step].delay if progress.step < len(steps) else plan.exhausted_after
    pace = delay or plan.exhausted_after
    return replace(progress, due=now + timedelta(seconds=pace), urgent=False)


def _skip(
    effects: Sequence[Effect],
    alert: PagedAlert,
    people: Directory,
    course: PlanCourse,
    now: datetime,
) -> None:
    for effect in effects:
        if isinstance(effect, SkipStep):
            text = f"Skipped a step of the plan. {effect.why}"
            course.lines.append(Line(EventKind.STEP_SKIPPED, text, course.at))
            course.runs.append(
                StepRun(effect.step, skipped=effect.why, assignee_id=course.assignee_id)
            )
        elif isinstance(effect, NobodyNotified):
            why = "No step of the plan applies"
            text = f"{why}, so nobody was notified."
            course.lines.append(Line(EventKind.STEP_SKIPPED, text, course.at))
            contacts = _fall_back(alert, people, course, effect.number, why)
            course.runs[-1] = replace(course.runs[-1], fallback=contacts)


def _perform(
    effect: Effect, alert: PagedAlert, people: Directory, course: PlanCourse, now: datetime
) -> bool:
    """Carry out one effect; False if it should notify a person and nobody could be reached."""
    if isinstance(effect, Wait):
        until = f"{effect.until:%Y-%m-%d %H:%M} UTC"
        text = f"Nobody is on call. The plan waits for the next shift, at {until}."
        course.lines.append(Line(EventKind.STEP_WAITS, text, course.at))
        course.runs.append(StepRun(effect.step, until=effect.until, assignee_id=course.assignee_id))
        return True
    if isinstance(effect, Exhaust):
        text = "Nobody reacted, and the escalation plan has come to its end."
        course.lines.append(Line(EventKind.ESCALATION_EXHAUSTED, text, course.at))
        last = _fall_back(alert, people, course, effect.number, "Nobody reacted")
        course.runs.append(StepRun(None, fallback=last, assignee_id=course.assignee_id))
        return True
    assert isinstance(effect, RunStep)  # _skip handles steps that do not run
    return _run_step(effect, alert, people, course, now)


def _run_step(
    effect: RunStep, alert: PagedAlert, people: Directory, course: PlanCourse, now: datetime
) -> bool:
    """Notify the step's targets; False if they include people and nobody can be reached."""
    step = effect.step
    _replace_assignee(step, course, people, now)
    addresses = targets.find_addresses(step, course.assignee_id, people, now)
    recipients = addresses.recipients
    if step.kind is not NotificationKind.REMINDER:
        course.assignee_id = next((r.user_id for r in recipients if r.user_id), course.assignee_id)
    headline = _headline(effect, people.name(course.assignee_id))
    assignee = people.name(course.assignee_id)
    course.pages.append(Page(step.kind, headline, assignee, recipients, effect.number))
    if recipients:
        names = ", ".join(dict.fromkeys(recipient.label for recipient in recipients))
        data = {**course.at, **targets.notified_facts(addresses.resolved)}
        text = f"{headline}: {names}"
        course.lines.append(Line(_EVENT_OF[step.kind], text, data))
    contacts: tuple[Recipient, ...] = ()
    if addresses.unreached:
        why = "Nobody is on call" if addresses.off_call else "Nobody can be reached"
        text = f"{why}: {', '.join(addresses.unreached)}."
        course.lines.append(Line(EventKind.NOBODY_ON_CALL, text, course.at))
        contacts = _fall_back(alert, people, course, effect.number, why)
    course.runs.append(StepRun(step, recipients, addresses.unreached, contacts, course.assignee_id))
    return not addresses.unreached


def _replace_assignee(step: PlanStep, course: PlanCourse, people: Directory, now: datetime) -> None:
    """An assignee who has left is replaced by the person on call now."""
    to_assignee = any(target.kind is TargetKind.ASSIGNEE for target in step.targets)
    if to_assignee and not people.person(course.assignee_id):
        course.assignee_id = targets.find_stand_in(course.plan, people, now)


_EVENT_OF = {
    NotificationKind.PAGE: EventKind.PAGED,
    NotificationKind.REMINDER: EventKind.REMINDED,
    NotificationKind.ESCALATION: EventKind.ESCALATED,
}


def _headline(effect: RunStep, assignee: str | None) -> str:
    if effect.step.kind is NotificationKind.REMINDER:
        return "Reminder"
    if effect.step.kind is NotificationKind.ESCALATION:
        return f"Escalated to {assignee}" if assignee else "Escalated"
    return "Page"


def _fall_back(
    alert: PagedAlert, people: Directory, course: PlanCourse, number: int, why: str
) -> tuple[Recipient, ...]:
    """Notify the team's fallback contact and return the recipients."""
    contacts = people.fallback(alert.team_id)
    team = people.teams[alert.team_id]
    if not contacts and (team.fallback_user_id or team.fallback_channel_id):
        text = "Nobody can be reached: the team's fallback contact is no longer available."
        course.lines.append(Line(EventKind.NOBODY_ON_CALL, text, course.at))
    if not contacts:
        return ()
    assignee = people.name(course.assignee_id)
    course.pages.append(Page(NotificationKind.FALLBACK, why, assignee, contacts, number))
    names = ", ".join(dict.fromkeys(contact.label for contact in contacts))
    text = f"Fallback contact notified: {names}."
    data = {**course.at, **targets.people_facts("fallback", contacts)}
    course.lines.append(Line(EventKind.FALLBACK_NOTIFIED, text, data))
    return contacts
