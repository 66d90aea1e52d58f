"""The on-call report."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from incidentrelay.domain.reports.on_call_hours import decimal
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import SLUG, Instant, Ref

_NAME = validate.Length(max=limits.REFERENCE.high)
_TIME = validate.Regexp(r"\A([01]\d|2[0-3]):[0-5]\d\Z", error="Enter a time of day, like 22:00.")
_COUNTRY = validate.Regexp(r"\A[A-Za-z]{2}\Z", error="Enter two letters, like DE.")
_WEEKEND = validate.Regexp(
    r"\A([0-6](,[0-6])*|none)\Z", error="Enter weekdays like 5,6 (0 is Monday), or none."
)


class OnCallReportQuery(Schema):
    """``from`` and ``to`` are dates, inclusive; at most 400 days.

    ``zone`` defaults to the zone that all rotations share, else your own.
    """

    class Meta:
        unknown = RAISE

    first = fields.Date(data_key="from", required=True)
    last = fields.Date(data_key="to", required=True)
    zone = fields.String(validate=validate.Length(max=limits.ZONE.high))
    group = fields.String(validate=SLUG)
    team = fields.String(validate=SLUG)
    rotation = fields.String(validate=_NAME)
    user = fields.String(validate=validate.Length(*limits.USERNAME))
    country = fields.String(validate=_COUNTRY)
    subdivision = fields.String(validate=validate.Length(*limits.SUBDIVISION))
    night_from = fields.String(validate=_TIME)
    night_to = fields.String(validate=_TIME)
    weekend = fields.String(validate=_WEEKEND)


class Decimal(fields.Float):
    """Elapsed time in hours, rounded to two decimals."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kw: Any) -> float:
        return float(decimal(value))


class HoursSchema(Schema):
    weekday = Decimal()
    night = Decimal()
    weekend = Decimal()
    holiday = Decimal()
    total = Decimal()


class HoursTotalSchema(Schema):
    hours = fields.Nested(HoursSchema)
    pages = fields.Integer()
    night_pages = fields.Integer()


class PersonHoursSchema(HoursTotalSchema):
    user = Ref("user.username", dump_only=True, allow_none=False)
    name = Ref("user.display_name", dump_only=True, allow_none=False)


class RotationHoursSchema(HoursTotalSchema):
    """``rotation`` is null for the team's pages to people who were not on call."""

    group = Ref("team.group.slug", dump_only=True, allow_none=False)
    team = Ref("team.slug", dump_only=True, allow_none=False)
    rotation = Ref("rotation.slug", dump_only=True)


class HoursLineSchema(PersonHoursSchema, RotationHoursSchema):
    pass


class HolidaySchema(Schema):
    date = fields.Date()
    name = fields.String()


class OnCallReportSchema(Schema):
    """``start`` and ``end`` delimit the period in ``zone``."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    zone = fields.String()
    start = Instant()
    end = Instant()
    holidays = fields.List(fields.Nested(HolidaySchema))
    lines = fields.List(fields.Nested(HoursLineSchema))
    people = fields.List(fields.Nested(PersonHoursSchema))
    rotations = fields.List(fields.Nested(RotationHoursSchema))
    total = fields.Nested(HoursTotalSchema)
