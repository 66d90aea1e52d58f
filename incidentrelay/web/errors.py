"""Maps errors to HTTP statuses, and flattens those of schemas, for the API and the console."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from incidentrelay.domain import errors as domain

LOCKED = "Another change to this has not finished; try again."
# The first matching class counts.
STATUSES: tuple[tuple[type[domain.DomainError], HTTPStatus], ...] = (
    (domain.InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (domain.NotAllowed, HTTPStatus.FORBIDDEN),
    (domain.NotFound, HTTPStatus.NOT_FOUND),
    (domain.StaleVersion, HTTPStatus.PRECONDITION_FAILED),
    (domain.Conflict, HTTPStatus.CONFLICT),
    (domain.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


def flatten(messages: Mapping[Any, Any], prefix: str = "") -> dict[str, list[str]]:
    """Flatten nested marshmallow messages to {dotted field: sentences}."""
    flat: dict[str, list[str]] = {}
    for field, sentences in messages.items():
        name = prefix if field == "_schema" else f"{prefix}.{field}" if prefix else str(field)
        if isinstance(sentences, Mapping):
            flat |= flatten(sentences, name)
        else:
            flat.setdefault(name, []).extend(str(sentence) for sentence in sentences)
    return flat
