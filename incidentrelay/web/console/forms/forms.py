"""Reads forms. Browsers send text, and not always what the page offered."""

from collections.abc import Callable, Mapping
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.text import is_text


def text(request: Any, name: str, longest: int = 10_000) -> str:
    """A field, cleaned; "" if it is missing. Raises InvalidInput."""
    value = request.POST.get(name, "")
    if not isinstance(value, str):
        raise InvalidInput.of(name, "This must be text.")
    return cleaned(value, name, longest)


def cleaned(value: str, name: str, longest: int) -> str:
    """``value`` with plain line breaks and no surrounding blanks.

    Raises InvalidInput for control characters, and if it is too long.
    """
    value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(value) > longest:
        raise InvalidInput.of(name, f"Write at most {longest} characters.")
    if not is_text(value, "\n\t"):
        raise InvalidInput.of(name, "Control characters are not allowed here.")
    return value


def typed(request: Any, name: str) -> str:
    """A field exactly as it was typed; "" if it is missing or a file."""
    value = request.POST.get(name, "")
    return value if isinstance(value, str) else ""


def words(request: Any, name: str) -> list[str]:
    """All values of a field that can have several."""
    return [value for value in request.POST.getall(name) if isinstance(value, str)]


def rename_errors(error: InvalidInput, rename: Callable[[str], str]) -> InvalidInput:
    """The error with its fields renamed."""
    found: dict[str, list[str]] = {}
    for field, sentences in error.errors.items():
        name = rename(field)
        found[name] = list(dict.fromkeys([*found.get(name, []), *sentences]))
    return InvalidInput(found)


def before(values: Mapping[str, str]) -> int | None:
    """Where a page of a list begins, from its URL; None: at the newest."""
    value = values.get("before", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
