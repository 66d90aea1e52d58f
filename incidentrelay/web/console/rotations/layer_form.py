"""The layers of a schedule as the editor's form has them: texts, lowest layer first.

The buttons are those of :mod:`incidentrelay.web.console.forms.repeating_rows`. Fields are named by
their place: ``layers.0.zone``, ``layers.0.hours.1.opens``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any, ClassVar

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.services.oncall.layers import MAX_LAYERS
from incidentrelay.web.console.forms import forms, repeating_rows
from incidentrelay.web.console.forms.repeating_rows import number, rows, several, swap
from incidentrelay.web.console.rotations.layer_wording import by_time

_TEXTS = (
    "key",
    "name",
    "unit",
    "length",
    "handoff_time",
    "handoff_weekday",
    "zone",
    "start_date",
)
_MOST_HOURS = 50
_MOST_MEMBERS = 200
_WINDOW = re.compile(r"layers\.(\d+)\.windows\.(\d+)(?:\.(\w+))?")


@dataclass(slots=True)
class HoursDraft:
    """A restriction: some weekdays, and from when to when."""

    mark: ClassVar[str] = "opens"

    weekdays: list[str] = field(default_factory=lambda: list("01234"), metadata=several(7))
    opens: str = "09:00"
    closes: str = "17:00"

    @property
    def empty(self) -> bool:
        return not (self.weekdays or self.opens or self.closes)


@dataclass(slots=True)
class LayerDraft:
    """One layer; ``members`` are usernames in the order of their turns.

    ``person`` is the one being added.
    """

    mark: ClassVar[str] = "name"

    key: str = ""
    name: str = ""
    unit: str = "weeks"
    length: str = "1"
    handoff_time: str = "09:00"
    handoff_weekday: str = "0"
    zone: str = "UTC"
    start_date: str = ""
    members: list[str] = field(default_factory=list, metadata=several(_MOST_MEMBERS + 1))
    person: str = ""
    hours: list[HoursDraft] = field(default_factory=list, metadata=rows(HoursDraft, _MOST_HOURS))


def layer_drafts(layers: Sequence[Mapping[str, Any]]) -> list[LayerDraft]:
    """The drafts of layers as the API shows them."""
    return [
        LayerDraft(
            **{name: str(layer[name]) for name in _TEXTS},
            members=list(layer["members"]),
            hours=list(_hours_of(layer["windows"])),
        )
        for layer in layers
    ]


def read_drafts(request: Any) -> list[LayerDraft]:
    """What the browser sent. The person being added joins the members."""
    drafts: list[LayerDraft] = repeating_rows.read_rows(LayerDraft, request, "layers", MAX_LAYERS)
    for draft in drafts:
        chosen = [draft.person] if draft.person else []
        draft.members, draft.person = [*draft.members, *chosen][: _MOST_MEMBERS + 1], ""
    return drafts


def to_json(drafts: Sequence[LayerDraft]) -> list[dict[str, Any]]:
    """The layers in the API's format; raises InvalidInput if hours have no day."""
    errors = {
        f"layers.{place}.hours.{row}.weekdays": ["Choose at least one day."]
        for place, draft in enumerate(drafts)
        for row, hours in enumerate(draft.hours)
        if not hours.empty and not hours.weekdays
    }
    if errors:
        raise InvalidInput(errors)
    return [_json(draft) for draft in drafts]


def place_errors(error: InvalidInput, drafts: Sequence[LayerDraft]) -> InvalidInput:
    """The error with the names of this form's fields."""
    return forms.rename_errors(error, lambda name: _place(name, drafts))


def _hours_of(windows: Sequence[Mapping[str, Any]]) -> Iterator[HoursDraft]:
    times = time.fromisoformat
    found = [Window(row["weekday"], times(row["opens"]), times(row["closes"])) for row in windows]
    for (opens, closes), weekdays in by_time(found).items():
        yield HoursDraft([str(day) for day in weekdays], _clock(opens), _clock(closes))


def _clock(value: time) -> str:
    return value.isoformat("seconds" if value.second else "minutes")


def _json(draft: LayerDraft) -> dict[str, Any]:
    texts = {name: getattr(draft, name) for name in _TEXTS}
    numbers = {name: number(texts.pop(name)) for name in ("key", "length", "handoff_weekday")}
    if not numbers["key"]:
        numbers["key"] = None
    if not texts["start_date"]:
        # A new layer begins today; an existing one keeps the anchor of its turns.
        del texts["start_date"]
    return {**texts, **numbers, "members": draft.members, "windows": _windows(draft)}


def _windows(draft: LayerDraft) -> list[dict[str, Any]]:
    return [
        {"weekday": number(day), "opens": hours.opens, "closes": hours.closes}
        for hours in draft.hours
        for day in hours.weekdays
    ]


def _place(name: str, drafts: Sequence[LayerDraft]) -> str:
    """``layers.0.windows.3.opens`` is a field of the row of hours that the window came from."""
    match = _WINDOW.fullmatch(name)
    if match is None or int(match[1]) >= len(drafts):
        return name
    rows = [row for row, hours in enumerate(drafts[int(match[1])].hours) for _ in hours.weekdays]
    if int(match[2]) >= len(rows):
        return name
    field_name = match[3] if match[3] in {"opens", "closes"} else "weekdays"
    return f"layers.{match[1]}.hours.{rows[int(match[2])]}.{field_name}"


def _add_layer(drafts: list[LayerDraft], zone: str) -> None:
    if len(drafts) < MAX_LAYERS:
        model = drafts[-1] if drafts else LayerDraft(zone=zone)
        name = f"Layer {len(drafts) + 1}"
        drafts.append(replace(model, key="", name=name, members=[], hours=[], start_date=""))


def _remove_layer(drafts: list[LayerDraft], _zone: str, place: int) -> None:
    if len(drafts) > 1:
        del drafts[place]


BUTTONS: Mapping[str, repeating_rows.Button] = {
    "add": lambda drafts, zone, place: drafts[place],
    "member-up": lambda drafts, zone, at, row: swap(drafts[at].members, row, row - 1),
    "member-down": lambda drafts, zone, at, row: swap(drafts[at].members, row, row + 1),
    "member-remove": lambda drafts, zone, at, row: drafts[at].members.pop(row),
    "hours-add": lambda drafts, zone, at: drafts[at].hours.append(HoursDraft()),
    "hours-remove": lambda drafts, zone, at, row: drafts[at].hours.pop(row),
    # The page shows higher layers above lower ones.
    "layer-up": lambda drafts, zone, at: swap(drafts, at, at + 1),
    "layer-down": lambda drafts, zone, at: swap(drafts, at, at - 1),
    "layer-remove": _remove_layer,
    "layer-add": _add_layer,
}
