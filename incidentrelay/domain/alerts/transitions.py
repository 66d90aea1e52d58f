"""Alert state changes caused by people and timers.

Sources change it in :mod:`incidentrelay.domain.intake.reducer`, by the same table.
"""

from collections.abc import Mapping
from enum import StrEnum

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import InvalidTransition


class Action(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    SNOOZE = "snooze"
    ASSIGN = "assign"
    REASSIGN = "reassign-to-next"
    ESCALATE = "escalate"


_FIRING, _ACKNOWLEDGED, _RESOLVED = AlertStatus

TRANSITIONS: Mapping[tuple[AlertStatus, Action], AlertStatus] = {
    (_FIRING, Action.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_FIRING, Action.UNACKNOWLEDGE): _FIRING,
    (_FIRING, Action.RESOLVE): _RESOLVED,
    (_FIRING, Action.SNOOZE): _FIRING,
    (_FIRING, Action.ASSIGN): _FIRING,
    (_FIRING, Action.REASSIGN): _FIRING,
    (_FIRING, Action.ESCALATE): _FIRING,
    (_ACKNOWLEDGED, Action.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.UNACKNOWLEDGE): _FIRING,
    (_ACKNOWLEDGED, Action.RESOLVE): _RESOLVED,
    (_ACKNOWLEDGED, Action.SNOOZE): _FIRING,
    (_ACKNOWLEDGED, Action.ASSIGN): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.REASSIGN): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.ESCALATE): _FIRING,
    (_RESOLVED, Action.RESOLVE): _RESOLVED,
    (_RESOLVED, Action.REOPEN): _FIRING,
}


def transition(status: AlertStatus, action: Action) -> AlertStatus:
    """The state after ``action``; raises InvalidTransition if it is not allowed."""
    try:
        return TRANSITIONS[status, action]
    except KeyError:
        raise InvalidTransition(status, action) from None
