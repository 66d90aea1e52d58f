"""The facts that the conditions of a step are checked against, from a directory."""

from datetime import datetime, timedelta

from incidentrelay.domain.enums import Severity, TargetKind
from incidentrelay.domain.escalation.conditions import Facts
from incidentrelay.domain.escalation.plan import Plan, Progress
from incidentrelay.domain.oncall.shifts import shifts
from incidentrelay.services.recipients.directory import Directory


def plan_facts(
    severity: Severity, plan: Plan, progress: Progress, people: Directory, now: datetime
) -> Facts:
    """The facts of the step that is next."""
    if progress.step >= len(plan.steps):
        return Facts(severity)
    step = plan.steps[progress.step]
    if not step.conditions.wait:
        return Facts(severity)
    rotations = [target.id for target in step.targets if target.kind is TargetKind.ON_CALL]
    since = progress.waiting or now
    end = since + timedelta(seconds=step.conditions.wait)
    starts = [_somebody_from(rotation_id, people, now, end) for rotation_id in rotations]
    soonest = min((start for start in starts if start is not None), default=None)
    absent = bool(rotations) and (soonest is None or soonest > now)
    return Facts(severity, absent, soonest if absent else None)


def _somebody_from(
    rotation_id: int | None, people: Directory, now: datetime, end: datetime
) -> datetime | None:
    """The first time from ``now`` to ``end`` at which somebody reachable is on call."""
    schedule = people.schedules.get(rotation_id) if rotation_id is not None else None
    if schedule is None:
        return None
    # The end itself counts: a shift that starts just then is in time.
    ahead = shifts(schedule, now, max(now, end) + timedelta(microseconds=1))
    return next((shift.start for shift in ahead if people.person(shift.user_id)), None)
