"""Reassigns alerts to the next person in the rotation."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.domain.oncall.escalation_order import escalation_order, next_member
from incidentrelay.models import Alert, User
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.oncall import schedules

_TURNS = (TargetKind.ON_CALL, TargetKind.NEXT_MEMBER)


def find_rotations(alert: Alert) -> int | None:
    """The rotation used to reassign an alert: the first one in its plan."""
    if not alert.plan:
        return None
    targets = (target for step in Plan.from_json(alert.plan).steps for target in step.targets)
    return next((target.id for target in targets if target.kind in _TURNS), None)


def find_next_people(session: Session, alerts: Sequence[Alert], now: datetime) -> dict[int, User]:
    """Finds the person after each alert's assignee, by alert id.

    Alerts without a next person are omitted; :func:`why_nobody` says why.
    """
    rotations = {alert.id: find_rotations(alert) for alert in alerts}
    wanted = {rotation_id for rotation_id in rotations.values() if rotation_id is not None}
    loaded = schedules.load_schedules(session, wanted)
    orders = {
        rotation_id: escalation_order(schedule, now) for rotation_id, schedule in loaded.items()
    }
    following: dict[int, int] = {}
    for alert in alerts:
        user_id = next_member(orders.get(rotations[alert.id] or 0, ()), alert.assignee_id)
        if user_id is not None and user_id != alert.assignee_id:
            following[alert.id] = user_id
    query = select(User).where(User.id.in_(following.values()))
    users = {user.id: user for user in session.scalars(query)} if following else {}
    return {alert_id: users[user_id] for alert_id, user_id in following.items()}


def why_nobody(alert: Alert) -> str:
    """Explains why no one is next for the alert."""
    if find_rotations(alert) is None:
        return "This alert's plan has no rotation, so there is no next person."
    return "No one else is active in this alert's rotation."


def reassign_to_next(
    session: Session,
    alerts: Sequence[Alert],
    following: Mapping[int, User],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Assign each (locked) alert to its next person and page them."""
    shares: dict[int, list[Alert]] = defaultdict(list)
    for alert in alerts:
        shares[following[alert.id].id].append(alert)
    for share in shares.values():
        user = following[share[0].id]
        alert_transitions.assign(session, share, user, actor=actor, now=now, done="Passed")
