"""The list of alerts, and the page of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import is_line, shown_text
from incidentrelay.models import Alert, Event, Notification, User
from incidentrelay.services.alerts import detail_queries as alert_detail
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.alerts import upcoming
from incidentrelay.services.alerts.list_queries import AlertCounts, AlertFilter, AlertPage
from incidentrelay.services.alerts.upcoming import PlannedStep
from incidentrelay.services.common import limits
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.simulation import history as alert_history
from incidentrelay.services.simulation import wording as explanation_wording
from incidentrelay.services.simulation.wording import ReasonReader
from incidentrelay.web.console.components import (
    alert_card,
    available_actions,
    silence_card,
    timeline_view,
)
from incidentrelay.web.console.components.alert_card import AlertCard
from incidentrelay.web.console.components.available_actions import AvailableAction
from incidentrelay.web.console.components.timeline_view import (
    AlertView,
    NotificationView,
    SignalRow,
)
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.team_choice import team_names
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.alerts.alerts import AlertNode, Alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow(AlertCard):
    """One alert of the list. ``ack_url`` is None unless the reader may acknowledge it.

    ``may_tick``: bulk actions apply to it.
    """

    url: str
    may_tick: bool
    ack_url: str | None


@console_view(
    context=Alerts,
    permission=Permission.VIEW,
    template="alerts/index.jinja2",
    fragment="alerts/_list.jinja2",
)
def index(context: Alerts, request: Any) -> dict[str, Any]:
    wanted, error = _filter(request.GET), ""
    try:
        found = alert_list.list_alerts(request.db, request.identity, wanted)
    except BadMatchers as bad:
        found, error = AlertPage((), {}, AlertCounts(), None), " ".join(bad.errors["q"])
    return {
        "alerts": [_row(context, request, alert, found) for alert in found.alerts],
        "counts": found.counts,
        "query_error": error,
        "next_url": _older(request, found.older),
        "searched_to": found.searched_to,
        "people": _people(request, found),
        **_filter_form(request, wanted),
    }


def _filter_form(request: Any, wanted: AlertFilter) -> dict[str, Any]:
    return {
        "status": wanted.status or "",
        "query": wanted.query,
        "team": wanted.team,
        "teams": _teams(request),
        "snoozes": available_actions.SNOOZES,
        "me": request.identity.username,
    }


def _filter(given: Mapping[str, str]) -> AlertFilter:
    status = given.get("status", "")
    return AlertFilter(
        status=AlertStatus(status) if status in set(AlertStatus) else None,
        query=shown_text(given.get("query", ""))[: limits.SEARCH.high].strip(),
        team=given.get("team", "") if is_line(given.get("team", "")) else "",
        before=forms.before(given),
    )


def _row(context: Alerts, request: Any, alert: Alert, found: AlertPage) -> AlertRow:
    node = context.root.place(alert)
    url = console_url(request, node)
    responds = bool(request.has_permission(Permission.RESPOND, node))
    may = alert.status is AlertStatus.FIRING and responds
    values = alert_card.card_values(alert, found.signals.get(alert.id, 1))
    tick = responds and alert.status is not AlertStatus.RESOLVED
    return AlertRow(**values, url=url, may_tick=tick, ack_url=f"{url}/acknowledge" if may else None)


def _people(request: Any, found: AlertPage) -> list[User]:
    """Who can be assigned; the live part of the page does not need them."""
    whole = "HX-Request" not in request.headers
    return alert_list.list_assignees(request.db, found.alerts) if whole else []


def _teams(request: Any) -> list[tuple[str, str]]:
    found = alert_list.list_teams(request.db, request.identity)
    names = team_names(found)
    return [(team.slug, names[team.id]) for team in found]


def _older(request: Any, older: int | None) -> str | None:
    if older is None:
        return None
    kept = {name: value for name, value in request.GET.items() if name != "before" and value}
    return f"{request.path}?{urlencode({**kept, 'before': older})}"


@console_view(
    context=AlertNode,
    permission=Permission.VIEW,
    template="alerts/alert.jinja2",
    fragment="alerts/_live.jinja2",
)
def show(context: AlertNode, request: Any) -> dict[str, Any]:
    alert, db = context.obj, request.db
    events = alert_detail.list_events(db, alert)
    rotations = alert_history.rotation_names(db, events, _rotation_id(alert))
    return {
        "alert": _alert(request, alert, rotations),
        "actions": _actions(context, request),
        "signals": _signals(request, alert),
        "events": [timeline_view.view_event(event) for event in events],
        "notifications": _notifications(context, request),
        "reasons": _reasons(request, events, rotations),
        "silence_url": silence_card.find_silence_url(context, request),
        "plan": _plan(request, alert),
    }


def _rotation_id(alert: Alert) -> int | None:
    return alert.route.rotation_id if alert.route else None


def _alert(request: Any, alert: Alert, rotations: Mapping[int, str]) -> AlertView:
    signals = alert_list.count_signals(request.db, [alert.id]).get(alert.id, 1)
    return timeline_view.view_alert(alert, signals, rotations.get(_rotation_id(alert) or 0))


def _signals(request: Any, alert: Alert) -> list[SignalRow]:
    signals = alert_detail.list_signals(request.db, alert)
    return [timeline_view.view_signal(signal, alert) for signal in signals]


def _plan(request: Any, alert: Alert) -> list[PlannedStep]:
    steps = upcoming.planned_steps(request.db, alert, request.now)
    return timeline_view.view_steps(steps, request.now)


def _actions(context: AlertNode, request: Any) -> list[AvailableAction]:
    if not _may_respond(context, request):
        return []
    people = alert_detail.list_assignable(request.db, context.obj)
    return available_actions.list_actions(context, request, people)


def _notifications(context: AlertNode, request: Any) -> list[NotificationView]:
    return [
        timeline_view.view_notification(row, _resend_url(context, request, row))
        for row in alert_detail.list_notifications(request.db, context.obj)
    ]


def _reasons(request: Any, events: Sequence[Event], rotations: Mapping[int, str]) -> Any:
    reader = ReasonReader(rotations, request.identity.zone, request.identity.user_id)
    return explanation_wording.word_reasons(events[::-1], reader)


def _resend_url(context: AlertNode, request: Any, row: Notification) -> str | None:
    if failed_notifications.resend_refusal(row) is not None or not _may_respond(context, request):
        return None
    return f"{request.script_name}/notifications/{row.id}/resend"


def _may_respond(context: AlertNode, request: Any) -> bool:
    return bool(request.has_permission(Permission.RESPOND, context))
