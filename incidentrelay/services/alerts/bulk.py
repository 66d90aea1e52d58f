"""Runs one action on many alerts in one transaction, with an outcome for each.

Alerts the person may not see are "not found". Alerts they may only view, and those
whose state forbids the action, are refused. The rest go ahead.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.alerts.transitions import Action, transition
from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.errors import InvalidInput, InvalidTransition
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, GroupMember, User
from incidentrelay.services.access.visibility import Memberships, scope, team_ids
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import reassign
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.alerts.scan import scan_alerts

MAX_ALERTS = 500


class BulkAction(StrEnum):
    """The actions, named as in their URLs."""

    ACK = "ack"
    UNACK = "unack"
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    ASSIGN = "assign"
    REASSIGN = "reassign-to-next"
    ESCALATE = "escalate"
    COMMENT = "comment"


class BulkOutcome(StrEnum):
    """``unchanged``: the alert was already in that state."""

    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """The action: ``until`` is for snooze, ``user`` for assign, ``text`` for comment."""

    action: BulkAction
    until: datetime | None = None
    user: User | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """``reason`` is a sentence if nothing was done, otherwise empty."""

    id: int
    outcome: BulkOutcome
    reason: str = ""


_ACTIONS: Mapping[BulkAction, Action] = {
    BulkAction.ACK: Action.ACKNOWLEDGE,
    BulkAction.UNACK: Action.UNACKNOWLEDGE,
    BulkAction.RESOLVE: Action.RESOLVE,
    BulkAction.SNOOZE: Action.SNOOZE,
    BulkAction.ASSIGN: Action.ASSIGN,
    BulkAction.REASSIGN: Action.REASSIGN,
    BulkAction.ESCALATE: Action.ESCALATE,
}
_ALREADY: Mapping[BulkAction, str] = {
    BulkAction.ACK: "It was already acknowledged.",
    BulkAction.UNACK: "It is firing already.",
    BulkAction.RESOLVE: "It was already resolved.",
}
_NOT_FOUND = "There is no such alert."
_MAY_NOT = "You may not respond to this alert."
_OUTSIDER = "Only an active member of the group can be assigned."


def find_alerts(
    session: Session, memberships: Memberships, wanted: Mapping[str, Any]
) -> tuple[list[int], bool]:
    """The newest alerts that match, at most MAX_ALERTS, and whether there are more.

    ``wanted`` is as for :func:`alert_search.build_search`.
    """
    teams = team_ids(memberships, Permission.VIEW)
    search = alert_search.build_search(session, teams, wanted)
    found = scan_alerts(session, search, limit=MAX_ALERTS)
    return list(found.ids), found.resume is not None


def perform_bulk(
    session: Session,
    order: BulkOrder,
    alert_ids: Collection[int],
    memberships: Memberships,
    *,
    actor: Actor,
    now: datetime,
) -> list[BulkResult]:
    """Apply the action to each alert that allows it; one result per id, in order.

    Raises InvalidInput for an action that no alert could accept.
    """
    _check(order, alert_ids, now)
    visible_ids = _granted(session, alert_ids, memberships, Permission.VIEW)
    may = _granted(session, visible_ids, memberships, Permission.RESPOND)
    results = {
        alert_id: BulkResult(alert_id, BulkOutcome.NOT_FOUND, _NOT_FOUND) for alert_id in alert_ids
    }
    results |= {each: BulkResult(each, BulkOutcome.REFUSED, _MAY_NOT) for each in visible_ids - may}
    groups = _groups_of(session, order.user)
    able: list[Alert] = []
    for alert in alert_transitions.lock_alerts(session, sorted(may)):
        results[alert.id] = result = _judge(order, alert, groups)
        if result.outcome is BulkOutcome.DONE:
            able.append(alert)
    if order.action is BulkAction.REASSIGN:
        results |= _reassign(session, able, actor, now)
    elif able:
        _do(session, order, able, actor, now)
    return [results[alert_id] for alert_id in dict.fromkeys(alert_ids)]


def _check(order: BulkOrder, alert_ids: Collection[int], now: datetime) -> None:
    if not 1 <= len(alert_ids) <= MAX_ALERTS:
        raise InvalidInput.of("ids", f"Choose 1 to {MAX_ALERTS} alerts.")
    if order.action is BulkAction.SNOOZE:
        if order.until is None:
            raise InvalidInput.of("until", "Say until when.")
        alert_actions.check_snooze(order.until, now)
    if order.action is BulkAction.ASSIGN and order.user is None:
        raise InvalidInput.of("username", "Say to whom.")
    if order.action is BulkAction.COMMENT:
        alert_actions.clean_comment(order.text)


def _granted(
    session: Session, ids: Collection[int], memberships: Memberships, permission: Permission
) -> set[int]:
    if not ids:
        return set()
    query = select(Alert.id).where(Alert.id.in_(ids))
    return set(session.scalars(scope(query, Alert, memberships, permission)))


def _groups_of(session: Session, user: User | None) -> set[int] | None:
    """The groups whose alerts ``user`` can be assigned to; None means all."""
    if user is None or (user.active and user.is_admin):
        return None
    query = select(GroupMember.group_id).where(GroupMember.user_id == user.id)
    return set(session.scalars(query)) if user.active else set()


def _judge(order: BulkOrder, alert: Alert, groups: set[int] | None) -> BulkResult:
    action = _ACTIONS.get(order.action)
    if action is not None:
        try:
            after = transition(alert.status, action)
        except InvalidTransition as error:
            return BulkResult(alert.id, BulkOutcome.REFUSED, error.message)
        if order.action in _ALREADY and after is alert.status:
            return BulkResult(alert.id, BulkOutcome.UNCHANGED, _ALREADY[order.action])
    if groups is not None and alert.team.group_id not in groups:
        return BulkResult(alert.id, BulkOutcome.REFUSED, _OUTSIDER)
    return BulkResult(alert.id, BulkOutcome.DONE)


def _reassign(
    session: Session, alerts: Sequence[Alert], actor: Actor, now: datetime
) -> dict[int, BulkResult]:
    """Reassign the alerts that have a next person; refuse the others."""
    following = reassign.find_next_people(session, alerts, now)
    able = [alert for alert in alerts if alert.id in following]
    reassign.reassign_to_next(session, able, following, actor=actor, now=now)
    return {
        alert.id: BulkResult(alert.id, BulkOutcome.REFUSED, reassign.why_nobody(alert))
        for alert in alerts
        if alert.id not in following
    }


def _do(
    session: Session, order: BulkOrder, able: Sequence[Alert], actor: Actor, now: datetime
) -> None:
    match order:
        case BulkOrder(BulkAction.ACK):
            alert_transitions.acknowledge(session, able, actor=actor, now=now)
        case BulkOrder(BulkAction.UNACK):
            alert_transitions.unacknowledge(session, able, actor=actor, now=now)
        case BulkOrder(BulkAction.RESOLVE):
            alert_transitions.resolve(
                session, able, f"Resolved by {actor.name}", actor=actor, now=now
            )
        case BulkOrder(BulkAction.SNOOZE, until=datetime() as until):
            alert_transitions.snooze(session, able, until, actor=actor, now=now)
        case BulkOrder(BulkAction.ASSIGN, user=User() as user):
            alert_transitions.assign(session, able, user, actor=actor, now=now)
        case BulkOrder(BulkAction.ESCALATE):
            alert_transitions.escalate(session, able, actor=actor, now=now)
        case BulkOrder(BulkAction.COMMENT):
            text = alert_actions.clean_comment(order.text)
            alert_transitions.add_note(
                session, able, EventKind.COMMENTED, text, actor=actor, now=now
            )
