"""The actions on one alert, and the list of alerts."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import user_lookup
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.alerts.scan import AlertOrder, scan_alerts
from incidentrelay.web.api.toolkit.crud import actor
from incidentrelay.web.api.toolkit.pagination import asked_page
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.alerts.alerts import AlertCollection, AlertNode
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.collections import Collection
from incidentrelay.web.schemas.alerts.alert import AssignSchema, CommentSchema, SnoozeSchema
from incidentrelay.web.schemas.query import AlertQuery


class verb(api_view):
    """``@api_view`` for a responder's action on one alert."""

    def __init__(self, name: str, summary: str, **options: Any) -> None:
        malformed = (413, 415, 422) if "body" in options else ()
        super().__init__(
            context=AlertNode,
            name=name,
            method="POST",
            permission=Permission.RESPOND,
            returns="schema",
            errors=(409, *malformed),
            summary=summary,
            **options,
        )


@api_view(
    context=AlertCollection,
    method="GET",
    permission=Permission.VIEW,
    query=AlertQuery,
    returns="schema",
    page=True,
    searched=True,
    errors=(422,),
    summary="List the alerts you may see",
)
def index(context: AlertCollection, request: Any) -> Any:
    asked = asked_page(request, context)
    wanted = alert_search.parse_filter(request.query)
    search = alert_search.build_search(request.db, context.team_ids(), wanted)
    order = AlertOrder(asked.column, asked.falling)
    found = scan_alerts(request.db, search, limit=asked.limit, after=asked.after, order=order)
    return context.load(found.ids), asked.cursor(request, found.resume), found.searched_to


@verb("ack", "Acknowledge the alert; no one else is paged")
def acknowledge(context: AlertNode, request: Any) -> Item:
    alert_actions.acknowledge(request.db, context.obj, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("unack", "Return the alert to the team; its plan restarts")
def unacknowledge(context: AlertNode, request: Any) -> Item:
    alert_actions.unacknowledge(request.db, context.obj, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("resolve", "Resolve the alert")
def resolve(context: AlertNode, request: Any) -> Item:
    alert_actions.resolve(request.db, context.obj, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("snooze", "Mute the alert until a time", body=SnoozeSchema)
def snooze(context: AlertNode, request: Any) -> Item:
    until = request.body_data["until"]
    alert_actions.snooze(request.db, context.obj, until, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("assign", "Assign the alert to someone and page them", body=AssignSchema)
def assign(context: AlertNode, request: Any) -> Item:
    user = user_lookup.find_colleague(request.db, request.identity, request.body_data["username"])
    alert_actions.assign(request.db, context.obj, user, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("reassign-to-next", "Assign the alert to the next member of its rotation and page them")
def reassign_to_next(context: AlertNode, request: Any) -> Item:
    alert_actions.reassign_to_next(request.db, context.obj, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("escalate", "Page the next person in the plan without waiting")
def escalate(context: AlertNode, request: Any) -> Item:
    alert_actions.escalate(request.db, context.obj, actor=actor(request), now=request.now)
    return _fresh(context)


@verb("comment", "Comment on the timeline", body=CommentSchema)
def comment(context: AlertNode, request: Any) -> Item:
    text = request.body_data["text"]
    alert_actions.comment(request.db, context.obj, text, actor=actor(request), now=request.now)
    return _fresh(context)


def _fresh(context: AlertNode) -> Item:
    parent = context.__parent__
    return parent.fresh(context.obj) if isinstance(parent, Collection) else context
