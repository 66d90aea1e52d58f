"""The inbox of the console: the channel that is always there.

The console shows the notification itself, so there is nothing to send: it is delivered when it
is written.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from incidentrelay.channels.base import ChannelInfo, SendResult
from incidentrelay.domain.messages import Envelope


class InboxConfig(Schema):
    """Nothing to set."""


class InboxChannel:
    info = ChannelInfo(
        name="inbox",
        label="Inbox",
        word="inbox",
        internal=True,
        docs="channels/inbox",
        config_schema=InboxConfig,
        capabilities=frozenset({"personal"}),
    )

    time_limit = 0.0

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        return SendResult(delivered=True, detail="It is in the inbox.")
