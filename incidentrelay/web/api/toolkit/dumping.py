"""Dumps rows by a schema that is walked once, not for every row.

Serialising was most of the time of a list: marshmallow looks at every field of every row
anew. Here each field becomes two functions, one that gets the value from a row and one that
shows it. Fields of other types are left to marshmallow.
"""

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any

from marshmallow import Schema, fields, missing

from incidentrelay.web.schemas.base import Flag, Instant, Ref, shown_instant

Dump = Callable[[Any], dict[str, Any]]
_Function = Callable[[Any], Any]

_SHOWN: Mapping[type[Any], _Function] = {
    fields.Boolean: bool,
    fields.Integer: int,
    fields.String: str,
    Flag: bool,
    Instant: shown_instant,
    Ref: str,
}


@cache
def dumper(schema_class: type[Schema]) -> Dump:
    """A function that returns what ``schema_class().dump`` does."""
    schema = schema_class()
    columns = [
        (field.data_key or name, *_functions(schema, name, field))
        for name, field in schema.dump_fields.items()
    ]

    def dump(row: Any) -> dict[str, Any]:
        if hasattr(row, "__getitem__"):
            # A mapping, which has items instead of attributes.
            shown: dict[str, Any] = schema.dump(row)
            return shown
        values = ((key, get(row), show) for key, get, show in columns)
        return {
            key: value if value is None else show(value)
            for key, value, show in values
            if value is not missing
        }

    return dump


def _functions(schema: Schema, name: str, field: Any) -> tuple[_Function, _Function]:
    show = _shown(field)
    if show is None or "." in (field.attribute or ""):
        return lambda row: field.serialize(name, row, schema.get_attribute), _same
    if type(field) is Ref:
        return lambda row: field.get_value(row, name), show
    attribute = field.attribute or name
    return lambda row: getattr(row, attribute, missing), show


def _shown(field: Any) -> _Function | None:
    """How a value of the field is shown; None if marshmallow must do it."""
    kind = type(field)
    if kind is fields.Enum and field.by_value:
        return attrgetter("value")
    if kind is fields.Dict and _is_text(field.key_field) and _is_text(field.value_field):
        return _same
    if kind is fields.List and _is_text(field.inner):
        return list
    return _SHOWN.get(kind)


def _is_text(field: Any) -> bool:
    return type(field) is fields.String


def _same(value: Any) -> Any:
    return value
