"""Users, for site admins."""

from marshmallow import fields, validate

from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import NAME, Flag, Resource


class UserSchema(Resource):
    """A user without a password cannot sign in."""

    username = fields.String(required=True, validate=validate.Length(*limits.USERNAME))
    display_name = fields.String(validate=NAME)
    email = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=limits.ADDRESS.high)
    )
    phone = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=limits.PHONE)
    )
    zone = fields.String(load_default="UTC", validate=validate.Length(*limits.ZONE))
    active = Flag(load_default=True)
    is_admin = Flag(load_default=False)
    password = fields.String(load_only=True, validate=validate.Length(*limits.PASSWORD))
