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

    ``unreached`` says why people could not be reached, and ``fallback`` are the team's
    contacts that were notified instead. A step that did not run was ``skipped`` (why), or
    waits ``until`` somebody is on call.
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
    """What running a plan changed: the alert's new values, and what is to be written.

    ``runs`` are the steps that ran, in their order. ``at`` is where the plan stands, as
    its events keep it.
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
    """Run what is due of ``plan``, unless a silence covers the alert."""
    made = PlanRun(plan, progress, subject.assignee_id)
    people = people.about(subject.severity).in_team(subject.team_id)
    cover = people.coverage(subject.team_id, subject.signal_labels, now)
    if cover is not None:
        made.progress = replace(progress, due=cover.end)
        made.quiet_until, made.quiet_reason, made.cover = cover.end, SILENCE, cover
        text = f"Quiet: {covering_silences(cover)} until {cover.end:%Y-%m-%d %H:%M} UTC."
        data = {"silences": list(cover.ids[: targets.MOST_NAMED]), "until": cover.end.isoformat()}
        made.events.append(make_event(subject.id, EventKind.SILENCED, text, now, data=data))
        return made
    # One hop for each step at most: a plan in which nobody is ever there ends here
    # and continues with its ordinary delay.
    for _ in range(len(plan.steps) + 1):
        facts = plan_facts(subject, plan, made.progress, people, now)
        decision = engine.decide(plan, made.progress, now, facts)
        made.at = targets.step_facts(plan, made.progress)
        made.progress = decision.progress
        if not decision.effects:
            break
        if isinstance(decision.effects[0], SkipStep):
            _skip(decision.effects, subject, people, made, now)
            continue
        if all(_perform(effect, subject, people, made, now) for effect in decision.effects):
            break
        made.progress = engine.advance_now(plan, made.progress, now)
    else:
        made.progress = _at_ordinary_pace(plan, made.progress, now)
    made.assignee = people.name(made.assignee_id)
    return made


def covering_silences(cover: SilenceCoverage) -> str:
    """Which silences keep an alert quiet, as a part of a sentence."""
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
    made: PlanRun,
    now: datetime,
) -> None:
    for effect in effects:
        if isinstance(effect, SkipStep):
            text = f"Skipped a step of the plan. {effect.why}"
            made.events.append(
                make_event(subject.id, EventKind.STEP_SKIPPED, text, now, data=made.at)
            )
            made.runs.append(StepRun(effect.step, skipped=effect.why, assignee_id=made.assignee_id))
        elif isinstance(effect, NobodyNotified):
            why = "No step of the plan applies"
            text = f"{why}, so nobody was notified."
            made.events.append(
                make_event(subject.id, EventKind.STEP_SKIPPED, text, now, data=made.at)
            )
            contacts = _fall_back(subject, people, made, effect.number, why, now)
            made.runs[-1] = replace(made.runs[-1], fallback=contacts)


def _perform(
    effect: Effect, subject: AlertSubject, people: Directory, made: PlanRun, now: datetime
) -> bool:
    """Write down one effect; False where a person was wanted and nobody was there."""
    if isinstance(effect, Wait):
        until = f"{effect.until:%Y-%m-%d %H:%M} UTC"
        text = f"Nobody is on call. The plan waits for the next shift, at {until}."
        made.events.append(make_event(subject.id, EventKind.STEP_WAITS, text, now, data=made.at))
        made.runs.append(StepRun(effect.step, until=effect.until, assignee_id=made.assignee_id))
        return True
    if isinstance(effect, Exhaust):
        text = "Nobody reacted, and the escalation plan has come to its end."
        made.events.append(
            make_event(subject.id, EventKind.ESCALATION_EXHAUSTED, text, now, data=made.at)
        )
        last = _fall_back(subject, people, made, effect.number, "Nobody reacted", now)
        made.runs.append(StepRun(None, fallback=last, assignee_id=made.assignee_id))
        return True
    assert isinstance(effect, RunStep)  # _skip handles steps that do not run
    return _run_step(effect, subject, people, made, now)


def _run_step(
    effect: RunStep, subject: AlertSubject, people: Directory, made: PlanRun, now: datetime
) -> bool:
    """Notify the step's targets; False if a person was wanted and nobody can be reached."""
    step = effect.step
    _replace_assignee(step, made, people, now)
    addresses = targets.find_addresses(step, made.assignee_id, people, now)
    recipients = addresses.recipients
    if step.kind is not NotificationKind.REMINDER:
        made.assignee_id = next((r.user_id for r in recipients if r.user_id), made.assignee_id)
    headline = _headline(effect, people.name(made.assignee_id))
    body = outbox_queue.build_message(subject, step.kind, headline, people.name(made.assignee_id))
    made.outbox += outbox_queue.build_rows(subject, recipients, body, effect.number, now)
    if recipients:
        names = ", ".join(dict.fromkeys(recipient.label for recipient in recipients))
        data = {**made.at, **targets.notified_facts(addresses.resolved)}
        text = f"{headline}: {names}"
        made.events.append(make_event(subject.id, _EVENT_OF[step.kind], text, now, data=data))
    contacts: tuple[Recipient, ...] = ()
    if addresses.unreached:
        why = "Nobody is on call" if addresses.off_call else "Nobody can be reached"
        text = f"{why}: {', '.join(addresses.unreached)}."
        made.events.append(
            make_event(subject.id, EventKind.NOBODY_ON_CALL, text, now, data=made.at)
        )
        contacts = _fall_back(subject, people, made, effect.number, why, now)
    made.runs.append(StepRun(step, recipients, addresses.unreached, contacts, made.assignee_id))
    return not addresses.unreached


def _replace_assignee(step: PlanStep, made: PlanRun, people: Directory, now: datetime) -> None:
    """An assignee who has left is replaced by the person on call now."""
    to_assignee = any(target.kind is TargetKind.ASSIGNEE for target in step.targets)
    if to_assignee and not people.person(made.assignee_id):
        made.assignee_id = targets.find_stand_in(made.plan, people, now)


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
    subject: AlertSubject, people: Directory, made: PlanRun, number: int, why: str, now: datetime
) -> tuple[Recipient, ...]:
    """Notify the team's fallback contact, and return who that is."""
    contacts = people.fallback(subject.team_id)
    team = people.teams[subject.team_id]
    if not contacts and (team.fallback_user_id or team.fallback_channel_id):
        text = "Nobody can be reached: the team's fallback contact is no longer available."
        made.events.append(
            make_event(subject.id, EventKind.NOBODY_ON_CALL, text, now, data=made.at)
        )
    if not contacts:
        return ()
    body = outbox_queue.build_message(
        subject, NotificationKind.FALLBACK, why, people.name(made.assignee_id)
    )
    made.outbox += outbox_queue.build_rows(subject, contacts, body, number, now)
    names = ", ".join(dict.fromkeys(contact.label for contact in contacts))
    text = f"Fallback contact notified: {names}."
    data = {**made.at, **targets.people_facts("fallback", contacts)}
    made.events.append(make_event(subject.id, EventKind.FALLBACK_NOTIFIED, text, now, data=data))
    return contacts
