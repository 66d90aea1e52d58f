"""Firing items that may be late copies, held until the late window ends.

Alertmanager resolves an alert that it stopped hearing of, and once it hears of it again
sends the old start: one message, and the next only after its ``repeat_interval``. A late
copy of an earlier message looks the same. Neither content nor delay tells them apart, so
the item is held, and the source has until the end of the window to resolve it again:

- A sender whose copy was late, such as a peer of an Alertmanager cluster, sends its own
  resolve right after it. That drops the item, and nobody is paged.
- After a real refire no resolve follows. The item then counts as if it arrived at the
  end of the window.

A resolve drops the item even if it ends where the last one did: a peer repeats exactly
that. Should it contradict a real refire, the cluster sends the firing state again.
"""

from datetime import datetime

from incidentrelay.domain.enums import EventKind, Outcome
from incidentrelay.domain.intake.lateness import LATE_WINDOW
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, SignalState


def hold_refire(
    item: IncomingSignal, known: SignalState, batch: IntakeBatch
) -> tuple[Outcome, str, AlertState]:
    """Hold a late firing item; of several, the last one."""
    until = end_of_window(known, batch.now)
    held = f"held until {until:%H:%M:%S} UTC, unless the source resolves it again"
    if known.refire is None:
        text = f"{item.title} fires with an old start, maybe a late copy: {held}."
        batch.note(known.alert, EventKind.REFIRE_HELD, text, dedup_key=item.dedup_key)
    known.count += 1
    known.refire, known.refire_at = item, until
    return Outcome.IGNORED, f"Older than the last known change: {held}.", known.alert


def end_of_window(known: SignalState, now: datetime) -> datetime:
    """When a late firing item of ``known`` is no longer late.

    Never more than the window away, even if our clock was set back.
    """
    return min(known.resolved_at or now, now) + LATE_WINDOW


def drop_refire(item: IncomingSignal, known: SignalState, batch: IntakeBatch) -> bool:
    """Drop what is held for a resolved signal that ``item`` resolves again.

    Returns False if nothing is held, or if the resolve is older than the start of it.
    """
    held = known.refire
    if held is None or (item.ends_at and held.starts_at and item.ends_at < held.starts_at):
        return False
    known.refire = known.refire_at = None
    batch.note(known.alert, EventKind.SIGNAL_RESOLVED, f"{held.title} is over.")
    return True
