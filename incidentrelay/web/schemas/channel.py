"""Channels."""

from marshmallow import fields, validate

from incidentrelay.domain.delivery.rate_limit import DEFAULT_PER_MINUTE, MOST_PER_MINUTE
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import Body, Flag, Instant, InTeam, Slugged, number


class CircuitSchema(Body):
    """How the provider fares. While ``open_until`` lies ahead nothing is sent to it.

    ``failures`` are those in a row, the first at ``since``; 0: it works.
    """

    failures = fields.Integer(dump_only=True)
    since = Instant(dump_only=True, allow_none=True)
    open_until = Instant(dump_only=True, allow_none=True)
    reason = fields.String(dump_only=True)


class HealthSchema(Body):
    """How its deliveries went. ``failing_since`` null: the last one arrived, or none was made."""

    last_success_at = Instant(dump_only=True, allow_none=True)
    last_failure_at = Instant(dump_only=True, allow_none=True)
    last_failure_reason = fields.String(dump_only=True)
    failing_since = Instant(dump_only=True, allow_none=True)


class ChannelSchema(InTeam, Slugged):
    """``config`` depends on the kind; what is secret in it is shown masked.

    What is more than ``messages_per_minute`` is bundled into messages that tell of
    many alerts.
    """

    kind = fields.String(required=True, validate=validate.Length(*limits.KIND))
    enabled = Flag(load_default=True)
    messages_per_minute = number(1, MOST_PER_MINUTE, load_default=DEFAULT_PER_MINUTE)
    config = fields.Dict(keys=fields.String(), load_default=dict)
    circuit = fields.Nested(CircuitSchema, dump_only=True)
    health = fields.Nested(HealthSchema, dump_only=True)
