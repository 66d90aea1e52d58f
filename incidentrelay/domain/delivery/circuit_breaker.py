"""When nothing is sent to a provider that is down, and when it is probed.

After ``THRESHOLD`` failures in a row the circuit opens: nothing is sent, so waiting
notifications use up no attempts. After each pause a single notification, the probe, is
sent. If it succeeds, the circuit closes and the others follow.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incidentrelay.domain.delivery.backoff import LONGEST_RETRY_AFTER

THRESHOLD = 5
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=1)
# A message that waits behind an open circuit for this long counts as not arriving.
STALL_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Circuit:
    """``failures`` in a row, the first at ``since``; nothing is sent before ``open_until``."""

    failures: int = 0
    since: datetime | None = None
    open_until: datetime | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.failures >= THRESHOLD

    def allows(self, now: datetime) -> bool:
        return self.open_until is None or self.open_until <= now

    def is_stalled(self, now: datetime) -> bool:
        """Whether others should be notified of the pages that wait here."""
        if self.is_open and self.since is not None and self.since <= now - STALL_AFTER:
            return True
        return self.open_until is not None and self.open_until > now + STALL_AFTER


CLOSED = Circuit()


def half_open(circuit: Circuit, until: datetime) -> Circuit:
    """An attempt has begun and ends by ``until``.

    If the circuit is open, the attempt is its probe, and everything else waits for it.
    """
    return replace(circuit, open_until=until) if circuit.is_open else circuit


def after_failure(
    circuit: Circuit, reason: str, now: datetime, *, retry_after: timedelta | None = None
) -> Circuit:
    """The provider failed, or asked for a pause of ``retry_after``."""
    failures = circuit.failures + 1
    pause = min(retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    if failures >= THRESHOLD:
        doubled = FIRST_PAUSE * float(2 ** min(failures - THRESHOLD, 10))
        pause = max(pause, min(doubled, LONGEST_PAUSE))
    open_until = now + pause
    # If it was open until the end of its probe, this is that end.
    if circuit.open_until is not None and not circuit.is_open:
        open_until = max(open_until, circuit.open_until)
    return Circuit(failures, circuit.since or now, open_until, reason)
