"""The query parameters of lists."""

from marshmallow import RAISE, Schema, fields, validate

from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import SLUG, Instant


class Query(Schema):
    class Meta:
        unknown = RAISE


class PageQuery(Query):
    """``cursor`` is ``next`` of the previous page. ``-`` before ``sort`` reverses the order."""

    limit = fields.Integer(load_default=50, validate=validate.Range(*limits.PAGE))
    cursor = fields.String(load_default=None, validate=validate.Length(max=limits.CURSOR))
    sort = fields.String(load_default=None, validate=validate.Length(max=limits.SORT))


class AlertFilterQuery(Query):
    """``q`` is matchers like ``{severity="critical"}``, or else a part of the title."""

    status = fields.Enum(AlertStatus, by_value=True)
    severity = fields.Enum(Severity, by_value=True)
    group = fields.String(validate=SLUG)
    team = fields.String(validate=SLUG)
    route = fields.String(validate=SLUG)
    assignee = fields.String(validate=validate.Length(*limits.USERNAME))
    q = fields.String(validate=validate.Length(*limits.SEARCH))


class AlertQuery(AlertFilterQuery, PageQuery):
    """The list's filter; missing fields match everything."""


class OnCallQuery(PageQuery):
    """``user`` (a username): only rotations where this person is on call then."""

    at = Instant()
    group = fields.String(validate=SLUG)
    team = fields.String(validate=SLUG)
    rotation = fields.String(validate=SLUG)
    user = fields.String(validate=validate.Length(*limits.USERNAME))


class InstantQuery(Query):
    at = Instant()


class ShiftQuery(Query):
    """Default: 30 days from now."""

    start = Instant()
    end = Instant()


class DepartureQuery(Query):
    """``confirm``: even if others depend on the person."""

    confirm = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})


class RouteDeletionQuery(Query):
    """``resolve``: also resolve the open alerts of the route."""

    resolve = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})


class TokenReplacementQuery(Query):
    """``keep_old``: for how many seconds the old token works."""

    keep_old = fields.Integer(load_default=0, validate=validate.Range(*limits.KEEP_OLD_TOKEN))
