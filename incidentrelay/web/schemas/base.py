"""What all schemas share: strictness, times, and the fields of every resource."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from incidentrelay.services.common import limits

SLUG = validate.Regexp(
    r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z",
    error="Write 1 to 63 lower-case letters, digits and hyphens.",
)
NAME = validate.Length(*limits.NAME)
TEXT = validate.Length(max=limits.DESCRIPTION)
INTEGER = 2**31 - 1


class Instant(fields.AwareDateTime):
    """A time with its zone, kept in UTC and written with ``Z``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", **options)

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kw: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: Any, data: Any, **kw: Any) -> datetime:
        given: datetime = super()._deserialize(value, attr, data, **kw)
        try:
            return given.astimezone(UTC)
        except OverflowError:
            raise ValidationError("This time is out of range.") from None


class Ref(fields.String):
    """The name of another row: ``Ref("user.username")`` reads along the path.

    Null where there is no such row. It is loaded as the text that was given.
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
    """The slugs of other rows, in their order."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.String(validate=SLUG), **options)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return [row.slug for row in getattr(obj, attr)]


class Body(Schema):
    """A JSON object; unknown fields are errors."""

    class Meta:
        unknown = RAISE


class Resource(Body):
    """What every resource shows besides its own fields.

    ``permissions`` is what the caller may do with it. ``version`` may be sent back
    when it is edited, and then must be the present one.
    """

    id = fields.Integer(dump_only=True)
    version = fields.Integer(strict=True, validate=validate.Range(1, INTEGER))
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)
    permissions = fields.List(fields.String(), dump_only=True)
    url = fields.String(dump_only=True)


class Slugged(Resource):
    """A resource that is named in URLs; without a slug, one is made from the name."""

    slug = fields.String(validate=SLUG)
    name = fields.String(required=True, validate=NAME)


class InTeam(Schema):
    """Which team and group a resource is in."""

    team = Ref("team.slug", dump_only=True, allow_none=False)
    group = Ref("team.group.slug", dump_only=True, allow_none=False)


class Flag(fields.Boolean):
    """True or false, and nothing that only looks like it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(truthy={True}, falsy={False}, **options)


def number(low: int, high: int, **options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(low, high), **options)
