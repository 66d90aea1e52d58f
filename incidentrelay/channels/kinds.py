"""What the built-in kinds declare, for code that has no registry.

A new kind needs no line here: everything follows from its ChannelInfo.
"""

from typing import cast

from incidentrelay.channels.registry import default_registry
from incidentrelay.transport.http import HTTPClient

# Channels do not use their transport before they send.
_INFOS = default_registry(cast(HTTPClient, None), None, plugins=()).infos()
_WORDS = {info.name: info.word for info in _INFOS}

# Kinds that never leave IncidentRelay, so they wake nobody up.
INTERNAL = frozenset(info.name for info in _INFOS if info.internal)
# The one in which people find their own notifications.
(INBOX,) = (info.name for info in _INFOS if info.internal and "personal" in info.capabilities)
# The kind that reaches the address in a person's profile.
(PROFILE,) = (info.name for info in _INFOS if info.personal and info.personal.in_profile)


def word_of(kind: str) -> str:
    """The kind in a sentence: "paged by e-mail". A plug-in goes by its name."""
    return _WORDS.get(kind, kind)
