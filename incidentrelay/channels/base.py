"""A channel: code that delivers one message in one vendor's dialect.

A channel depends on no database, request or setting. It gets a configuration that its own
schema has validated. It returns a :class:`SendResult` or raises one of two failures, and puts
no secret into either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from marshmallow import Schema

from incidentrelay.domain.messages import Envelope


class DeliveryFailure(Exception):
    """The message was not delivered. ``reason`` is one redacted sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TemporaryFailure(DeliveryFailure):
    """Trying again may help, but not before ``retry_after`` if the vendor gave one.

    ``unknown`` is true if the message may have arrived (the connection broke after
    everything was sent). ``down`` is false if the provider works and only this message or
    this recipient has to wait. ``refused`` is true if the vendor answered no: a server
    that restarts does so too, so the message is tried again for a few minutes.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: timedelta | None = None,
        unknown: bool = False,
        down: bool = True,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.unknown = unknown
        self.down = down and not refused
        self.refused = refused


class PermanentFailure(DeliveryFailure):
    """Trying again cannot help: no such mailbox, an endpoint that is permanently gone."""


class NotSetUp(PermanentFailure):
    """This installation is not set up for the channel; only its administrator can help."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """Accepted by the vendor. ``handle`` identifies the message at the vendor (to edit it).

    ``delivered`` is true if acceptance proves that the recipient has it.
    """

    handle: Mapping[str, Any] = field(default_factory=dict)
    delivered: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Personal:
    """How a channel addresses one person.

    ``check`` returns an address in its stored form, or raises ValueError with a sentence. A
    message to a person comes with the configuration ``{"to": [address]}``. ``in_profile`` is
    true for the one kind whose address is in everybody's profile.
    """

    label: str
    check: Callable[[str], str]
    input_type: str = "text"
    in_profile: bool = False


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """Everything that the rest of the program knows about a kind.

    ``label`` is its title, ``word`` its name within a sentence ("paged by e-mail").
    Fields of ``config_schema`` have ``metadata``: ``description`` and, unless their names
    are words, ``label``; the console's form is made of them.
    ``secrets`` names the fields of ``config_schema`` that are write-only.
    ``destinations`` names those that determine where messages go: if one changes, kept secrets
    must be entered again.

    ``capabilities`` ⊆ {"edit", "buttons", "verify", "personal"}; "personal" means that it
    reaches people as well as teams. ``personal`` describes the address they give for it.
    ``internal`` is true if messages never leave IncidentRelay: they need no rate limit, and do
    not count as reaching anyone.
    """

    name: str
    label: str
    docs: str
    config_schema: type[Schema]
    secrets: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    personal: Personal | None = None
    word: str = ""
    internal: bool = False


class ChannelKind(Protocol):
    """Sends messages of one kind, such as e-mail; teams configure channels of a kind.

    It may also have ``time_limit``: the seconds within which ``send`` always ends.
    """

    info: ChannelInfo

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """Deliver, or raise TemporaryFailure or PermanentFailure.

        ``config`` is complete: secrets included, decrypted.
        """
        ...
