"""Channels."""

from marshmallow import fields, validate

from incidentrelay.domain.delivery.rate_limit import DEFAULT_PER_MINUTE, MOST_PER_MINUTE
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import Body, Flag, Instant, InTeam, Slugged, number


class CircuitSchema(Body):
    """The circuit breaker of the channel's provider. Nothing is sent before ``open_until``.

    ``failures`` counts consecutive failures since ``since``; 0 means that it works.
    """

    failures = fields.Integer(dump_only=True)
    since = Instant(dump_only=True, allow_none=True)
    open_until = Instant(dump_only=True, allow_none=True)
    reason = fields.String(dump_only=True)


class HealthSchema(Body):
    """The latest deliveries. ``failing_since`` is null unless the last one failed."""

    last_success_at = Instant(dump_only=True, allow_none=True)
    last_failure_at = Instant(dump_only=True, allow_none=True)
    last_failure_reason = fields.String(dump_only=True)
    failing_since = Instant(dump_only=True, allow_none=True)


class ChannelSchema(InTeam, Slugged):
    """``config`` depends on the kind. Secrets in it are masked.

    Above ``messages_per_minute``, notifications are bundled into messages about several
    alerts.
    """

    kind = fields.String(required=True, validate=validate.Length(*limits.KIND))
    enabled = Flag(load_default=True)
    messages_per_minute = number(1, MOST_PER_MINUTE, load_default=DEFAULT_PER_MINUTE)
    config = fields.Dict(keys=fields.String(), load_default=dict)
    circuit = fields.Nested(CircuitSchema, dump_only=True)
    health = fields.Nested(HealthSchema, dump_only=True)
