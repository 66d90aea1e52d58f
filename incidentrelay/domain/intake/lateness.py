"""Which items are late copies of something that is over.

Times are compared only if the source gave both of them for the same signal, never with
our own clock:

- a resolve that ended before the start of its signal is late;
- a firing item that did not start after the end of its signal is late, but only for
  :data:`LATE_WINDOW` after we received the resolve. Later than that it reopens: sources
  send the old start again if they gave up an alert too early. Until then it is held; see
  :mod:`incidentrelay.domain.intake.refires`.
"""

from datetime import datetime, timedelta

from incidentrelay.domain.enums import SignalStatus
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.domain.intake.state import SignalState

LATE_WINDOW = timedelta(seconds=60)


def is_late_firing(item: IncomingSignal, known: SignalState, now: datetime) -> bool:
    return (
        known.status is SignalStatus.RESOLVED
        and known.end_from_source
        and known.ends_at is not None
        and known.resolved_at is not None
        and item.starts_at is not None
        and item.starts_at <= known.ends_at
        # Either way, because our own clock may have been set back meanwhile.
        and abs(now - known.resolved_at) < LATE_WINDOW
    )


def is_late_resolve(item: IncomingSignal, known: SignalState) -> bool:
    return (
        known.status is SignalStatus.FIRING
        and known.start_from_source
        and item.ends_at is not None
        and item.ends_at < known.starts_at
    )
