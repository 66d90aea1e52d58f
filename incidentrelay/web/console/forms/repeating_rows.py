"""Forms with rows that buttons add, move and remove, without a script.

Each such button sends the whole form, which comes back changed. Nothing is saved by
that. Fields are named by their place: ``layers.0.zone``, ``steps.2.delay``.
"""

from collections.abc import Callable, Mapping
from typing import Any

Act = Callable[..., object]

_LONGEST = 200


def act(acts: Mapping[str, Act], verb: str, *given: Any) -> bool:
    """Do what a button says (``member-up:0:2``); False where it is none of ``acts``.

    An act gets ``given`` and the numbers behind its name.
    """
    name, *places = verb.split(":")
    known = acts.get(name)
    if known is None or not all(place.isascii() and place.isdigit() for place in places):
        return False
    try:
        known(*given, *(int(place[:4]) for place in places))
    except (IndexError, TypeError):
        # A button of a page that nobody was shown.
        return False
    return True


def text(request: Any, name: str) -> str:
    """A field, cut to what a short one can have; "" where it is missing."""
    value = request.POST.get(name, "")
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""


def number(given: str) -> Any:
    """A whole number; anything else stays a text, for the schema to judge."""
    whole = given.isascii() and given.isdecimal() and len(given) < 12
    return int(given) if whole else given


def swap(rows: list[Any], first: int, second: int) -> None:
    """Exchange two rows; nothing where one of the places does not exist."""
    if min(first, second) >= 0 and max(first, second) < len(rows):
        rows[first], rows[second] = rows[second], rows[first]
