"""What depends on a person."""

from marshmallow import Schema, fields


class DependentsSchema(Schema):
    """Everything open that names the person, as ``group/team/slug``.

    ``overrides`` end with their id; ``fallback_of`` are teams, and ``alerts`` are numbers.
    """

    rotations = fields.List(fields.String())
    overrides = fields.List(fields.String())
    policies = fields.List(fields.String())
    fallback_of = fields.List(fields.String())
    alerts = fields.List(fields.Integer())
