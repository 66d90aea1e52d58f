"""Runs escalation plans as pure computation on a directory, without a session."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.escalation.plan import Plan, Progress
from incidentrelay.domain.silences.coverage import SilenceCoverage
from incidentrelay.domain.text import join_words
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.escalation.plan_course import (
    PagedAlert,
    PlanCourse,
    StepRun,
    follow_plan,
)
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox.queue import AlertSubject
from incidentrelay.services.recipients import targets
from incidentrelay.services.recipients.directory import Directory

SILENCE = "silence"


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
    return run_plans([subject], plan, progress, people, now)[subject.id]


def run_plans(
    subjects: Iterable[AlertSubject],
    plan: Plan,
    progress: Progress,
    people: Directory,
    now: datetime,
) -> dict[int, PlanRun]:
    """Run ``plan`` for several alerts that stand at the same place, by alert id."""
    courses: dict[PagedAlert, PlanCourse] = {}
    runs: dict[int, PlanRun] = {}
    for subject in subjects:
        cover = people.coverage(subject.team_id, subject.signal_labels, now)
        if cover is not None:
            runs[subject.id] = _keep_quiet(subject, plan, progress, cover, now)
            continue
        alert = PagedAlert(subject.team_id, subject.severity, subject.assignee_id)
        course = courses.get(alert)
        if course is None:
            own = people.about(subject.severity).in_team(subject.team_id)
            course = courses[alert] = follow_plan(alert, plan, progress, own, now)
        runs[subject.id] = _write_down(course, subject, now)
    return runs


def _keep_quiet(
    subject: AlertSubject, plan: Plan, progress: Progress, cover: SilenceCoverage, now: datetime
) -> PlanRun:
    text = f"Quiet: {covering_silences(cover)} until {cover.end:%Y-%m-%d %H:%M} UTC."
    data = {"silences": list(cover.ids[: targets.MOST_NAMED]), "until": cover.end.isoformat()}
    return PlanRun(
        plan,
        replace(progress, due=cover.end),
        subject.assignee_id,
        quiet_until=cover.end,
        quiet_reason=SILENCE,
        cover=cover,
        events=[make_event(subject.id, EventKind.SILENCED, text, now, data=data)],
    )


def _write_down(course: PlanCourse, subject: AlertSubject, now: datetime) -> PlanRun:
    run = PlanRun(
        course.plan,
        course.progress,
        course.assignee_id,
        course.assignee,
        events=[
            make_event(subject.id, line.kind, line.text, now, data=line.data)
            for line in course.lines
        ],
        runs=course.runs,
        at=course.at,
    )
    for page in course.pages:
        body = outbox_queue.build_message(subject, page.kind, page.headline, page.assignee)
        run.outbox += outbox_queue.build_rows(subject, page.recipients, body, page.number, now)
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
