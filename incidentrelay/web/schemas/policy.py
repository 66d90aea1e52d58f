"""Escalation policies."""

from marshmallow import fields, validate

from incidentrelay.domain.enums import Severity
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import TEXT, Body, Flag, Instant, InTeam, Slugged, number
from incidentrelay.web.schemas.oncall.rotation import TIME_OF_DAY


class TargetSchema(Body):
    """A target of a step: a slug (``team/slug`` for another team), or a username."""

    kind = fields.String(
        required=True, validate=validate.OneOf(["rotation", "user", "team", "channel"])
    )
    name = fields.String(
        required=True, allow_none=True, validate=validate.Length(*limits.REFERENCE)
    )


class StepHoursSchema(Body):
    """On ``weekdays`` (0 is Monday) from ``opens`` to ``closes``, possibly on the next day."""

    weekdays = fields.List(
        number(*limits.WEEKDAY), required=True, validate=validate.Length(*limits.WEEKDAYS)
    )
    opens = fields.String(required=True, validate=TIME_OF_DAY)
    closes = fields.String(required=True, validate=TIME_OF_DAY)
    zone = fields.String(required=True, validate=validate.Length(*limits.ZONE))


class ConditionsSchema(Body):
    """When a step applies. ``severity`` is the lowest severity.

    ``wait_for_on_call`` is the longest time in seconds to wait while nobody is on call.
    """

    severity = fields.String(allow_none=True, validate=validate.OneOf(list(Severity)))
    hours = fields.Nested(StepHoursSchema, allow_none=True)
    wait_for_on_call = number(*limits.STEP_DELAY)


class StepSchema(Body):
    """``delay`` is in seconds after the previous step. Without conditions, it always applies."""

    delay = number(*limits.STEP_DELAY, required=True)
    targets = fields.List(
        fields.Nested(TargetSchema),
        required=True,
        validate=validate.Length(max=limits.STEP_TARGETS.high),
    )
    notify_assignee_again = Flag(load_default=False)
    conditions = fields.Nested(ConditionsSchema, load_default=dict)


class PolicySchema(InTeam, Slugged):
    """After the first round, ``repeat`` more follow."""

    description = fields.String(load_default="", validate=TEXT)
    steps = fields.List(
        fields.Nested(StepSchema), required=True, validate=validate.Length(*limits.POLICY_STEPS)
    )
    repeat = number(*limits.POLICY_REPEAT, load_default=0)


class DoubleDutySchema(Body):
    """``user`` is on call in both rotations, which different steps page.

    The rotations are named as in the steps; ``first`` is paged earlier.
    """

    user = fields.String(dump_only=True)
    display_name = fields.String(dump_only=True)
    start = Instant(dump_only=True)
    end = Instant(dump_only=True)
    first = fields.String(dump_only=True)
    second = fields.String(dump_only=True)


class PolicyQualitySchema(Body):
    """The quality of a policy from ``start`` to ``end``."""

    start = Instant(dump_only=True)
    end = Instant(dump_only=True)
    double_duty = fields.List(fields.Nested(DoubleDutySchema), dump_only=True)
