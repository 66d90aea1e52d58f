"""Notifications of an alert, of a team, and all visible ones."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Notification
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.collections import Collection, FlatCollection
from incidentrelay.web.resources.contents import TeamCollection, with_team
from incidentrelay.web.schemas.alerts.notification import PlacedNotificationSchema


class NotificationNode(Item):
    model = Notification
    schema = PlacedNotificationSchema
    noun = "notification"
    flat_path = "notifications"
    offered = (Permission.VIEW, Permission.RESPOND)
    scope_domain = "alerts"

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(
            Notification,
            joinedload(Notification.alert),
            joinedload(Notification.user),
            joinedload(Notification.channel),
        )


class NotificationCollection(Collection):
    """The base of all lists of notifications; their views are registered for it."""

    tag = "notifications"
    item = NotificationNode
    key = Notification.id
    sorts = {"-id": Notification.id}
    scope_domain = "alerts"


class AlertNotifications(NotificationCollection):
    scope_domain = "alerts"

    def statement(self) -> Select[Any]:
        return super().statement().where(Notification.alert_id == self.owner.id)


class TeamNotifications(NotificationCollection, TeamCollection):
    scope_domain = "alerts"


class Notifications(NotificationCollection, FlatCollection):
    scope_domain = "alerts"
