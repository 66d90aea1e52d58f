"""Channels."""

from marshmallow import fields, validate

from incidentrelay.web.schemas.base import InTeam, Slugged, flag


class ChannelSchema(InTeam, Slugged):
    """``config`` depends on the kind; what is secret in it is shown masked."""

    kind = fields.String(required=True, validate=validate.Length(1, 32))
    enabled = flag(True)
    config = fields.Dict(keys=fields.String(), load_default=dict)
