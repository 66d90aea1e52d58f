"""Calendar feeds."""

from marshmallow import fields, validate

from incidentrelay.services.calendars.feeds import FeedScope
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import Resource

_ID = validate.Range(*limits.ROW_ID)


class FeedSchema(Resource):
    """``scope`` rotation wants ``rotation_id``, team wants ``team_id``, user wants neither.

    ``name`` is that of what it is about; ``hint`` is how the token in its address begins.
    """

    scope = fields.Enum(FeedScope, by_value=True, required=True)
    rotation_id = fields.Integer(strict=True, load_default=None, allow_none=True, validate=_ID)
    team_id = fields.Integer(strict=True, load_default=None, allow_none=True, validate=_ID)
    name = fields.String(dump_only=True)
    hint = fields.String(dump_only=True)


class NewFeedSchema(FeedSchema):
    """The answer that makes an address: the only time that it is shown."""

    address = fields.String(dump_only=True)
