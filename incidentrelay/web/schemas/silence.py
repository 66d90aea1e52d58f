"""Silences."""

from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from incidentrelay.domain.enums import Severity
from incidentrelay.domain.local_time import LATEST
from incidentrelay.services.common import limits
from incidentrelay.services.silences.silences import list_warnings
from incidentrelay.web.schemas.base import (
    TEXT,
    Body,
    Flag,
    Instant,
    InTeam,
    Ref,
    Resource,
    number,
)

_TIME = validate.Regexp(r"\A([01]\d|2[0-3]):[0-5]\d\Z", error="Write a time of day, like 02:30.")


class End(Instant):
    """A time, or null for never."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, **options)

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kw: Any) -> str | None:
        return super()._serialize(None if value == LATEST else value, attr, obj, **kw)


class MatcherWarnings(fields.List[str]):
    """Sentences about odd matchers of a silence."""

    def __init__(self) -> None:
        super().__init__(fields.String(), dump_only=True)

    def get_value(
        self, obj: Any, attr: str, accessor: Any = None, default: Any = None
    ) -> list[str | None]:
        return [*list_warnings(obj.matchers)]


class RecurrenceSchema(Body):
    """A window of ``duration`` seconds from ``start_time``, local time in ``zone``.

    ``rule`` is an RRULE of RFC 5545 with FREQ=DAILY, WEEKLY or MONTHLY and INTERVAL,
    BYDAY, BYMONTHDAY, BYMONTH, WKST, and COUNT or UNTIL. It starts on ``starts_on``.
    """

    rule = fields.String(required=True, validate=validate.Length(*limits.RECURRENCE_RULE))
    zone = fields.String(required=True, validate=validate.Length(*limits.ZONE))
    starts_on = fields.String(required=True, validate=validate.Length(*limits.ISO_DAY))
    start_time = fields.String(required=True, validate=_TIME)
    duration = number(*limits.SILENCE_DURATION, required=True)


class SilenceSchema(InTeam, Resource):
    """``starts_at`` defaults to now. ``everything`` allows matchers that match every alert.

    With a ``recurrence``, ``starts_at`` is computed, and no window is later than
    ``ends_at``, which is null if the recurrence never ends. ``warnings`` are sentences about
    matchers that contradict each other.
    """

    matchers = fields.List(
        fields.String(validate=validate.Length(*limits.MATCHER)),
        required=True,
        validate=validate.Length(max=limits.MATCHERS.high),
    )
    starts_at = Instant()
    ends_at = End()
    recurrence = fields.Nested(RecurrenceSchema, allow_none=True)
    reason = fields.String(load_default="", validate=TEXT)
    everything = Flag()
    created_by = Ref("created_by.username", dump_only=True)
    warnings = MatcherWarnings()


class SilenceWindowSchema(Body):
    start = Instant(dump_only=True)
    end = Instant(dump_only=True)


class CoveredAlertSchema(Body):
    id = fields.Integer(dump_only=True)
    title = fields.String(dump_only=True)
    severity = fields.Enum(Severity, by_value=True, dump_only=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), dump_only=True)
    opened_at = Instant(dump_only=True)


class SilencePreviewSchema(Body):
    """``firing`` counts alerts that would be quiet now; ``alerts`` are the newest of them.

    ``partly_covered`` more alerts would still page, because no silence covers some of their
    signals. ``recent`` counts alerts of the last 24 hours that it matches as a whole.
    ``incomplete``: there are too many alerts to check all. ``windows`` are the next ones.
    ``warnings`` are sentences about matchers that contradict each other.
    """

    firing = fields.Integer(dump_only=True)
    alerts = fields.List(fields.Nested(CoveredAlertSchema), dump_only=True)
    partly_covered = fields.Integer(dump_only=True)
    recent = fields.Integer(dump_only=True)
    incomplete = fields.Boolean(dump_only=True)
    windows = fields.List(fields.Nested(SilenceWindowSchema), dump_only=True)
    warnings = fields.List(fields.String(), dump_only=True)


class SilenceBodySchema(Body):
    """The fields of a proposed silence."""

    matchers = fields.List(fields.String(), dump_only=True)
    ends_at = Instant(dump_only=True)
    reason = fields.String(dump_only=True)


class SilenceProposalSchema(Body):
    """A silence for the signals of one alert; send ``body`` to ``url`` to create it.

    ``notes`` are sentences about where it covers more than these signals, and where their
    labels differ.
    """

    url = fields.String(dump_only=True)
    body = fields.Nested(SilenceBodySchema, dump_only=True)
    notes = fields.List(fields.String(), dump_only=True)
