"""Channels."""

from marshmallow import fields, validate

from incidentrelay.web.schemas.base import Flag, InTeam, Slugged


class ChannelSchema(InTeam, Slugged):
    """``config`` depends on the kind; what is secret in it is shown masked."""

    kind = fields.String(required=True, validate=validate.Length(1, 32))
    enabled = Flag(load_default=True)
    config = fields.Dict(keys=fields.String(), load_default=dict)
