"""Calendar feeds."""

from marshmallow import fields, validate

from incidentrelay.services.calendars.feeds import FeedScope
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import Resource

_ID = validate.Range(*limits.ROW_ID)


class FeedSchema(Resource):
    """``scope`` rotation requires ``rotation_id``, team requires ``team_id``, user neither.

    ``name`` is the name of the rotation, team or user. ``hint`` is the beginning of the
    token in the URL.
    """

    scope = fields.Enum(FeedScope, by_value=True, required=True)
    rotation_id = fields.Integer(strict=True, load_default=None, allow_none=True, validate=_ID)
    team_id = fields.Integer(strict=True, load_default=None, allow_none=True, validate=_ID)
    name = fields.String(dump_only=True)
    hint = fields.String(dump_only=True)


class NewFeedSchema(FeedSchema):
    """The response to creating a feed or replacing its URL, which is shown only here."""

    address = fields.String(dump_only=True)
