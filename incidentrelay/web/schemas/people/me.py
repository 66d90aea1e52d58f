"""Your profile, tokens and browsers."""

from marshmallow import fields, validate

from incidentrelay.domain.permissions import Scope
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import NAME, Body, Flag, Instant, Resource


class MeSchema(Resource):
    """``scopes`` are those of the current token; null in a browser."""

    username = fields.String(validate=validate.Length(*limits.USERNAME))
    display_name = fields.String(validate=NAME)
    email = fields.String(allow_none=True, validate=validate.Length(max=limits.ADDRESS.high))
    phone = fields.String(allow_none=True, validate=validate.Length(max=limits.PHONE))
    zone = fields.String(validate=validate.Length(*limits.ZONE))
    shift_start_reminder = Flag()
    shift_end_reminder = Flag()
    is_admin = fields.Boolean(dump_only=True)
    scopes = fields.List(fields.String(), dump_only=True, allow_none=True)


class PasswordSchema(Body):
    current_password = fields.String(
        required=True, validate=validate.Length(max=limits.PASSWORD.high)
    )
    new_password = fields.String(required=True, validate=validate.Length(max=limits.PASSWORD.high))


class TokenSchema(Resource):
    """``group`` (a slug) limits the token to that group. ``hint`` is its beginning."""

    name = fields.String(required=True, validate=NAME)
    scopes = fields.List(
        fields.String(validate=validate.OneOf(list(Scope))),
        required=True,
        validate=validate.Length(1, len(Scope)),
    )
    group = fields.String(load_default=None, allow_none=True, load_only=True)
    group_id = fields.Integer(dump_only=True, allow_none=True)
    expires_at = Instant(load_default=None, allow_none=True)
    hint = fields.String(dump_only=True)
    last_used_at = Instant(dump_only=True, allow_none=True)


class NewTokenSchema(TokenSchema):
    """The response to creating a token, which is shown only here."""

    token = fields.String(dump_only=True)


class SessionSchema(Body):
    """A signed-in browser; ``current`` is the one making this request."""

    id = fields.Integer(dump_only=True)
    created_at = Instant(dump_only=True)
    last_seen_at = Instant(dump_only=True)
    address = fields.String(dump_only=True)
    user_agent = fields.String(dump_only=True)
    current = fields.Boolean(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)
