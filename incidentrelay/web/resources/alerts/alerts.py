"""Alerts of a team, and the flat list of alerts. Only sources create alerts."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Event, Signal, Team
from incidentrelay.web.resources.alerts.notifications import AlertNotifications
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.collections import Collection, FlatCollection
from incidentrelay.web.resources.contents import TeamCollection, with_team
from incidentrelay.web.schemas.alerts.alert import AlertSchema, EventSchema, SignalSchema


class EventNode(Item):
    model = Event
    schema = EventSchema
    noun = "event"
    scope_domain = "alerts"

    @classmethod
    def rows(cls) -> Select[Any]:
        return select(Event).options(joinedload(Event.actor))


class AlertEvents(Collection):
    """The timeline, oldest first."""

    item = EventNode
    key = Event.id
    sorts = {"id": Event.id}
    scope_domain = "alerts"

    def statement(self) -> Select[Any]:
        return super().statement().where(Event.alert_id == self.owner.id)


class SignalNode(Item):
    model = Signal
    schema = SignalSchema
    noun = "signal"
    scope_domain = "alerts"


class AlertSignals(Collection):
    """The alert's signals in order of arrival, including ended ones."""

    item = SignalNode
    key = Signal.id
    sorts = {"id": Signal.id}
    scope_domain = "alerts"

    def statement(self) -> Select[Any]:
        return super().statement().where(Signal.alert_id == self.owner.id)


class AlertNode(Item):
    model = Alert
    schema = AlertSchema
    noun = "alert"
    flat_path = "alerts"
    offered = (Permission.VIEW, Permission.RESPOND, Permission.SILENCE)
    scope_domain = "alerts"
    children = {
        "events": AlertEvents,
        "notifications": AlertNotifications,
        "signals": AlertSignals,
    }

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(
            Alert,
            joinedload(Alert.route),
            joinedload(Alert.assignee),
            joinedload(Alert.acknowledged_by),
        )


class AlertCollection(Collection):
    """The base of a team's alerts and the flat list; views of alerts are registered for it."""

    tag = "alerts"
    item = AlertNode
    key = Alert.id
    sorts = {"-id": Alert.id, "-last_seen_at": Alert.last_seen_at}
    scope_domain = "alerts"

    def team_ids(self) -> Select[Any] | None:
        """The ids of the teams whose alerts are in the list; None: all teams."""
        raise NotImplementedError


class TeamAlerts(AlertCollection, TeamCollection):
    scope_domain = "alerts"

    def team_ids(self) -> Select[Any]:
        return select(Team.id).where(Team.id == self.team.id)


class Alerts(AlertCollection, FlatCollection):
    """All alerts. Every signed-in user may call bulk actions; permissions are checked per alert."""

    scope_domain = "alerts"
    open_to_users = frozenset({Permission.VIEW, Permission.RESPOND})
    filtered = frozenset({Permission.VIEW, Permission.RESPOND})

    def team_ids(self) -> Select[Any] | None:
        found: Select[Any] | None = self.root.team_ids()
        return found
