"""A channel's configuration: checked by its kind's schema, secrets kept apart.

Secrets are write-only: a reader sees ``{"secret": "***"}``, and a writer who sends that back
or leaves the secret out keeps it. A kept secret never goes to another destination than the one
it was entered for: it must be entered again.

The URL of a webhook is a credential and a destination at once. Readers see its host:
``https://hooks.example.com/***``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from marshmallow import ValidationError

from incidentrelay.channels.base import ChannelInfo, ChannelKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Channel
from incidentrelay.services.common.audit import MASK
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.transport.urls import masked_url


class ChannelRegistry(Protocol):
    """The existing kinds of channels, by name."""

    def get(self, name: str) -> ChannelKind: ...

    def names(self) -> Any: ...


def channel_kind(registry: ChannelRegistry, kind: Any) -> ChannelKind:
    """The registered kind; raises InvalidInput naming ``kind``."""
    if not isinstance(kind, str) or kind not in set(registry.names()):
        raise InvalidInput.of("kind", f"Write one of: {', '.join(sorted(registry.names()))}.")
    return registry.get(kind)


def public_config(channel: Channel, registry: ChannelRegistry) -> dict[str, Any]:
    """The configuration with each secret masked."""
    if channel.sealed is None or channel.kind not in set(registry.names()):
        return dict(channel.config)
    info = registry.get(channel.kind).info
    masked = {name: _mask(info, name, channel.config.get(name)) for name in sorted(info.secrets)}
    return {**channel.config, **masked}


def full_config(channel: Channel, vault: SecretBox) -> dict[str, Any]:
    """The complete configuration, for sending; raises Conflict if it cannot be decrypted."""
    secrets = vault.open(channel.uid, channel.sealed) if channel.sealed is not None else {}
    return {**channel.config, **secrets}


def check_config(kind: ChannelKind, given: Any) -> dict[str, Any]:
    """Validate a complete configuration with the kind's schema, which may create secrets.

    Raises InvalidInput with fields like ``config.url``.
    """
    values = {name: value for name, value in _mapping(given).items() if value is not None}
    make = getattr(kind, "new_secret", None)
    if make is not None and not values.get("secret"):
        values["secret"] = make()
    try:
        loaded = kind.info.config_schema().load(values)
    except ValidationError as error:
        raise InvalidInput(dict(_sentences("config", error.messages))) from None
    return dict(loaded)


def merge_config(kind: ChannelKind, old: Mapping[str, Any], given: Any) -> dict[str, Any]:
    """The old complete configuration with the ``given`` changes; None removes a field.

    Raises InvalidInput if a secret must be entered again.
    """
    info = kind.info
    changes = {
        name: value
        for name, value in _mapping(given).items()
        if name not in info.secrets or value not in (MASK, _mask(info, name, old.get(name)))
    }
    kept = info.secrets & old.keys() - changes.keys()
    destinations = info.destinations & changes.keys()
    if kept and any(changes[name] != old.get(name) for name in destinations):
        sentence = "Enter this again or remove it: the destination has changed."
        raise InvalidInput({f"config.{name}": [sentence] for name in sorted(kept)})
    return {**old, **changes}


def split_secrets(
    info: ChannelInfo, config: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(public part, secrets) of a complete configuration.

    The public part has the masked form of secret destinations, so lists need no decryption.
    """
    secrets = {name: value for name, value in config.items() if name in info.secrets}
    public = {name: value for name, value in config.items() if name not in secrets}
    shown = {name: _mask(info, name, secrets[name]) for name in secrets.keys() & info.destinations}
    return {**public, **shown}, secrets


def audit_config(info: ChannelInfo, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as the audit log may show it."""
    return {
        name: _mask(info, name, value) if name in info.secrets else value
        for name, value in config.items()
    }


def _mask(info: ChannelInfo, name: str, value: Any) -> Any:
    """The shown form of a secret, masked already or not."""
    if name not in info.destinations or not value:
        return MASK
    if isinstance(value, list):
        return [masked_url(each, MASK) for each in value]
    return masked_url(value, MASK)


def _mapping(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInput.of("config", "This must be an object.")
    return given


def _sentences(path: str, messages: Any) -> Iterator[tuple[str, list[str]]]:
    """marshmallow's nested messages as flat (field, sentences)."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _sentences(path if name == "_schema" else f"{path}.{name}", inner)
    else:
        yield path, [str(sentence) for sentence in messages]
