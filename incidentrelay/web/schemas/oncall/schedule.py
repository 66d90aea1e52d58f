"""Preview and quality of a schedule, and transfers of shifts."""

from marshmallow import RAISE, Schema, fields, validate

from incidentrelay.domain.oncall.coverage import CoverageProblemKind
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import TEXT, Body, Instant
from incidentrelay.web.schemas.oncall.rotation import GapSchema, ScheduleFields, ShiftSchema

_USERNAME = validate.Length(*limits.USERNAME)


class SpanQuery(Schema):
    """Default: 28 days from now. At most 92 days."""

    class Meta:
        unknown = RAISE

    start = Instant(data_key="from")
    end = Instant(data_key="to")


class NewOverrideSchema(Body):
    """An override to preview; ``starts_at`` defaults to now."""

    user = fields.String(required=True, validate=_USERNAME)
    starts_at = Instant()
    ends_at = Instant(required=True)
    reason = fields.String(validate=TEXT)


class PreviewRequestSchema(Body, ScheduleFields):
    """An edit of the schedule, and new overrides; by default for the next 28 days."""

    overrides = fields.List(
        fields.Nested(NewOverrideSchema),
        validate=validate.Length(max=limits.PREVIEW_OVERRIDES.high),
    )
    start = Instant(data_key="from")
    end = Instant(data_key="to")


class ChangeSchema(Body):
    """A different person is on call from ``start`` until just before ``end``; null is nobody."""

    start = Instant(dump_only=True)
    end = Instant(dump_only=True)
    before = fields.String(dump_only=True, allow_none=True)
    after = fields.String(dump_only=True, allow_none=True)


class WorkloadSchema(Body):
    """The hours of one person; night and weekend hours are included in ``hours``.

    ``member``: in a layer. ``reachable``: has a contact that a page can go to.
    """

    user = fields.String(dump_only=True)
    display_name = fields.String(dump_only=True)
    member = fields.Boolean(dump_only=True)
    active = fields.Boolean(dump_only=True)
    reachable = fields.Boolean(dump_only=True)
    hours = fields.Float(dump_only=True)
    night_hours = fields.Float(dump_only=True)
    weekend_hours = fields.Float(dump_only=True)


class CoverageProblemSchema(Body):
    """A problem as a sentence; ``user`` is null unless it concerns one person."""

    kind = fields.Enum(CoverageProblemKind, by_value=True, dump_only=True)
    sentence = fields.String(dump_only=True)
    user = fields.String(dump_only=True, allow_none=True)


class QualitySchema(Body):
    """The quality of a schedule from ``start`` to ``end``.

    Nights (22:00 to 06:00) and weekends are local to ``zone``. ``balance`` is 1 if all active
    members have equal hours, and 0 if one has all.
    """

    start = Instant(dump_only=True)
    end = Instant(dump_only=True)
    zone = fields.String(dump_only=True)
    gaps = fields.List(fields.Nested(GapSchema), dump_only=True)
    gap_hours = fields.Float(dump_only=True)
    balance = fields.Float(dump_only=True)
    single_member = fields.Boolean(dump_only=True)
    people = fields.List(fields.Nested(WorkloadSchema), dump_only=True)
    problems = fields.List(fields.Nested(CoverageProblemSchema), dump_only=True)


class PreviewSchema(Body):
    """Shifts before and after; ``gaps`` and ``quality`` are those after.

    A shift with neither a layer nor an ``override_id`` belongs to a previewed override.
    """

    before = fields.List(fields.Nested(ShiftSchema), dump_only=True)
    after = fields.List(fields.Nested(ShiftSchema), dump_only=True)
    changes = fields.List(fields.Nested(ChangeSchema), dump_only=True)
    gaps = fields.List(fields.Nested(GapSchema), dump_only=True)
    quality = fields.Nested(QualitySchema, dump_only=True)


class TakeSchema(Body):
    """The shift that contains ``at`` (default: now), until ``until`` (default: its end)."""

    at = Instant()
    until = Instant()


class CoverSchema(Body):
    """``user`` replaces another person (default: you) between two times."""

    user = fields.String(required=True, validate=_USERNAME)
    covered = fields.String(data_key="for", validate=_USERNAME)
    start = Instant(data_key="from", required=True)
    end = Instant(data_key="to", required=True)


class SwapSchema(Body):
    """Swaps your shift that contains ``mine`` for another's that contains ``theirs``."""

    mine = Instant(required=True)
    theirs = Instant(required=True)
