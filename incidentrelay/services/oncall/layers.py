"""Layers as people write and read them: members by username, times as text.

::

    {"key": 1, "name": "Office hours", "members": ["ann", "bob"],
     "unit": "weeks", "length": 1, "handoff_time": "09:00", "handoff_weekday": 0,
     "zone": "Europe/Paris", "start_date": "2026-03-02",
     "windows": [{"weekday": 0, "opens": "09:00", "closes": "17:00"}]}

``key`` is given by the system and names the same layer over all edits.
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
from incidentrelay.services.oncall.schedules import parse_wall_time

MAX_LAYERS = limits.LAYERS.high
_KINDS = {"daily": ShiftUnit.DAYS, "weekly": ShiftUnit.WEEKS}


def parse_time_of_day(value: Any) -> time:
    """A time, or its text like ``09:00``; a check (see :mod:`checks`)."""
    try:
        parsed = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        raise ValueError("Write a time of day, like 09:00.") from None
    return parsed


def parse_day(value: Any) -> date:
    """A date, or its text like ``2026-03-02``; a check."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("Write a date, like 2026-03-02.") from None


def layer_kind(value: Any) -> ShiftUnit:
    """``daily`` or ``weekly``, as the unit of shifts; a check."""
    if not isinstance(value, str) or value not in _KINDS:
        raise ValueError("Write daily or weekly.")
    return _KINDS[value]


def _members(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > 200:
        raise ValueError("Give a list of at most 200 usernames.")
    return [validation.line(*limits.USERNAME)(entry) for entry in value]


# What a rotation with a single layer takes directly.
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
    found = []
    for index, entry in enumerate(value[:51]):
        try:
            found.append(Window(**validation.clean(_mapping(entry), _WINDOW, required=_WINDOW)))
        except InvalidInput as error:
            raise error.under(str(index)) from None
    return tuple(found)


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
    """The layers of ``data`` (lowest first); members must be members of the group.

    An entry is the same layer as one of ``known`` where it has its key, or its name
    without a key; what it leaves out stays as it was there. Raises InvalidInput
    with fields like ``layers.0.zone``.
    """
    if not isinstance(data, (list, tuple)) or not 1 <= len(data) <= MAX_LAYERS:
        raise InvalidInput.of("layers", f"Give a list of 1 to {MAX_LAYERS} layers.")
    free = {layer.id: layer for layer in known}
    kept = {user_id for layer in known for user_id in layer.members}
    found: list[Layer] = []
    for index, entry in enumerate(data):
        try:
            values = validation.clean(_mapping(entry), _LAYER)
            found.append(_one(session, group_id, values, index, free, kept, now))
        except InvalidInput as error:
            raise error.under(f"layers.{index}") from None
    return tuple(found)


def single_layer(
    session: Session,
    group_id: int,
    values: Mapping[str, Any],
    *,
    now: datetime,
    known: Sequence[Layer] = (),
) -> tuple[Layer, ...]:
    """The only layer of a rotation, from the checked fields of SINGLE.

    Raises Conflict where the rotation has several layers.
    """
    if len(known) > 1:
        raise Conflict("This rotation has several layers; change them in layers.")
    fields = {field: value for field, value in values.items() if field != "kind"}
    if "kind" in values:
        fields |= {"unit": values["kind"], "length": 1}
    free = {layer.id: layer for layer in known}
    kept = {user_id for layer in known for user_id in layer.members}
    if known:
        fields["key"] = known[0].id
    return (_one(session, group_id, fields, 0, free, kept, now),)


def number_errors(layers: Sequence[Layer], highest: int) -> tuple[Layer, ...]:
    """``layers`` with keys above ``highest`` for those that are new."""
    made = []
    for layer in layers:
        if layer.id is None:
            highest += 1
            layer = replace(layer, id=highest)
        made.append(layer)
    return tuple(made)


def show_layer(layers: Sequence[Layer], usernames: Mapping[int, str]) -> list[dict[str, Any]]:
    """Layers as JSON; people who do not exist any more are left out."""
    return [
        {
            "key": layer.id,
            "name": layer.name,
            "members": [usernames[person] for person in layer.members if person in usernames],
            "unit": str(layer.unit),
            "length": layer.length,
            "handoff_time": parse_wall_time(layer.handoff_time),
            "handoff_weekday": layer.handoff_weekday,
            "zone": layer.zone,
            "start_date": layer.start_date.isoformat(),
            "windows": [
                {
                    "weekday": window.weekday,
                    "opens": parse_wall_time(window.opens),
                    "closes": parse_wall_time(window.closes),
                }
                for window in layer.windows
            ],
        }
        for layer in layers
    ]


def _one(
    session: Session,
    group_id: int,
    values: Mapping[str, Any],
    index: int,
    free: dict[int | None, Layer],
    kept: Collection[int],
    now: datetime,
) -> Layer:
    fields = dict(values)
    known = _same(fields, free)
    if "members" in fields:
        users = user_lookup.find_members(session, group_id, fields["members"], "members", keep=kept)
        fields["members"] = tuple(user.id for user in users)
    fields.pop("key", None)
    layer = replace(known, **fields) if known else _new(fields, index, now)
    validate_layer(layer)
    return layer


def _same(fields: Mapping[str, Any], free: dict[int | None, Layer]) -> Layer | None:
    key = fields.get("key")
    if key is None:
        names = [layer.id for layer in free.values() if layer.name == fields.get("name")]
        return free.pop(names[0]) if len(names) == 1 else None
    if key not in free:
        raise InvalidInput.of("key", "No layer has this key, or it is listed twice.")
    return free.pop(key)


def _new(fields: Mapping[str, Any], index: int, now: datetime) -> Layer:
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
    values = {**defaults, **fields}
    # The day of the handoff that was last: so the first member is on call from now on.
    handoff = values["handoff_time"]
    wall = now.astimezone(ZoneInfo(values["zone"])).replace(tzinfo=None)
    today = (wall - timedelta(hours=handoff.hour, minutes=handoff.minute)).date()
    return Layer(id=None, **{"start_date": today, **values})


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput.of("value", "This must be an object.")
    return value
