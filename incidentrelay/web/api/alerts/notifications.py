"""Notifications: filtered lists, and resending failed ones."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.web.api.toolkit.crud import actor
from incidentrelay.web.api.toolkit.pagination import page
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.alerts.notifications import (
    NotificationCollection,
    NotificationNode,
)
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.collections import Collection
from incidentrelay.web.schemas.alerts.notification import NotificationQuery


@api_view(
    context=NotificationCollection,
    method="GET",
    permission=Permission.VIEW,
    query=NotificationQuery,
    returns="schema",
    page=True,
    errors=(422,),
    summary="List the notifications you may see; state=failed lists undelivered ones",
)
def index(context: NotificationCollection, request: Any) -> Any:
    statement = failed_notifications.apply_failed_filter(context.listing(), request.query)
    return page(request, context, statement)


@api_view(
    context=NotificationNode,
    name="resend",
    method="POST",
    permission=Permission.RESPOND,
    returns="schema",
    status=202,
    errors=(409,),
    summary="Send a failed notification again",
)
def resend(context: NotificationNode, request: Any) -> Item:
    failed_notifications.resend_notification(
        request.db, context.obj, actor=actor(request), now=request.now
    )
    parent = context.__parent__
    return parent.fresh(context.obj) if isinstance(parent, Collection) else context
