"""Requests and responses of simulations."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from incidentrelay.domain.enums import AlertStatus, Outcome, Severity, SignalStatus
from incidentrelay.services.common import limits
from incidentrelay.services.simulation.forecast import StepKind
from incidentrelay.web.schemas.base import SLUG, Body, Instant, Ref

_UNKNOWN = "Write the id of a route, or group/team/route."


class RouteName(fields.Field[Any]):
    """A route's id, or ``group/team/route``; loads as an int or three slugs."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kw: Any) -> Any:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        low, high = limits.ROW_ID
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        parts = value.split("/") if isinstance(value, str) else []
        if len(parts) != 3:
            raise ValidationError(_UNKNOWN)
        return tuple(SLUG(part) for part in parts)


class SimulateSchema(Body):
    """Either ``payload``, as the route's source would send it, or ``labels``.

    ``labels``, ``title`` and ``severity`` describe one alert, as for the generic webhook.
    """

    route = RouteName(required=True, metadata={"type": ["integer", "string"]})
    payload = fields.Raw(allow_none=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    title = fields.String(validate=validate.Length(*limits.SIMULATED_TITLE))
    severity = fields.Enum(Severity, by_value=True)
    at = Instant()

    @validates_schema(skip_on_field_errors=False)
    def _check_one_of(self, data: dict[str, Any], **_: Any) -> None:
        described = {"labels", "title", "severity"} & data.keys()
        if "payload" in data and described:
            raise ValidationError("Send either payload, or labels, title and severity.", "payload")
        if "payload" not in data and not {"labels", "title"} & described:
            raise ValidationError("Send payload, or labels or a title.", "payload")


class SimulatedRouteSchema(Body):
    """The simulated route, and whether it, its team and its group are active."""

    id = fields.Integer(dump_only=True)
    slug = fields.String(dump_only=True)
    name = fields.String(dump_only=True)
    source = fields.String(dump_only=True)
    team = Ref("team.slug", dump_only=True, allow_none=False)
    group = Ref("team.group.slug", dump_only=True, allow_none=False)
    enabled = fields.Boolean(dump_only=True)
    team_active = fields.Boolean(dump_only=True, attribute="team.active")
    group_active = fields.Boolean(dump_only=True, attribute="team.group.active")


class MatcherCheckSchema(Body):
    """``value`` is the label's value, or null without such a label."""

    matcher = fields.String(dump_only=True)
    label = fields.String(dump_only=True)
    value = fields.String(dump_only=True, allow_none=True)
    matched = fields.Boolean(dump_only=True)


class CoveringSchema(Body):
    id = fields.Integer(dump_only=True)
    until = Instant(dump_only=True)


class PlanInfoSchema(Body):
    """``running`` is true if the plan has started and the item does not restart it."""

    source = fields.String(dump_only=True, validate=validate.OneOf(("default", "policy")))
    policy = fields.String(dump_only=True, allow_none=True)
    version = fields.Integer(dump_only=True, allow_none=True)
    rotation = fields.String(dump_only=True, allow_none=True)
    running = fields.Boolean(dump_only=True)


class BeforeSchema(Body):
    at = Instant(dump_only=True)
    text = fields.String(dump_only=True)


class StepPersonSchema(Body):
    """``rotation`` and ``until``: the person is on call there, until then.

    ``contacts`` are the labels of the person's contacts that are used.
    """

    username = fields.String(dump_only=True)
    display_name = fields.String(dump_only=True)
    methods = fields.List(fields.String(), dump_only=True)
    contacts = fields.Function(
        lambda person: [label for _, label in person.contacts],
        dump_only=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    rotation = fields.String(dump_only=True, allow_none=True)
    until = Instant(dump_only=True, allow_none=True)


class StepChannelSchema(Body):
    slug = fields.String(dump_only=True)
    name = fields.String(dump_only=True)
    kind = fields.String(dump_only=True)


class ForecastStepSchema(Body):
    """``nobody`` is why a target was not reached, or why the step is quiet or skipped.

    ``until``: a step that waits for someone on call continues then.
    """

    at = Instant(dump_only=True)
    kind = fields.Enum(StepKind, by_value=True, dump_only=True)
    people = fields.List(fields.Nested(StepPersonSchema), dump_only=True)
    channels = fields.List(fields.Nested(StepChannelSchema), dump_only=True)
    nobody = fields.String(dump_only=True, allow_none=True)
    assignee = fields.String(dump_only=True, allow_none=True)
    until = Instant(dump_only=True, allow_none=True)


class ForecastSchema(Body):
    """The simulated outcome of one item, in order of decision."""

    title = fields.String(dump_only=True, allow_none=True)
    status = fields.Enum(SignalStatus, by_value=True, dump_only=True, allow_none=True)
    severity = fields.Enum(Severity, by_value=True, dump_only=True, allow_none=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), dump_only=True)
    dedup_key = fields.String(dump_only=True, allow_none=True)
    matchers = fields.List(fields.Nested(MatcherCheckSchema), dump_only=True)
    group_key = fields.String(dump_only=True, allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True, dump_only=True, allow_none=True)
    reason = fields.String(dump_only=True)
    alert_id = fields.Integer(dump_only=True, allow_none=True)
    alert_status = fields.Enum(AlertStatus, by_value=True, dump_only=True, allow_none=True)
    silence = fields.Nested(CoveringSchema, dump_only=True, allow_none=True)
    plan = fields.Nested(PlanInfoSchema, dump_only=True, allow_none=True)
    assignee = fields.String(dump_only=True, allow_none=True)
    before = fields.Nested(BeforeSchema, dump_only=True, allow_none=True)
    steps = fields.List(fields.Nested(ForecastStepSchema), dump_only=True)
    more = fields.Boolean(dump_only=True)
    sentences = fields.List(fields.String(), dump_only=True)


class SimulationSchema(Body):
    """``takes_in`` is false if the route, its team or its group is disabled."""

    route = fields.Nested(SimulatedRouteSchema, dump_only=True)
    takes_in = fields.Boolean(dump_only=True)
    at = Instant(dump_only=True)
    items = fields.List(fields.Nested(ForecastSchema), dump_only=True)
