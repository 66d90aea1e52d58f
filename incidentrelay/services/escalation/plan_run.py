"""Runs escalation plans as pure computation on a directory, without a session."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from incidentrelay.domain.enums import EventKind, NotificationKind, TargetKind
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
from incidentrelay.domain.silences.coverage import SilenceCoverage
from incidentrelay.domain.text import join_words
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.escalation.plan_facts import plan_facts
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox.queue import AlertSubject
from incidentrelay.services.recipients import targets
from incidentrelay.services.recipients.directory import Directory, Recipient

SILENCE = "silence"


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


@dataclass(slots=True)
class PlanRun:
    """The result of running a plan: the alert's new values, and rows to write.

    ``runs`` are the steps that ran, in their order. ``at`` is the position in the plan, as
    stored in its events.
    """

    plan: Plan
    progress: Progress
    assignee_id: int | None
    assignee: str | None = None
    quiet_until: datetime | None = None
    quiet_reason: str | None = None
    cover: SilenceCoverage | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    runs: list[StepRun] = field(default_factory=list)
    at: dict[str, Any] = field(default_factory=dict)

    @property
    def wake_at(self) -> datetime | None:
        return self.progress.due


def run_plan(
    subject: AlertSubject, plan: Plan, progress: Progress, people: Directory, now: datetime
) -> PlanRun:
    """Run the due steps of ``plan`` unless a silence covers the alert."""
    run = PlanRun(plan, progress, subject.assignee_id)
    people = people.about(subject.severity).in_team(subject.team_id)
    cover = people.coverage(subject.team_id, subject.signal_labels, now)
    if cover is not None:
        run.progress = replace(progress, due=cover.end)
        run.quiet_until, run.quiet_reason, run.cover = cover.end, SILENCE, cover
        text = f"Quiet: {covering_silences(cover)} until {cover.end:%Y-%m-%d %H:%M} UTC."
        data = {"silences": list(cover.ids[: targets.MOST_NAMED]), "until": cover.end.isoformat()}
        run.events.append(make_event(subject.id, EventKind.SILENCED, text, now, data=data))
        return run
    # At most one hop per step: a plan that reaches nobody ends here
    # and continues with its ordinary delay.
    for _ in range(len(plan.steps) + 1):
        facts = plan_facts(subject, plan, run.progress, people, now)
        decision = engine.decide(plan, run.progress, now, facts)
        run.at = targets.step_facts(plan, run.progress)
        run.progress = decision.progress
        if not decision.effects:
            break
        if isinstance(decision.effects[0], SkipStep):
            _skip(decision.effects, subject, people, run, now)
            continue
        if all(_perform(effect, subject, people, run, now) for effect in decision.effects):
            break
        run.progress = engine.advance_now(plan, run.progress, now)
    else:
        run.progress = _at_ordinary_pace(plan, run.progress, now)
    run.assignee = people.name(run.assignee_id)
    return run


def covering_silences(cover: SilenceCoverage) -> str:
    """The silences that keep an alert quiet, as part of a sentence."""
    numbers = [str(number) for number in cover.ids]
    if len(numbers) == 1:
        return f"silence {numbers[0]} covers it"
    if len(numbers) > targets.MOST_NAMED:
        more = len(numbers) - targets.MOST_NAMED
        numbers = [*numbers[: targets.MOST_NAMED], f"{more} more"]
    return f"silences {join_words(numbers)} cover it"


def _at_ordinary_pace(plan: Plan, progress: Progress, now: datetime) -> Progress:
    if progress.due is None:
        return progress
    steps = plan.steps
    delay = steps[progress.step].delay if progress.step < len(steps) else plan.exhausted_after
    pace = delay or plan.exhausted_after
    return replace(progress, due=now + timedelta(seconds=pace), urgent=False)


def _skip(
    effects: Sequence[Effect],
    subject: AlertSubject,
    people: Directory,
    run: PlanRun,
    now: datetime,
) -> None:
    for effect in effects:
        if isinstance(effect, SkipStep):
            text = f"Skipped a step of the plan. {effect.why}"
            run.events.append(
                make_event(subject.id, EventKind.STEP_SKIPPED, text, now, data=run.at)
            )
            run.runs.append(StepRun(effect.step, skipped=effect.why, assignee_id=run.assignee_id))
        elif isinstance(effect, NobodyNotified):
            why = "No step of the plan applies"
            text = f"{why}, so nobody was notified."
            run.events.append(
                make_event(subject.id, EventKind.STEP_SKIPPED, text, now, data=run.at)
            )
            contacts = _fall_back(subject, people, run, effect.number, why, now)
            run.runs[-1] = replace(run.runs[-1], fallback=contacts)


def _perform(
    effect: Effect, subject: AlertSubject, people: Directory, run: PlanRun, now: datetime
) -> bool:
    """Carry out one effect; False if it should notify a person and nobody could be reached."""
    if isinstance(effect, Wait):
        until = f"{effect.until:%Y-%m-%d %H:%M} UTC"
        text = f"Nobody is on call. The plan waits for the next shift, at {until}."
        run.events.append(make_event(subject.id, EventKind.STEP_WAITS, text, now, data=run.at))
        run.runs.append(StepRun(effect.step, until=effect.until, assignee_id=run.assignee_id))
        return True
    if isinstance(effect, Exhaust):
        text = "Nobody reacted, and the escalation plan has come to its end."
        run.events.append(
            make_event(subject.id, EventKind.ESCALATION_EXHAUSTED, text, now, data=run.at)
        )
        last = _fall_back(subject, people, run, effect.number, "Nobody reacted", now)
        run.runs.append(StepRun(None, fallback=last, assignee_id=run.assignee_id))
        return True
    assert isinstance(effect, RunStep)  # _skip handles steps that do not run
    return _run_step(effect, subject, people, run, now)


def _run_step(
    effect: RunStep, subject: AlertSubject, people: Directory, run: PlanRun, now: datetime
) -> bool:
    """Notify the step's targets; False if they include people and nobody can be reached."""
    step = effect.step
    _replace_assignee(step, run, people, now)
    addresses = targets.find_addresses(step, run.assignee_id, people, now)
    recipients = addresses.recipients
    if step.kind is not NotificationKind.REMINDER:
        run.assignee_id = next((r.user_id for r in recipients if r.user_id), run.assignee_id)
    headline = _headline(effect, people.name(run.assignee_id))
    body = outbox_queue.build_message(subject, step.kind, headline, people.name(run.assignee_id))
    run.outbox += outbox_queue.build_rows(subject, recipients, body, effect.number, now)
    if recipients:
        names = ", ".join(dict.fromkeys(recipient.label for recipient in recipients))
        data = {**run.at, **targets.notified_facts(addresses.resolved)}
        text = f"{headline}: {names}"
        run.events.append(make_event(subject.id, _EVENT_OF[step.kind], text, now, data=data))
    contacts: tuple[Recipient, ...] = ()
    if addresses.unreached:
        why = "Nobody is on call" if addresses.off_call else "Nobody can be reached"
        text = f"{why}: {', '.join(addresses.unreached)}."
        run.events.append(make_event(subject.id, EventKind.NOBODY_ON_CALL, text, now, data=run.at))
        contacts = _fall_back(subject, people, run, effect.number, why, now)
    run.runs.append(StepRun(step, recipients, addresses.unreached, contacts, run.assignee_id))
    return not addresses.unreached


def _replace_assignee(step: PlanStep, run: PlanRun, people: Directory, now: datetime) -> None:
    """An assignee who has left is replaced by the person on call now."""
    to_assignee = any(target.kind is TargetKind.ASSIGNEE for target in step.targets)
    if to_assignee and not people.person(run.assignee_id):
        run.assignee_id = targets.find_stand_in(run.plan, people, now)


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
    subject: AlertSubject, people: Directory, run: PlanRun, number: int, why: str, now: datetime
) -> tuple[Recipient, ...]:
    """Notify the team's fallback contact and return the recipients."""
    contacts = people.fallback(subject.team_id)
    team = people.teams[subject.team_id]
    if not contacts and (team.fallback_user_id or team.fallback_channel_id):
        text = "Nobody can be reached: the team's fallback contact is no longer available."
        run.events.append(make_event(subject.id, EventKind.NOBODY_ON_CALL, text, now, data=run.at))
    if not contacts:
        return ()
    body = outbox_queue.build_message(
        subject, NotificationKind.FALLBACK, why, people.name(run.assignee_id)
    )
    run.outbox += outbox_queue.build_rows(subject, contacts, body, number, now)
    names = ", ".join(dict.fromkeys(contact.label for contact in contacts))
    text = f"Fallback contact notified: {names}."
    data = {**run.at, **targets.people_facts("fallback", contacts)}
    run.events.append(make_event(subject.id, EventKind.FALLBACK_NOTIFIED, text, now, data=data))
    return contacts
