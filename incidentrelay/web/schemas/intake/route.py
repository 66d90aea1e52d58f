"""Routes."""

from marshmallow import fields, validate

from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import (
    Body,
    Flag,
    Instant,
    InTeam,
    Ref,
    Refs,
    Slugged,
    number,
)


class RouteSchema(InTeam, Slugged):
    """``rotation``, ``policy`` and ``channels`` are slugs in the route's team.

    ``reopen_window`` is in seconds. ``auto_resolve_after``: alerts that their source has not
    mentioned for this many seconds are resolved; null means never. ``token_hint`` is the
    beginning of the token. The token before it works until ``old_token_until``.
    """

    source = fields.String(required=True, validate=validate.Length(*limits.KIND))
    enabled = Flag(load_default=True)
    position = number(*limits.ROUTE_POSITION)
    matchers = fields.List(
        fields.String(validate=validate.Length(*limits.MATCHER)),
        load_default=list,
        validate=validate.Length(max=limits.MATCHERS.high),
    )
    group_by = fields.List(
        fields.String(validate=validate.Length(*limits.LABEL_NAME)),
        load_default=list,
        validate=validate.Length(max=limits.GROUP_BY.high),
    )
    rotation = Ref("rotation.slug", load_default=None, allow_none=True)
    policy = Ref("policy.slug", load_default=None, allow_none=True)
    channels = Refs(load_default=list)
    reopen_window = number(*limits.REOPEN_WINDOW, load_default=300)
    auto_resolve_after = number(*limits.AUTO_RESOLVE_AFTER, load_default=None, allow_none=True)
    token_hint = fields.String(dump_only=True)
    old_token_until = Instant(dump_only=True, allow_none=True)
    intake_url = fields.String(dump_only=True)


class IntakeSchema(Body):
    """One request of a source: its body as it came, as far as it is kept, and its verdict.

    ``left_out`` is the number of alerts that the source says it left out.
    """

    id = fields.Integer(dump_only=True)
    received_at = Instant(dump_only=True)
    address = fields.String(dump_only=True)
    body = fields.String(dump_only=True)
    truncated = fields.Boolean(dump_only=True)
    outcomes = fields.List(fields.Raw(), dump_only=True)
    left_out = fields.Integer(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class NewRouteSchema(RouteSchema):
    """The response to creating a route or replacing its token, which is shown only here."""

    token = fields.String(dump_only=True)


class RouteTestSchema(Body):
    """Labels of the test alert, for routes whose matchers require some."""

    labels = fields.Dict(
        keys=fields.String(validate=validate.Length(*limits.LABEL_NAME)),
        values=fields.String(validate=validate.Length(max=limits.LABEL_VALUE)),
        load_default=dict,
        validate=validate.Length(max=limits.MATCHERS.high),
    )


class IntegrationSchema(Body):
    """A source and its intake URL."""

    name = fields.String(dump_only=True)
    label = fields.String(dump_only=True)
    intake_url = fields.String(dump_only=True)
