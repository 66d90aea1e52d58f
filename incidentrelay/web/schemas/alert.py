"""Alerts, what is done with them, and their timeline."""

from marshmallow import fields, validate

from incidentrelay.domain.enums import (
    AlertStatus,
    DeliveryState,
    EventKind,
    NotificationKind,
    Severity,
)
from incidentrelay.web.schemas.base import Body, Instant, InTeam, Ref


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
    username = fields.String(required=True, validate=validate.Length(1, 63))


class CommentSchema(Body):
    text = fields.String(required=True, validate=validate.Length(1, 10_000))


class EventSchema(Body):
    id = fields.Integer(dump_only=True)
    at = Instant(dump_only=True)
    kind = fields.Enum(EventKind, by_value=True, dump_only=True)
    actor = Ref("actor.username", dump_only=True)
    via = fields.String(dump_only=True)
    text = fields.String(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class NotificationSchema(Body):
    """What was owed to whom, and how far its delivery is.

    ``bundle`` is the same for all that share one message; null: it has one of its own.
    ``stranded_at`` is when others were told instead, because its provider did not work.
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
    stranded_at = Instant(dump_only=True, allow_none=True)
    created_at = Instant(dump_only=True)
    finished_at = Instant(dump_only=True, allow_none=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)
