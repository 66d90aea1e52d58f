"""Fields with one value on each line."""

from incidentrelay.domain.errors import InvalidInput


def read_lines(text: str) -> list[str]:
    """The lines that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def number_lines(error: InvalidInput, field: str) -> InvalidInput:
    """The error with the number of the line (``matchers.1`` → ``Line 2: …``)."""
    prefix = f"{field}."
    lines = {
        name: [f"Line {int(place) + 1}: {sentence}" for sentence in sentences]
        for name, sentences in error.errors.items()
        if name.startswith(prefix) and (place := name.removeprefix(prefix)).isdigit()
    }
    return InvalidInput({**error.errors, **lines})
