"""Layers in API format: members by username, times as text.

::

    {"key": 1, "name": "Office hours", "members": ["ann", "bob"],
     "unit": "weeks", "length": 1, "handoff_time": "09:00", "handoff_weekday": 0,
     "zone": "Europe/Paris", "start_date": "2026-03-02",
     "windows": [{"weekday": 0, "opens": "09:00", "closes": "17:00"}]}

``key`` is assigned by the system and identifies a layer across edits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.oncall.layers import Layer, validate_layer
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import limits, validation
from incidentrelay.services.oncall.schedules import format_wall_time

MAX_LAYERS = limits.LAYERS.high
_KINDS = {"daily": ShiftUnit.DAYS, "weekly": ShiftUnit.WEEKS}


def parse_time_of_day(value: Any) -> time:
    """A time, or text like ``09:00``; a check (see services/common/validation.py)."""
    try:
        parsed = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        raise ValueError("Enter a time of day, like 09:00.") from None
    return parsed


def parse_day(value: Any) -> date:
    """A date, or text like ``2026-03-02``; a check."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("Enter a date, like 2026-03-02.") from None


def layer_kind(value: Any) -> ShiftUnit:
    """The unit of shifts for ``daily`` or ``weekly``; a check."""
    if not isinstance(value, str) or value not in _KINDS:
        raise ValueError("This must be daily or weekly.")
    return _KINDS[value]


def _members(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > 200:
        raise ValueError("Give a list of at most 200 usernames.")
    return [validation.line(*limits.USERNAME)(entry) for entry in value]


# Layer fields that a rotation with a single layer accepts itself.
SINGLE: Mapping[str, validation.Check] = {
    "kind": layer_kind,
    "members": _members,
    "zone": validation.zone,
    "handoff_time": parse_time_of_day,
    "handoff_weekday": validation.number(*limits.WEEKDAY),
    "start_date": parse_day,
}
_WINDOW: Mapping[str, validation.Check] = {
    "weekday": validation.number(*limits.WEEKDAY),
    "opens": parse_time_of_day,
    "closes": parse_time_of_day,
}


def _windows(value: Any) -> tuple[Window, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError("Give a list of windows.")
    windows = []
    for index, entry in enumerate(value[:51]):
        try:
            windows.append(Window(**validation.clean(_mapping(entry), _WINDOW, required=_WINDOW)))
        except InvalidInput as error:
            raise error.under(str(index)) from None
    return tuple(windows)


_LAYER: Mapping[str, validation.Check] = {
    **{field: check for field, check in SINGLE.items() if field != "kind"},
    "key": validation.optional(validation.number(*limits.LAYER_KEY)),
    "name": validation.NAME,
    "unit": validation.word(ShiftUnit),
    "length": validation.number(*limits.SHIFT_LENGTH),
    "windows": _windows,
}


def read_layers(
    session: Session, group_id: int, data: Any, *, now: datetime, known: Sequence[Layer] = ()
) -> tuple[Layer, ...]:
    """Parse the layers of ``data``, lowest first; members must belong to the group.

    An entry edits the layer of ``known`` with its key or, without a key, with its name;
    missing fields keep their values. Raises InvalidInput with fields like
    ``layers.0.zone``.
    """
    if not isinstance(data, (list, tuple)) or not 1 <= len(data) <= MAX_LAYERS:
        raise InvalidInput.of("layers", f"Give a list of 1 to {MAX_LAYERS} layers.")
    free = {layer.id: layer for layer in known}
    kept = {user_id for layer in known for user_id in layer.members}
    layers: list[Layer] = []
    for index, entry in enumerate(data):
        try:
            fields = validation.clean(_mapping(entry), _LAYER)
            base = _match_known(fields, free) or _new_layer(fields, index, now)
            layers.append(_edit_layer(session, group_id, base, fields, kept))
        except InvalidInput as error:
            raise error.under(f"layers.{index}") from None
    return tuple(layers)


def single_layer(
    session: Session,
    group_id: int,
    values: Mapping[str, Any],
    *,
    now: datetime,
    known: Sequence[Layer] = (),
) -> tuple[Layer, ...]:
    """The only layer of a rotation, from checked fields of SINGLE.

    Raises Conflict if the rotation has several layers.
    """
    if len(known) > 1:
        raise Conflict("This rotation has several layers; use the field “layers”.")
    fields = {field: value for field, value in values.items() if field != "kind"}
    if "kind" in values:
        fields |= {"unit": values["kind"], "length": 1}
    kept = {user_id for layer in known for user_id in layer.members}
    base = known[0] if known else _new_layer(fields, 0, now)
    return (_edit_layer(session, group_id, base, fields, kept),)


def number_layers(layers: Sequence[Layer], highest: int) -> tuple[Layer, ...]:
    """Give new layers consecutive keys above ``highest``."""
    numbered = []
    for layer in layers:
        if layer.id is None:
            highest += 1
            layer = replace(layer, id=highest)
        numbered.append(layer)
    return tuple(numbered)


def show_layers(layers: Sequence[Layer], usernames: Mapping[int, str]) -> list[dict[str, Any]]:
    """Layers as JSON, without members who no longer exist."""
    return [
        {
            "key": layer.id,
            "name": layer.name,
            "members": [usernames[person] for person in layer.members if person in usernames],
            "unit": str(layer.unit),
            "length": layer.length,
            "handoff_time": format_wall_time(layer.handoff_time),
            "handoff_weekday": layer.handoff_weekday,
            "zone": layer.zone,
            "start_date": layer.start_date.isoformat(),
            "windows": [
                {
                    "weekday": window.weekday,
                    "opens": format_wall_time(window.opens),
                    "closes": format_wall_time(window.closes),
                }
                for window in layer.windows
            ],
        }
        for layer in layers
    ]


def _edit_layer(
    session: Session, group_id: int, base: Layer, fields: Mapping[str, Any], kept: Collection[int]
) -> Layer:
    """``base`` with the given fields; ``kept`` people stay even if inactive."""
    changes = {field: value for field, value in fields.items() if field != "key"}
    if "members" in changes:
        names = changes["members"]
        users = user_lookup.find_members(session, group_id, names, "members", keep=kept)
        changes["members"] = tuple(user.id for user in users)
    layer = replace(base, **changes)
    validate_layer(layer)
    return layer


def _match_known(fields: Mapping[str, Any], free: dict[int | None, Layer]) -> Layer | None:
    key = fields.get("key")
    if key is None:
        names = [layer.id for layer in free.values() if layer.name == fields.get("name")]
        return free.pop(names[0]) if len(names) == 1 else None
    if key not in free:
        raise InvalidInput.of("key", "No layer has this key, or it is listed twice.")
    return free.pop(key)


def _new_layer(fields: Mapping[str, Any], index: int, now: datetime) -> Layer:
    """A layer with defaults for missing fields; its members are still to be set."""
    if not fields.get("members"):
        raise InvalidInput.of("members", "Name at least one member.")
    defaults: dict[str, Any] = {
        "name": f"Layer {index + 1}",
        "unit": ShiftUnit.WEEKS,
        "length": 1,
        "handoff_time": time(9),
        "handoff_weekday": 0,
        "zone": "UTC",
    }
    values = {**defaults, **fields, "members": ()}
    # The day of the last handoff, so that the first member is on call now.
    handoff = values["handoff_time"]
    wall = now.astimezone(ZoneInfo(values["zone"])).replace(tzinfo=None)
    today = (wall - timedelta(hours=handoff.hour, minutes=handoff.minute)).date()
    values.pop("key", None)
    return Layer(id=None, **{"start_date": today, **values})


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput.of("value", "This must be an object.")
    return value
