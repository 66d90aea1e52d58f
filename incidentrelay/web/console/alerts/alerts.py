"""The list of alerts, and the page of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import is_line, shown_text
from incidentrelay.models import Alert, Notification, User
from incidentrelay.services.alerts import detail_queries as alert_detail
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.alerts import upcoming
from incidentrelay.services.alerts.list_queries import AlertCounts, AlertFilter, AlertPage
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
from incidentrelay.web.console.components.alert_card import Card
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.alerts.alerts import AlertNode, Alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Card):
    """One line of the list; ``ack_url`` only where the reader may take the alert.

    ``may_tick``: something can be done with it together with others.
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
    wanted, error = _wanted(request.GET), None
    try:
        found = alert_list.list_alerts(request.db, request.identity, wanted)
    except BadMatchers as trouble:
        found, error = AlertPage((), {}, AlertCounts(), None), trouble
    return {
        "alerts": [_row(context, request, alert, found) for alert in found.alerts],
        "counts": found.counts,
        "status": wanted.status or "",
        "query": wanted.query,
        "query_error": " ".join(error.errors["q"]) if error else None,
        "teams": _teams(request),
        "team": wanted.team,
        "next_url": _older(request, found.older),
        "snoozes": available_actions.SNOOZES,
        "people": _people(request, found),
        "me": request.identity.username,
    }


def _wanted(given: Mapping[str, str]) -> AlertFilter:
    status = given.get("status", "")
    return AlertFilter(
        status=AlertStatus(status) if status in set(AlertStatus) else None,
        query=shown_text(given.get("query", ""))[: limits.SEARCH.high].strip(),
        team=given.get("team", "") if is_line(given.get("team", "")) else "",
        before=forms.before(given),
    )


def _row(context: Alerts, request: Any, alert: Alert, found: AlertPage) -> Row:
    node = context.root.place(alert)
    url = console_url(request, node)
    responds = bool(request.has_permission(Permission.RESPOND, node))
    may = alert.status is AlertStatus.FIRING and responds
    values = alert_card.values(alert, found.signals.get(alert.id, 1))
    tick = responds and alert.status is not AlertStatus.RESOLVED
    return Row(**values, url=url, may_tick=tick, ack_url=f"{url}/acknowledge" if may else None)


def _people(request: Any, found: AlertPage) -> list[User]:
    """Who can be assigned; the part that refreshes itself does not ask."""
    whole = "HX-Request" not in request.headers
    return alert_list.list_assignees(request.db, found.alerts) if whole else []


@dataclass(frozen=True, slots=True)
class Choice:
    slug: str
    name: str


def _teams(request: Any) -> list[Choice]:
    found = alert_list.list_teams(request.db, request.identity)
    several = len({team.group_id for team in found}) > 1
    return [
        Choice(team.slug, f"{team.group.name} / {team.name}" if several else team.name)
        for team in found
    ]


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
    signals = alert_list.count_signals(db, [alert.id]).get(alert.id, 1)
    people = alert_detail.list_assignable(db, alert) if _may_respond(context, request) else []
    events = alert_detail.list_events(db, alert)
    rotation_id = alert.route.rotation_id if alert.route else None
    rotations = alert_history.rotation_names(db, events, rotation_id)
    reading = ReasonReader(rotations, request.identity.zone, request.identity.user_id)
    return {
        "alert": timeline_view.shown(alert, signals, rotations.get(rotation_id or 0)),
        "actions": available_actions.of(context, request, people)
        if _may_respond(context, request)
        else [],
        "signals": [
            timeline_view.signal_row(signal, alert)
            for signal in alert_detail.list_signals(db, alert)
        ],
        "events": [timeline_view.line(event) for event in events],
        "notifications": [
            timeline_view.sent(row, _resend_url(context, request, row))
            for row in alert_detail.list_notifications(db, alert)
        ],
        "reasons": explanation_wording.word_reasons(events[::-1], reading),
        "silence_url": silence_card.url_for(context, request),
        "plan": timeline_view.future(upcoming.planned_steps(db, alert, request.now), request.now),
    }


def _resend_url(context: AlertNode, request: Any, row: Notification) -> str | None:
    if failed_notifications.resend_refusal(row) is not None or not _may_respond(context, request):
        return None
    return f"{request.script_name}/notifications/{row.id}/resend"


def _may_respond(context: AlertNode, request: Any) -> bool:
    return bool(request.has_permission(Permission.RESPOND, context))
