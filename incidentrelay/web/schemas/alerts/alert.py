"""Alerts, their actions and their timeline."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from incidentrelay.domain.enums import (
    AlertStatus,
    DeliveryState,
    EventKind,
    NotificationKind,
    Severity,
    SignalStatus,
)
from incidentrelay.services.alerts.bulk import MAX_ALERTS, BulkAction, BulkOutcome
from incidentrelay.services.common import limits
from incidentrelay.services.simulation.wording import ExplanationContext
from incidentrelay.web.schemas.base import Body, Instant, InTeam, Ref, number
from incidentrelay.web.schemas.query import AlertFilterQuery


class AlertSchema(InTeam, Body):
    id = fields.Integer(dump_only=True)
    title = fields.String(dump_only=True)
    description = fields.String(dump_only=True)
    status = fields.Enum(AlertStatus, by_value=True, dump_only=True)
    severity = fields.Enum(Severity, by_value=True, dump_only=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), dump_only=True)
    annotations = fields.Dict(keys=fields.String(), values=fields.String(), dump_only=True)
    source_link = fields.String(dump_only=True, allow_none=True)
    route = Ref("route.slug", dump_only=True)
    assignee = Ref("assignee.username", dump_only=True)
    opened_at = Instant(dump_only=True)
    last_seen_at = Instant(dump_only=True)
    acknowledged_at = Instant(dump_only=True, allow_none=True)
    acknowledged_by = Ref("acknowledged_by.username", dump_only=True)
    resolved_at = Instant(dump_only=True, allow_none=True)
    quiet_until = Instant(dump_only=True, allow_none=True)
    quiet_reason = fields.String(dump_only=True, allow_none=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class SnoozeSchema(Body):
    until = Instant(required=True)


class AssignSchema(Body):
    username = fields.String(required=True, validate=validate.Length(*limits.USERNAME))


class CommentSchema(Body):
    text = fields.String(required=True, validate=validate.Length(*limits.COMMENT))


class BulkSchema(Body):
    """Either ``ids``, or a ``filter``, which selects the newest 500 matching alerts.

    ``until`` is for snooze, ``username`` for assign, ``text`` for comment.
    """

    action = fields.Enum(BulkAction, by_value=True, required=True)
    ids = fields.List(number(*limits.ROW_ID), validate=validate.Length(1, MAX_ALERTS))
    filter = fields.Nested(AlertFilterQuery)
    until = Instant()
    username = fields.String(validate=validate.Length(*limits.USERNAME))
    text = fields.String(validate=validate.Length(*limits.COMMENT))

    @validates_schema(skip_on_field_errors=True)
    def _check_one_of(self, data: dict[str, Any], **_: Any) -> None:
        if ("ids" in data) == ("filter" in data):
            raise ValidationError("Send either ids or filter.", "ids")
        action = data["action"]
        for name, wanted in _BULK_FIELDS.items():
            if (name in data) != (action is wanted):
                text = "This is required." if action is wanted else f"This is only for {wanted}."
                raise ValidationError(text, name)


_BULK_FIELDS = {
    "until": BulkAction.SNOOZE,
    "username": BulkAction.ASSIGN,
    "text": BulkAction.COMMENT,
}


class BulkResultSchema(Body):
    """The outcome for one alert. ``reason`` is why nothing changed."""

    id = fields.Integer(dump_only=True)
    outcome = fields.Enum(BulkOutcome, by_value=True, dump_only=True)
    reason = fields.String(dump_only=True)


class BulkAnswerSchema(Body):
    """``more`` is true if further alerts match the filter."""

    results = fields.List(fields.Nested(BulkResultSchema), dump_only=True)
    more = fields.Boolean(dump_only=True)


class SignalSchema(Body):
    """One problem as its source sees it.

    ``starts_at`` and ``ends_at`` are the source's times, or the times of receipt if it gave
    none; ``start_from_source`` and ``end_from_source`` tell which. ``resolved_at`` is when we
    received the resolve, or a person resolved the alert. ``count`` is how often the source sent
    it.
    """

    id = fields.Integer(dump_only=True)
    dedup_key = fields.String(dump_only=True)
    status = fields.Enum(SignalStatus, by_value=True, dump_only=True)
    severity = fields.Enum(Severity, by_value=True, dump_only=True)
    title = fields.String(dump_only=True)
    description = fields.String(dump_only=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), dump_only=True)
    annotations = fields.Dict(keys=fields.String(), values=fields.String(), dump_only=True)
    link = fields.String(dump_only=True, allow_none=True)
    starts_at = Instant(dump_only=True)
    start_from_source = fields.Boolean(dump_only=True)
    ends_at = Instant(dump_only=True, allow_none=True)
    end_from_source = fields.Boolean(dump_only=True)
    resolved_at = Instant(dump_only=True, allow_none=True)
    first_seen_at = Instant(dump_only=True)
    last_seen_at = Instant(dump_only=True)
    count = fields.Integer(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class EventSchema(Body):
    id = fields.Integer(dump_only=True)
    at = Instant(dump_only=True)
    kind = fields.Enum(EventKind, by_value=True, dump_only=True)
    actor = Ref("actor.username", dump_only=True)
    via = fields.String(dump_only=True)
    text = fields.String(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class ReasonSchema(Body):
    """One reason in an alert's history; ``about`` is its topic."""

    at = Instant(dump_only=True)
    about = fields.Enum(ExplanationContext, by_value=True, dump_only=True)
    text = fields.String(dump_only=True)


class NotificationSchema(Body):
    """A notification and the state of its delivery.

    Notifications that share a message have the same ``bundle``; it is null for others.
    ``stalled_at`` is when the fallback was notified instead because the provider was down.
    """

    id = fields.Integer(dump_only=True)
    kind = fields.Enum(NotificationKind, by_value=True, dump_only=True)
    target = fields.String(dump_only=True)
    method = fields.String(dump_only=True)
    state = fields.Enum(DeliveryState, by_value=True, dump_only=True)
    attempts = fields.Integer(dump_only=True)
    next_at = Instant(dump_only=True, allow_none=True)
    last_error = fields.String(dump_only=True)
    bundle = fields.String(dump_only=True, allow_none=True)
    stalled_at = Instant(dump_only=True, allow_none=True)
    created_at = Instant(dump_only=True)
    finished_at = Instant(dump_only=True, allow_none=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)
