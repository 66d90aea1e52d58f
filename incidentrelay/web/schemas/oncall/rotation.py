"""Rotations, their layers, overrides and shifts."""

from marshmallow import Schema, fields, validate

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import (
    NAME,
    TEXT,
    Body,
    Flag,
    Instant,
    InTeam,
    Ref,
    Resource,
    Slugged,
    number,
)

TIME_OF_DAY = validate.Regexp(
    r"\A([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?\Z", error="Enter a time of day, like 09:00."
)
_USERNAME = validate.Length(*limits.USERNAME)
_MEMBERS = validate.Length(max=limits.MEMBERS.high)


class WindowSchema(Body):
    """From ``opens`` on a weekday (0 is Monday) to ``closes``, possibly on the next day."""

    weekday = number(*limits.WEEKDAY, required=True)
    opens = fields.String(required=True, validate=TIME_OF_DAY)
    closes = fields.String(required=True, validate=TIME_OF_DAY)


class LayerSchema(Body):
    """``key`` is assigned by the system and identifies a layer across edits."""

    key = number(*limits.LAYER_KEY, allow_none=True)
    name = fields.String(validate=NAME)
    members = fields.List(fields.String(validate=_USERNAME), validate=_MEMBERS)
    unit = fields.Enum(ShiftUnit, by_value=True)
    length = number(*limits.SHIFT_LENGTH)
    handoff_time = fields.String(validate=TIME_OF_DAY)
    handoff_weekday = number(*limits.WEEKDAY)
    zone = fields.String(validate=validate.Length(*limits.ZONE))
    start_date = fields.Date()
    windows = fields.List(
        fields.Nested(WindowSchema), validate=validate.Length(max=limits.WINDOWS.high)
    )


class ScheduleFields(Schema):
    """``layers`` (highest last), or the fields of a single layer."""

    layers = fields.List(fields.Nested(LayerSchema), validate=validate.Length(*limits.LAYERS))
    kind = fields.String(load_only=True, validate=validate.OneOf(["daily", "weekly"]))
    members = fields.List(fields.String(validate=_USERNAME), load_only=True, validate=_MEMBERS)
    zone = fields.String(load_only=True, validate=validate.Length(*limits.ZONE))
    handoff_time = fields.String(load_only=True, validate=TIME_OF_DAY)
    handoff_weekday = number(*limits.WEEKDAY, load_only=True)
    start_date = fields.Date(load_only=True)


class GapSchema(Body):
    """Nobody is on call from ``start`` until just before ``end``."""

    start = Instant(dump_only=True)
    end = Instant(dump_only=True)


class GapWarningSchema(Body):
    """The number of gaps in the next 14 days, and the first (null: none)."""

    count = fields.Integer(dump_only=True)
    first = fields.Nested(GapSchema, dump_only=True, allow_none=True)


class RotationSchema(InTeam, Slugged, ScheduleFields):
    """A rotation. An edit without schedule fields does not change the schedule.

    ``reminder_interval`` is in seconds; 0 means no reminders. ``gaps`` is not included in
    lists.
    """

    description = fields.String(load_default="", validate=TEXT)
    enabled = Flag(load_default=True)
    reminder_interval = number(*limits.REMINDER_INTERVAL, load_default=300)
    gaps = fields.Nested(GapWarningSchema, dump_only=True)


class OverrideSchema(Resource):
    """``user`` (a username) is on call from ``starts_at`` (default: now) until ``ends_at``."""

    user = Ref("user.username", required=True, validate=_USERNAME)
    starts_at = Instant()
    ends_at = Instant(required=True)
    reason = fields.String(load_default="", validate=TEXT)


class OnCallSchema(Body):
    """Who is on call in a rotation now and next; null if nobody is."""

    rotation = Ref("rotation.slug", dump_only=True)
    rotation_id = fields.Integer(attribute="rotation.id", dump_only=True)
    team = Ref("team.slug", dump_only=True)
    group = Ref("rotation.team.group.slug", dump_only=True)
    user = Ref("user.username", dump_only=True)
    display_name = Ref("user.display_name", dump_only=True)
    since = Instant(dump_only=True, allow_none=True)
    until = Instant(dump_only=True, allow_none=True)
    next_user = Ref("next_user.username", dump_only=True)
    next_at = Instant(dump_only=True, allow_none=True)
    override = fields.Boolean(dump_only=True)


class ShiftSchema(Body):
    """One person on call from ``start`` until just before ``end``."""

    user = fields.String(dump_only=True)
    start = Instant(dump_only=True)
    end = Instant(dump_only=True)
    layer = fields.String(dump_only=True, allow_none=True)
    override_id = fields.Integer(dump_only=True, allow_none=True)
