"""Checks of single values, and of a mapping of values by a table of checks.

A check receives the given value and returns the one to store, or raises ValueError with a
sentence for people. A check of nested values raises InvalidInput.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.text import is_line, is_text
from incidentrelay.services.common import limits

Check = Callable[[Any], Any]

MISSING = "This is required."


def clean(
    data: Mapping[str, Any], table: Mapping[str, Check], *, required: Collection[str] = ()
) -> dict[str, Any]:
    """The values of ``data``, each passed through its check; absent ones stay absent.

    Raises InvalidInput with every field that is wrong, unknown or missing.
    """
    errors = {field: [MISSING] for field in required if field not in data}
    values: dict[str, Any] = {}
    for field, value in data.items():
        if field not in table:
            errors[field] = ["There is no such field, or it cannot be changed."]
            continue
        try:
            values[field] = table[field](value)
        except ValueError as error:
            errors[field] = [str(error)]
        except InvalidInput as error:
            errors.update(error.under(field).errors)
    if errors:
        raise InvalidInput(errors)
    return values


def line(low: int, high: int, *, blanks: str | None = None) -> Check:
    """One line of ``low`` to ``high`` characters, without ``blanks`` (any) around it."""

    def check(value: Any) -> str:
        text = _text(value).strip(blanks)
        if not low <= len(text) <= high:
            raise ValueError(f"Write {low} to {high} characters.")
        if not is_line(text):
            raise ValueError("Control characters and line breaks are not allowed here.")
        return text

    return check


def prose(high: int) -> Check:
    """Text of any shape, up to ``high`` characters."""

    def check(value: Any) -> str:
        text = _text(value).strip()
        if len(text) > high:
            raise ValueError(f"Write at most {high} characters.")
        if not is_text(text, "\n\r\t"):
            raise ValueError("Control characters are not allowed here.")
        return text

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("This must be text.")
    return value


def number(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"Write a whole number from {low} to {high}.")
        return value

    return check


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("This must be true or false.")
    return value


def word(words: type[StrEnum]) -> Check:
    """One word of a closed vocabulary."""

    def check(value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in set(words):
            raise ValueError(f"Write one of: {', '.join(words)}.")
        return words(value)

    return check


def optional(check: Check) -> Check:
    """Also accepts None."""

    def checked(value: Any) -> Any:
        return None if value is None else check(value)

    return checked


def listing(check: Check, low: int, high: int) -> Check:
    """A list of ``low`` to ``high`` different values."""

    def checked(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)) or not low <= len(value) <= high:
            raise ValueError(f"Give a list of {low} to {high} entries.")
        values = [check(entry) for entry in value]
        if any(entry in values[:place] for place, entry in enumerate(values)):
            raise ValueError("This entry is listed twice.")
        return values

    return checked


def instant(value: Any) -> datetime:
    """An aware time, in UTC."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("This must be a time with its time zone.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time is out of range.") from None


def zone(value: Any) -> str:
    """The name of an IANA time zone."""
    if not isinstance(value, str) or value not in zone_names():
        raise ValueError("There is no such time zone; write a name like Europe/Paris.")
    return value


NAME = line(*limits.NAME)
DESCRIPTION = prose(limits.DESCRIPTION)
