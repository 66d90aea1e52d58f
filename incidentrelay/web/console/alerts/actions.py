"""The actions on an alert in the console: forms that end in a redirect."""

from typing import Any

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import user_lookup
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.web.console.components import available_actions
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.actions import action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.filters import clock
from incidentrelay.web.resources.alerts.alerts import AlertNode


def responding(name: str) -> action_view:
    return action_view(AlertNode, name, Permission.RESPOND)


@responding("acknowledge")
def acknowledge(context: AlertNode, request: Any) -> str:
    before = context.obj.status
    alert = alert_actions.acknowledge(
        request.db, context.obj, actor=actor(request), now=request.now
    )
    if before is AlertStatus.ACKNOWLEDGED:
        return "It was already acknowledged."
    return f"Acknowledged: {alert.title}. Nobody else is paged."


@responding("unacknowledge")
def unacknowledge(context: AlertNode, request: Any) -> str:
    alert_actions.unacknowledge(request.db, context.obj, actor=actor(request), now=request.now)
    return "Returned to the team. The escalation plan starts over."


@responding("resolve")
def resolve(context: AlertNode, request: Any) -> str:
    before = context.obj.status
    alert_actions.resolve(request.db, context.obj, actor=actor(request), now=request.now)
    return "It was already resolved." if before is AlertStatus.RESOLVED else "Resolved."


@responding("snooze")
def snooze(context: AlertNode, request: Any) -> str:
    zone = request.identity.zone
    until = available_actions.snooze_until(forms.text(request, "for"), zone, request.now)
    alert_actions.snooze(request.db, context.obj, until, actor=actor(request), now=request.now)
    return f"Quiet until {clock(until, zone, request.now)}. It pages again if it still fires then."


@responding("assign")
def assign(context: AlertNode, request: Any) -> str:
    username = forms.text(request, "username", 63)
    if not username:
        raise InvalidInput.of("username", "Choose somebody.")
    user = user_lookup.find_colleague(request.db, request.identity, username)
    alert_actions.assign(request.db, context.obj, user, actor=actor(request), now=request.now)
    return f"Assigned to {user.display_name}, who is paged now."


@responding("reassign-to-next")
def reassign_to_next(context: AlertNode, request: Any) -> str:
    user = alert_actions.reassign_to_next(
        request.db, context.obj, actor=actor(request), now=request.now
    )
    return f"Passed to {user.display_name}, who is paged now."


@responding("escalate")
def escalate(context: AlertNode, request: Any) -> str:
    alert_actions.escalate(request.db, context.obj, actor=actor(request), now=request.now)
    return "Escalated. The next step of the plan runs now."


@responding("comment")
def comment(context: AlertNode, request: Any) -> str:
    text = forms.text(request, "text")
    alert_actions.comment(request.db, context.obj, text, actor=actor(request), now=request.now)
    return "Comment added."
