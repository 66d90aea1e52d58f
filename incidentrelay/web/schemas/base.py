"""The base of all schemas: strictness, times, and common fields."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from incidentrelay.services.common import limits

SLUG = validate.Regexp(
    r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z",
    error="Use 1 to 63 lower-case letters, digits and hyphens.",
)
NAME = validate.Length(*limits.NAME)
TEXT = validate.Length(max=limits.DESCRIPTION)
INTEGER = 2**31 - 1


def shown_instant(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Instant(fields.AwareDateTime):
    """A time with an offset, stored in UTC and shown with ``Z``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", **options)

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kw: Any) -> str | None:
        return shown_instant(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kw: Any) -> datetime:
        given: datetime = super()._deserialize(value, attr, data, **kw)
        try:
            return given.astimezone(UTC)
        except OverflowError:
            raise ValidationError("This time is out of range.") from None


class Ref(fields.String):
    """The name of another row: ``Ref("user.username")`` follows the path.

    Null if there is no such row. Loads as the text in the request.
    """

    def __init__(self, path: str, **options: Any) -> None:
        if options.get("dump_only"):
            options.setdefault("allow_none", True)
        super().__init__(**options)
        self.path = path.split(".")

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        for name in self.path:
            if obj is not None:
                obj = getattr(obj, name)
        return obj


class Refs(fields.List[str]):
    """The slugs of other rows, in order."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.String(validate=SLUG), **options)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return [row.slug for row in getattr(obj, attr)]


class Body(Schema):
    """A JSON object; unknown fields are errors."""

    class Meta:
        unknown = RAISE


class Resource(Body):
    """The common fields of resources.

    ``permissions`` lists what you may do with it. An edit may send ``version``, which must
    then be the current one.
    """

    id = fields.Integer(dump_only=True)
    version = fields.Integer(strict=True, validate=validate.Range(1, INTEGER))
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class Slugged(Resource):
    """A resource with a slug in its URL. A missing slug is derived from the name."""

    slug = fields.String(validate=SLUG)
    name = fields.String(required=True, validate=NAME)


class InTeam(Schema):
    """The team and group of a resource."""

    team = Ref("team.slug", dump_only=True, allow_none=False)
    group = Ref("team.group.slug", dump_only=True, allow_none=False)


class Flag(fields.Boolean):
    """True or false; rejects other values that look like a boolean."""

    def __init__(self, **options: Any) -> None:
        super().__init__(truthy={True}, falsy={False}, **options)


def number(low: int, high: int, **options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(low, high), **options)
