"""One layer of a schedule: who takes turns, and when they hand over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import FIRST_YEAR, LAST_YEAR, zone_names
from incidentrelay.domain.oncall.restrictions import Window

MAX_MEMBERS = 200
MAX_WINDOWS = 50
MAX_NAME = 120
# About a year.
MAX_LENGTH = {
    ShiftUnit.HOURS: 8784,
    ShiftUnit.DAYS: 366,
    ShiftUnit.WEEKS: 52,
    ShiftUnit.MONTHS: 12,
}

_WEEKDAY = "This must be 0 (Monday) to 6 (Sunday)."
_TIME = "This must be a time of day in whole seconds, without a zone."


@dataclass(frozen=True, slots=True)
class Layer:
    """Members who take turns in order, and the grid of their shifts.

    ``members`` are user ids; a repeated id has two turns. A shift lasts ``length`` units.
    ``handoff_time`` is wall-clock time in ``zone``; ``handoff_weekday`` (0 = Monday) only
    matters for weeks. ``start_date`` anchors the turns; they also run backwards before it.
    ``windows`` restrict the layer; none means always. ``turn_offset`` shifts the order by that
    many members; edits set it to keep the current turn.
    """

    id: int | None
    name: str
    members: tuple[int, ...]
    unit: ShiftUnit
    length: int
    handoff_time: time
    handoff_weekday: int
    zone: str
    start_date: date
    windows: tuple[Window, ...] = ()
    turn_offset: int = 0

    def __hash__(self) -> int:
        # Layers are keys of several caches; hashing these few fields is fast and
        # distinguishes them well enough.
        return hash((self.id, self.name, self.start_date, self.members, self.length))


def validate_layer(layer: Layer) -> None:
    """Raise InvalidInput with one sentence per invalid field.

    Fields of windows are named like ``windows.0.weekday``. A layer without members is
    valid; it has nobody on call.
    """
    errors = {field: [sentence] for field, right, sentence in _checks(layer) if not right}
    if errors:
        raise InvalidInput(errors)


def _checks(layer: Layer) -> Iterator[tuple[str, bool, str]]:
    """Yield field, whether it is valid, and the message if it is not."""
    longest = MAX_LENGTH[layer.unit]
    named = bool(layer.name.strip()) and len(layer.name) <= MAX_NAME
    in_years = FIRST_YEAR <= layer.start_date.year <= LAST_YEAR
    yield "name", named, f"This must have 1 to {MAX_NAME} characters."
    yield "members", len(layer.members) <= MAX_MEMBERS, f"This may have at most {MAX_MEMBERS}."
    yield "length", 1 <= layer.length <= longest, f"This must be 1 to {longest} {layer.unit}."
    yield "handoff_weekday", layer.handoff_weekday in range(7), _WEEKDAY
    yield "handoff_time", _is_wall_time(layer.handoff_time), _TIME
    yield "zone", layer.zone in zone_names(), "There is no time zone of this name."
    yield "start_date", in_years, f"This must be in the years {FIRST_YEAR} to {LAST_YEAR}."
    yield "windows", len(layer.windows) <= MAX_WINDOWS, f"This may have at most {MAX_WINDOWS}."
    for index, window in enumerate(layer.windows[:MAX_WINDOWS]):
        yield f"windows.{index}.weekday", window.weekday in range(7), _WEEKDAY
        yield f"windows.{index}.opens", _is_wall_time(window.opens), _TIME
        yield f"windows.{index}.closes", _is_wall_time(window.closes), _TIME


def _is_wall_time(value: time) -> bool:
    return value.tzinfo is None and value.microsecond == 0
