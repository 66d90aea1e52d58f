"""Import of a calendar into a rotation."""

from marshmallow import fields, validate

from incidentrelay.services.calendars.import_plan import ImportAction
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import Body, Flag, Instant, Ref

_TEXT = validate.Length(*limits.CALENDAR_TEXT)
_URL = validate.Length(*limits.CALENDAR_URL)


class ImportSchema(Body):
    """A calendar (iCalendar) as ``text``, or the ``url`` to fetch it from.

    ``dry_run`` only previews. ``skip_problems`` skips events with problems; otherwise one
    such event prevents the import. ``whole``: the calendar is the whole roster, and earlier
    imports missing from it are removed.
    """

    text = fields.String(load_default=None, allow_none=True, validate=_TEXT)
    url = fields.String(load_default=None, allow_none=True, validate=_URL)
    dry_run = Flag(load_default=True)
    skip_problems = Flag(load_default=False)
    whole = Flag(load_default=False)


class ImportedOverrideSchema(Body):
    """The effect of one event: ``action`` on an override."""

    action = fields.Enum(ImportAction, by_value=True, dump_only=True)
    user = Ref("user.username", dump_only=True, allow_none=False)
    starts_at = Instant(attribute="start", dump_only=True)
    ends_at = Instant(attribute="end", dump_only=True)
    summary = fields.String(dump_only=True)


class ImportProblemSchema(Body):
    """A skipped event and the reason; ``start`` is null if the problem concerns all its times."""

    summary = fields.String(dump_only=True)
    start = Instant(dump_only=True, allow_none=True)
    sentence = fields.String(dump_only=True)


class ImportReportSchema(Body):
    """``overrides`` that are created, changed, kept or removed; only done if ``applied``."""

    applied = fields.Boolean(dump_only=True)
    overrides = fields.List(
        fields.Nested(ImportedOverrideSchema), attribute="planned", dump_only=True
    )
    problems = fields.List(fields.Nested(ImportProblemSchema), dump_only=True)
