"""Fields that the configurations of chat channels share."""

from typing import Any

from marshmallow import ValidationError, fields

from incidentrelay.transport.http import Blocked
from incidentrelay.transport.urls import parse_url


def check_url(value: str) -> None:
    """Raises ValidationError unless ``value`` is an http or https URL that may be called."""
    try:
        parse_url(value)
    except Blocked as error:
        raise ValidationError(error.reason) from error


def url_field(description: str, *checks: Any, required: bool = True) -> fields.String:
    """A URL that the channel calls."""
    return fields.String(
        required=required,
        validate=[check_url, *checks],
        metadata={"description": description},
    )
