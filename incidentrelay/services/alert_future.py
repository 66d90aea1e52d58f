"""What will happen to an alert if nobody reacts: its plan, played ahead without writing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from incidentrelay.domain import escalation
from incidentrelay.domain.enums import AlertStatus, EventKind, NotificationKind
from incidentrelay.domain.escalation import Plan, Progress
from incidentrelay.models import Alert
from incidentrelay.services import directory as directories
from incidentrelay.services import escalations
from incidentrelay.services.directory import Directory
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


def planned(session: Session, alert: Alert, now: datetime) -> list[Planned]:
    """The next steps, soonest first. The alert has its team loaded.

    Steps that reach nobody at all are left out. A number of statements that does not
    depend on the plan's length.
    """
    if not alert.plan or alert.status is AlertStatus.RESOLVED:
        return []
    if alert.status is AlertStatus.ACKNOWLEDGED:
        again = "the acknowledgement runs out, and the plan starts again"
        return [Planned(alert.wake_at, again)] if alert.wake_at else []
    plan, progress = Plan.from_json(alert.plan), Progress.from_json(alert.progress)
    steps = []
    if alert.quiet_until is not None:
        over = "silence" if alert.quiet_reason == SILENCE else "snooze"
        steps.append(Planned(alert.quiet_until, f"the {over} is over, and the plan starts again"))
        progress = escalation.start(plan, alert.quiet_until)
    people = directories.load(
        session, [plan], {alert.team_id}, now=now, user_ids=[alert.assignee_id]
    )
    # A silence that covers the alert now has ended by the time that is played here.
    people = replace(people, silences={})
    return steps + _play_ahead(alert, plan, progress, people, now, MOST_STEPS - len(steps))


def _play_ahead(
    alert: Alert, plan: Plan, progress: Progress, people: Directory, now: datetime, most: int
) -> list[Planned]:
    subject = escalations.subject_of(alert)
    steps: list[Planned] = []
    for _ in range(most):
        if progress.due is None:
            break
        at = max(progress.due, now)
        made = play(subject, plan, progress, people, at)
        text = _text(made, people)
        if text:
            steps.append(Planned(at, text))
        subject, progress = replace(subject, assignee_id=made.assignee_id), made.progress
    return steps


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
