"""The actions that an alert's page offers, and the fields of their forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from incidentrelay.domain.alerts.transitions import TRANSITIONS, Action
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import instant_of, wall_of, zone_of
from incidentrelay.models import User
from incidentrelay.services.alerts.reassign import find_rotations
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.alerts.alerts import AlertNode

MORNING = "morning"
_MORNING_AT = time(9)
SNOOZES = (
    ("30", "30 minutes"),
    ("60", "1 hour"),
    ("240", "4 hours"),
    (MORNING, "until 09:00"),
)
COMMENT = "comment"
_LABELS = (
    (Action.ACKNOWLEDGE, "Acknowledge"),
    (Action.RESOLVE, "Resolve"),
    (Action.UNACKNOWLEDGE, "Return to the team"),
    (Action.ESCALATE, "Escalate now"),
    (Action.REASSIGN, "Pass to the next person"),
    (Action.SNOOZE, "Snooze"),
    (Action.ASSIGN, "Assign"),
)


@dataclass(frozen=True, slots=True)
class ActionField:
    name: str
    label: str
    kind: str
    choices: Sequence[tuple[str, str]] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class AvailableAction:
    name: str
    label: str
    url: str
    primary: bool
    fields: tuple[ActionField, ...] = ()


def list_actions(context: AlertNode, request: Any, people: Sequence[User]) -> list[AvailableAction]:
    """The actions that fit the alert's status, the most common first."""
    alert, url = context.obj, console_url(request, context)
    names = [(action, label) for action, label in _LABELS if useful(alert.status, action)]
    if find_rotations(alert) is None:
        names = [(action, label) for action, label in names if action is not Action.REASSIGN]
    primary = names[0][0] if names else None
    fields = {
        Action.SNOOZE: (ActionField("for", "For how long", "select", SNOOZES),),
        Action.ASSIGN: (_assignee(people, request.identity.username),),
    }
    actions = [
        AvailableAction(action, label, f"{url}/{action}", action is primary, fields.get(action, ()))
        for action, label in names
    ]
    text = ActionField("text", "Comment", "textarea")
    return [*actions, AvailableAction(COMMENT, "Comment", f"{url}/{COMMENT}", False, (text,))]


def useful(status: AlertStatus, action: Action) -> bool:
    """Whether the action is possible and changes something."""
    if action in {Action.ACKNOWLEDGE, Action.UNACKNOWLEDGE, Action.RESOLVE}:
        return TRANSITIONS.get((status, action), status) is not status
    return (status, action) in TRANSITIONS


def _assignee(people: Sequence[User], username: str) -> ActionField:
    choices = [(user.username, user.display_name) for user in people]
    if username not in dict(choices):
        username = ""
    return ActionField("username", "To whom", "select", choices, username)


def snooze_until(choice: str, zone: str, now: datetime) -> datetime:
    """The end of a snooze; raises InvalidInput for other choices."""
    if choice == MORNING:
        return next_morning(zone, now)
    if choice not in dict(SNOOZES):
        raise InvalidInput.of("for", "Choose a duration.")
    return now + timedelta(minutes=int(choice))


def next_morning(zone: str, now: datetime) -> datetime:
    """The next 09:00 local time in ``zone``."""
    place = zone_of(zone)
    today = wall_of(now, place).date()
    first = instant_of(datetime.combine(today, _MORNING_AT), place)
    if first > now:
        return first
    return instant_of(datetime.combine(today + timedelta(days=1), _MORNING_AT), place)
