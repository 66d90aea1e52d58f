"""The page behind the signed links in messages: one person, one alert, no sign-in.

Opening the page changes nothing, because mail scanners open every link. Pressing a button acts
as the person the link was signed for. The URL itself is the authority, so the form needs no
CSRF token: anyone who could forge it could press the button.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.alerts.transitions import Action
from incidentrelay.domain.errors import InvalidInput, InvalidTransition, NotAllowed
from incidentrelay.models import Alert, User
from incidentrelay.services.access import action_links
from incidentrelay.services.alerts import action_page
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import detail_queries as alert_detail
from incidentrelay.web.console.components import available_actions
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.filters import clock
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.root import Root

SNOOZE = timedelta(minutes=30)
_GONE = 410


@dataclass(frozen=True, slots=True)
class ActionLinkAlert:
    title: str
    severity: str
    status: str
    team_name: str
    opened_at: datetime
    description: str


@dataclass(frozen=True, slots=True)
class ActionLinkButton:
    name: str
    label: str
    primary: bool


@console_view(
    context=Root,
    name="act",
    permission=NO_PERMISSION_REQUIRED,
    template="alerts/action_link.jinja2",
    subpath=True,
)
def show(_context: Root, request: Any) -> dict[str, Any]:
    _headers(request.response)
    try:
        user, alert = _open(request)
    except NotAllowed as error:
        return _refused(request, error)
    return {
        "alert": _subject(alert),
        "person_name": user.display_name,
        "zone": user.zone,
        "done": alert_detail.pending_end(request.db, alert),
        "actions": _buttons(alert),
        "token_expired": False,
        "message": _message(alert, user, request.now),
    }


@console_view(
    context=Root,
    name="act",
    method="POST",
    permission=NO_PERMISSION_REQUIRED,
    template="alerts/action_link.jinja2",
    subpath=True,
    csrf=False,
)
def act(_context: Root, request: Any) -> Any:
    try:
        user, alert = _open(request)
        _perform(request, alert, user)
    except InvalidTransition:
        # Somebody else was faster; the page shows who did what.
        request.tm.doom()
    except NotAllowed as error:
        _headers(request.response)
        return _refused(request, error)
    answer = see_other(request, request.path)
    _headers(answer)
    return answer


def _open(request: Any) -> tuple[User, Alert]:
    if len(request.subpath) != 1:
        raise HTTPNotFound
    lifetime = timedelta(seconds=request.registry["settings"].act_link_lifetime)
    key = request.registry["links"].act_key
    link = action_links.read_act(key, request.subpath[0], request.now, lifetime)
    return action_page.open_action_link(request.db, link)


def _snooze(session: Any, alert: Alert, *, actor: Actor, now: datetime) -> Alert:
    return alert_actions.snooze(session, alert, now + SNOOZE, actor=actor, now=now)


_ACTIONS: Mapping[Action, tuple[str, Callable[..., Alert]]] = {
    Action.ACKNOWLEDGE: ("Acknowledge", alert_actions.acknowledge),
    Action.RESOLVE: ("Resolve", alert_actions.resolve),
    Action.SNOOZE: ("Snooze for 30 minutes", _snooze),
    Action.ESCALATE: ("I can't: page the next person", alert_actions.escalate),
}


def _perform(request: Any, alert: Alert, user: User) -> None:
    name = forms.text(request, "action", 20)
    if name not in set(_ACTIONS):
        raise InvalidInput.of("action", "This button does not exist.")
    actor = Actor(
        name=user.username,
        via="link",
        user_id=user.id,
        is_admin=user.is_admin,
        request_id=request.id,
    )
    _ACTIONS[Action(name)][1](request.db, alert, actor=actor, now=request.now)


def _buttons(alert: Alert) -> list[ActionLinkButton]:
    """The actions that would change something; the first is the large button."""
    names = [name for name in _ACTIONS if available_actions.useful(alert.status, name)]
    return [
        ActionLinkButton(name, _ACTIONS[name][0], place == 0) for place, name in enumerate(names)
    ]


def _message(alert: Alert, user: User, now: datetime) -> str | None:
    if alert.quiet_until is not None:
        return f"Quiet until {clock(alert.quiet_until, user.zone, now)}."
    if alert.assignee is not None and alert.assignee.id != user.id and not alert.resolved_at:
        return f"Assigned to {alert.assignee.display_name}."
    return None


def _subject(alert: Alert) -> ActionLinkAlert:
    return ActionLinkAlert(
        title=alert.title,
        severity=alert.severity,
        status=alert.status,
        team_name=alert.team.name,
        opened_at=alert.opened_at,
        description=alert.description,
    )


def _refused(request: Any, error: NotAllowed) -> dict[str, Any]:
    request.response.status_int = _GONE
    return {
        "alert": None,
        "person_name": "",
        "done": None,
        "actions": (),
        "token_expired": True,
        "message": error.message,
    }


def _headers(response: Any) -> None:
    """The URL is a key: keep it out of other sites' logs and out of caches."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
