"""A channel's configuration: checked by its kind's schema, secrets kept apart.

Secrets are write-only. Who reads a channel sees ``{"secret": "***"}``; who sends
that back, or leaves the secret out, keeps it. But a kept secret never goes to
another destination than the one it was entered for: it must be entered again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from marshmallow import ValidationError

from incidentrelay.channels.base import ChannelInfo, ChannelKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Channel
from incidentrelay.services.common.audit import MASK
from incidentrelay.services.common.secret_box import SecretBox


class ChannelRegistry(Protocol):
    """The kinds of channels that there are, by name."""

    def get(self, name: str) -> ChannelKind: ...

    def names(self) -> Any: ...


def channel_kind(registry: ChannelRegistry, kind: Any) -> ChannelKind:
    """The registered kind; raises InvalidInput naming ``kind``."""
    if not isinstance(kind, str) or kind not in set(registry.names()):
        raise InvalidInput.of("kind", f"Write one of: {', '.join(sorted(registry.names()))}.")
    return registry.get(kind)


def public_config(channel: Channel, registry: ChannelRegistry) -> dict[str, Any]:
    """The configuration with ``***`` in place of each secret."""
    if channel.sealed is None or channel.kind not in set(registry.names()):
        return dict(channel.config)
    secrets = registry.get(channel.kind).info.secrets
    return {**channel.config, **dict.fromkeys(sorted(secrets), MASK)}


def full_config(channel: Channel, vault: SecretBox) -> dict[str, Any]:
    """The complete configuration, for sending; raises Conflict where it cannot be opened."""
    secrets = vault.open(channel.uid, channel.sealed) if channel.sealed is not None else {}
    return {**channel.config, **secrets}


def check_config(kind: ChannelKind, given: Any) -> dict[str, Any]:
    """A complete configuration as the kind's schema wants it; makes secrets that it can make.

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
    """The old complete configuration with the ``given`` changes; None takes a field away.

    Raises InvalidInput where a secret must be entered again.
    """
    changes = dict(_mapping(given))
    kept = {
        name: old[name]
        for name in kind.info.secrets
        if name in old and changes.get(name, MASK) == MASK
    }
    for name in kind.info.secrets:
        if changes.get(name) == MASK:
            del changes[name]
    destinations = kind.info.destinations & changes.keys()
    moved = any(changes[name] != old.get(name) for name in destinations)
    if kept and moved:
        sentence = "Enter this again or remove it: the destination has changed."
        raise InvalidInput({f"config.{name}": [sentence] for name in sorted(kept)})
    return {**old, **changes}


def split_secrets(
    info: ChannelInfo, config: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(public part, secrets) of a complete configuration."""
    secrets = {name: value for name, value in config.items() if name in info.secrets}
    return {name: value for name, value in config.items() if name not in secrets}, secrets


def audit_config(info: ChannelInfo, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as the audit log may show it."""
    return {name: MASK if name in info.secrets else value for name, value in config.items()}


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
