"""Audit log entries."""

from marshmallow import fields

from incidentrelay.web.schemas.base import Body, Instant


class AuditSchema(Body):
    """``diff`` maps each field to [before, after]; secrets are masked."""

    id = fields.Integer(dump_only=True)
    at = Instant(dump_only=True)
    actor = fields.String(dump_only=True)
    action = fields.String(dump_only=True)
    subject_kind = fields.String(dump_only=True)
    subject = fields.String(dump_only=True)
    diff = fields.Dict(keys=fields.String(), dump_only=True)
    request_id = fields.String(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)
