"""Responses to sources."""

from marshmallow import fields

from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.web.schemas.base import Body


class VerdictSchema(Body):
    """The outcome of one item sent by a source."""

    id = fields.Integer(dump_only=True, allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True, dump_only=True)
    status = fields.Enum(AlertStatus, by_value=True, dump_only=True, allow_none=True)
    created = fields.Boolean(dump_only=True)
    reason = fields.String(dump_only=True)
    routing_error = fields.String(dump_only=True, allow_none=True)
    team_id = fields.Integer(dump_only=True, allow_none=True)
    team_slug = fields.String(dump_only=True, allow_none=True)
    route_id = fields.Integer(dump_only=True, allow_none=True)
    rotation_id = fields.Integer(dump_only=True, allow_none=True)
    assignee = fields.String(dump_only=True, allow_none=True)
    dedup_key = fields.String(dump_only=True, allow_none=True)
