"""The rate limit of one recipient, and how many alerts share a message.

The generic cell rate algorithm (ITU-T I.371, "virtual scheduling"): the only state of a
recipient is one instant, ``busy_until``, up to which its messages are reserved at an even rate.
A quiet recipient can get ``burst`` messages at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_PER_MINUTE = 10
MOST_PER_MINUTE = 600
BURST = 5
MOST_IN_ONE = 100
_MINUTE = timedelta(minutes=1)
# ``busy_until`` lies at most a burst ahead, which is at most a minute's share.
LONGEST_BACKLOG = _MINUTE


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``burst`` messages at once, and then one every ``interval``."""

    burst: int
    interval: timedelta

    @classmethod
    def per_minute(cls, messages: int) -> "RateLimit":
        """``messages`` ≥ 1 in each minute."""
        return cls(min(BURST, messages), _MINUTE / messages)

    def credits(self, busy_until: datetime | None, now: datetime) -> int:
        """How many messages may go right now."""
        ahead = max((busy_until or now) - now, timedelta(0))
        return max(0, (self.burst * self.interval - ahead) // self.interval)

    def next_allowed_at(self, busy_until: datetime | None, now: datetime) -> datetime:
        """When the next message may go; ``now`` if it may go at once."""
        if busy_until is None:
            return now
        return max(now, busy_until - (self.burst - 1) * self.interval)

    def consume(self, busy_until: datetime | None, now: datetime) -> datetime:
        """``busy_until`` after a message that went ``now``."""
        return max(busy_until or now, now) + self.interval


def bundle_size(waiting: int, credit: int) -> int:
    """How many of a recipient's ``waiting`` notifications the next message takes.

    One if each can go alone right now; otherwise all that fit.
    """
    return 1 if waiting <= credit else min(waiting, MOST_IN_ONE)
