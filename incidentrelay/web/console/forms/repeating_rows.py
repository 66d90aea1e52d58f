"""Forms with rows that buttons add, move and remove, without a script.

Each such button sends the whole form, which comes back changed and unsaved. Fields are
named by their place: ``layers.0.zone``, ``steps.2.delay``.

A kind of row is a dataclass. Its fields are fields of the form: short texts, or as their
metadata declares (:func:`several`, :func:`tick`, :func:`rows`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from incidentrelay.web.console.forms import forms

Button = Callable[..., object]

_LONGEST = 200


def named(name: str) -> dict[str, Any]:
    """The API has another name for the field than the dataclass."""
    return {"name": name}


def tick(name: str) -> dict[str, Any]:
    return {"name": name, "read": lambda request, full_name: full_name in request.POST}


def several(most: int, **name: str) -> dict[str, Any]:
    """All values of the field, at most ``most``."""

    def read(request: Any, full_name: str) -> list[str]:
        return [value[:_LONGEST] for value in forms.words(request, full_name)[:most]]

    return {"read": read, **name}


def rows(kind: type[Any], most: int) -> dict[str, Any]:
    """Rows inside the row."""

    def read(request: Any, full_name: str) -> list[Any]:
        return read_rows(kind, request, full_name, most)

    return {"read": read, "rows": True}


def read_rows(kind: type[Any], request: Any, name: str, most: int) -> list[Any]:
    """The rows that the browser sent. Each has a field ``kind.mark``, which is always sent."""
    return [
        kind(**_read_row(kind, request, f"{name}.{place}"))
        for place in range(most)
        if f"{name}.{place}.{kind.mark}" in request.POST
    ]


def _read_row(kind: type[Any], request: Any, name: str) -> dict[str, Any]:
    return {
        each.name: each.metadata.get("read", _read_text)(request, f"{name}.{_name(each)}")
        for each in fields(kind)
    }


def row_values(drafts: Sequence[Any], name: str) -> dict[str, Any]:
    """The values of all fields of the rows, by name."""
    found: dict[str, Any] = {}
    for place, draft in enumerate(drafts):
        for each in fields(draft):
            value, full_name = getattr(draft, each.name), f"{name}.{place}.{_name(each)}"
            inside = "rows" in each.metadata
            found |= row_values(value, full_name) if inside else {full_name: value}
    return found


def press(buttons: Mapping[str, Button], verb: str, *given: Any) -> bool:
    """Carry out a button (``member-up:0:2``); False if it is none of ``buttons``.

    A button gets ``given`` and the numbers behind its name.
    """
    name, *places = verb.split(":")
    known = buttons.get(name)
    if known is None or not all(place.isascii() and place.isdigit() for place in places):
        return False
    try:
        known(*given, *(int(place[:4]) for place in places))
    except (IndexError, TypeError):
        # No page has such a button.
        return False
    return True


def _read_text(request: Any, name: str) -> str:
    """A field, cut to the length of a short one; "" if it is missing."""
    return forms.typed(request, name).strip()[:_LONGEST]


def number(given: str) -> Any:
    """A whole number; anything else stays text, for the schema to reject."""
    whole = given.isascii() and given.isdecimal() and len(given) < 12
    return int(given) if whole else given


def swap(drafts: list[Any], first: int, second: int) -> None:
    """Exchange two rows; nothing if one of the places does not exist."""
    if min(first, second) >= 0 and max(first, second) < len(drafts):
        drafts[first], drafts[second] = drafts[second], drafts[first]


def _name(row_field: Any) -> str:
    name: str = row_field.metadata.get("name", row_field.name)
    return name
