"""What will happen to an alert if nobody reacts: its plan, played ahead without writing."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from incidentrelay.domain import escalation
from incidentrelay.domain.enums import AlertStatus, EventKind, NotificationKind
from incidentrelay.domain.escalation import Plan, Progress
from incidentrelay.models import Alert
from incidentrelay.services import directory as directories
from incidentrelay.services import escalations
from incidentrelay.services.directory import Directory
from incidentrelay.services.notifications import Subject
from incidentrelay.services.plans import SILENCE, Play, play

MOST_STEPS = 4

_VERBS: Mapping[NotificationKind, str] = {
    NotificationKind.PAGE: "page",
    NotificationKind.REMINDER: "remind",
    NotificationKind.ESCALATION: "escalate to",
    NotificationKind.FALLBACK: "tell the fallback contact,",
}
_REMARKS: Mapping[EventKind, str] = {
    EventKind.NOBODY_ON_CALL: "nobody is on call",
    EventKind.ESCALATION_EXHAUSTED: "the plan ends",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """``text`` goes on after a time: "remind Anna Larsen"."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """How an alert goes on: first ``before``, then its plan from ``progress``.

    ``before`` is what has to pass before the plan may run; ``progress`` None: the
    plan does not run by itself.
    """

    before: Planned | None = None
    progress: Progress | None = None


def outlook(alert: Alert) -> Outlook:
    """How the alert goes on from its present state."""
    if not alert.plan or alert.status is AlertStatus.RESOLVED:
        return Outlook()
    if alert.status is AlertStatus.ACKNOWLEDGED:
        again = "the acknowledgement runs out, and the plan starts again"
        return Outlook(Planned(alert.wake_at, again) if alert.wake_at else None)
    if alert.quiet_until is None:
        return Outlook(progress=Progress.from_json(alert.progress))
    over = "silence" if alert.quiet_reason == SILENCE else "snooze"
    before = Planned(alert.quiet_until, f"the {over} is over, and the plan starts again")
    return Outlook(before, escalation.start(Plan.from_json(alert.plan), alert.quiet_until))


def planned(session: Session, alert: Alert, now: datetime) -> list[Planned]:
    """The next steps, soonest first. The alert has its team loaded.

    Steps that reach nobody at all are left out. A number of statements that does not
    depend on the plan's length.
    """
    ahead = outlook(alert)
    steps = [ahead.before] if ahead.before else []
    if ahead.progress is None:
        return steps
    plan = Plan.from_json(alert.plan)
    people = directories.load(
        session, [plan], {alert.team_id}, now=now, user_ids=[alert.assignee_id]
    )
    # A silence that covers the alert now has ended by the time that is played here.
    people = replace(people, silences={})
    subject = escalations.subject_of(alert)
    plays = play_ahead(subject, plan, ahead.progress, lambda _: people, now)
    for at, made in islice(plays, MOST_STEPS - len(steps)):
        text = _text(made, people)
        if text:
            steps.append(Planned(at, text))
    return steps


def play_ahead(
    subject: Subject,
    plan: Plan,
    progress: Progress,
    people_at: Callable[[datetime], Directory],
    now: datetime,
) -> Iterator[tuple[datetime, Play]]:
    """Each time at which the plan runs if nobody reacts, and what happens then.

    ``people_at`` gives the directory of an instant. Where a silence of that instant
    covers the alert, the plan starts again at its end. Without end for a plan that
    has none.
    """
    while progress.due is not None:
        at = max(progress.due, now)
        made = play(subject, plan, progress, people_at(at), at)
        yield at, made
        subject, progress = replace(subject, assignee_id=made.assignee_id), going_on(made)


def going_on(made: Play) -> Progress:
    """The progress from which a plan goes on by itself after ``made``."""
    if made.quiet_until is not None:
        return escalation.start(made.plan, made.quiet_until)
    return made.progress


def _text(made: Play, people: Directory) -> str:
    remarks = [_REMARKS[event["kind"]] for event in made.events if event["kind"] in _REMARKS]
    told: dict[NotificationKind, dict[str, None]] = defaultdict(dict)
    for row in made.outbox:
        told[row["kind"]][_name(row, people)] = None
    actions = [f"{_VERBS[kind]} {_listed(list(names))}" for kind, names in told.items()]
    return "; ".join([*dict.fromkeys(remarks), *actions])


def _name(row: Mapping[str, Any], people: Directory) -> str:
    if row["user_id"] is not None:
        return people.users[row["user_id"]].display_name
    return people.channels[row["channel_id"]].name


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
