"""The registry of channels: the built-in ones, and those of installed plug-ins."""

import logging
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from incidentrelay.channels.base import ChannelInfo, ChannelKind
from incidentrelay.channels.discord.channel import DiscordChannel
from incidentrelay.channels.email.channel import EmailChannel
from incidentrelay.channels.inbox.channel import InboxChannel
from incidentrelay.channels.mattermost.channel import MattermostChannel
from incidentrelay.channels.ntfy.channel import NtfyChannel
from incidentrelay.channels.slack.channel import SlackChannel
from incidentrelay.channels.teams.channel import TeamsChannel
from incidentrelay.channels.telegram.channel import TelegramChannel
from incidentrelay.channels.webhook.channel import WebhookChannel
from incidentrelay.domain.errors import NotFound
from incidentrelay.transport.http import HTTPClient
from incidentrelay.transport.smtp import SMTPServer

logger = logging.getLogger(__name__)

# An entry point of this group names a function that is called with the process's
# HTTP client and returns a channel.
GROUP = "incidentrelay.channels"
Factory = Callable[[HTTPClient], ChannelKind]

_OVER_HTTP: tuple[Factory, ...] = (
    DiscordChannel,
    MattermostChannel,
    NtfyChannel,
    SlackChannel,
    TeamsChannel,
    TelegramChannel,
    WebhookChannel,
)


class Registry:
    """Channels by name. Filled while the process starts, and only read afterwards."""

    def __init__(self) -> None:
        self._channels: dict[str, ChannelKind] = {}

    def register(self, channel: ChannelKind) -> None:
        """Add a channel; raises ValueError if the name is in use."""
        name = channel.info.name
        if name in self._channels:
            raise ValueError(f"There are two channels called {name!r}.")
        self._channels[name] = channel

    def get(self, name: str) -> ChannelKind:
        """Raises NotFound if there is none of that name."""
        try:
            return self._channels[name]
        except KeyError:
            raise NotFound(f"There is no channel called {name!r}.") from None

    def names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(sorted(self._channels))

    def infos(self) -> tuple[ChannelInfo, ...]:
        """In the order of :meth:`names`."""
        return tuple(self._channels[name].info for name in self.names())


def default_registry(
    http: HTTPClient, smtp: SMTPServer | None, plugins: Iterable[EntryPoint] | None = None
) -> Registry:
    """The built-in channels and the plug-ins (None: all that are installed).

    Without ``smtp``, the e-mail channel exists but raises NotSetUp. A broken plug-in is logged
    and skipped. A plug-in whose name is in use raises ValueError.
    """
    registry = Registry()
    for channel in (InboxChannel(), EmailChannel(smtp)):
        registry.register(channel)
    for kind in _OVER_HTTP:
        registry.register(kind(http))
    for plugin in entry_points(group=GROUP) if plugins is None else plugins:
        extension = _load(plugin, http)
        if extension is not None:
            registry.register(extension)
    return registry


def _load(plugin: EntryPoint, http: HTTPClient) -> ChannelKind | None:
    try:
        channel = cast(Factory, plugin.load())(http)
        if not isinstance(channel.info, ChannelInfo) or not callable(channel.send):
            raise TypeError("It is not a channel.")
        if channel.info.internal:
            raise TypeError("A plug-in cannot be internal.")
    except Exception:
        # The other channels must work even if a plug-in is broken.
        logger.exception("The channel plug-in %s is broken and left out.", plugin.name)
        return None
    return channel
