"""Escalation policies."""

from marshmallow import fields, validate

from incidentrelay.web.schemas.base import TEXT, Body, Flag, InTeam, Slugged, number

LONGEST_DELAY = 7 * 86400


class TargetSchema(Body):
    """Whom a step notifies: a slug (``team/slug`` in another team), or a username."""

    kind = fields.String(
        required=True, validate=validate.OneOf(["rotation", "user", "team", "channel"])
    )
    name = fields.String(required=True, allow_none=True, validate=validate.Length(1, 127))


class StepSchema(Body):
    """``delay`` is in seconds, from the step before."""

    delay = number(0, LONGEST_DELAY, required=True)
    targets = fields.List(
        fields.Nested(TargetSchema), required=True, validate=validate.Length(max=20)
    )
    notify_assignee_again = Flag(load_default=False)


class PolicySchema(InTeam, Slugged):
    """``repeat`` further rounds follow the first."""

    description = fields.String(load_default="", validate=TEXT)
    steps = fields.List(fields.Nested(StepSchema), required=True, validate=validate.Length(1, 20))
    repeat = number(0, 100, load_default=0)
