"""When a failed delivery is tried again."""

from datetime import datetime, timedelta

BASE = timedelta(seconds=2)
CAP = timedelta(minutes=5)
LONGEST_RETRY_AFTER = timedelta(minutes=15)
# A proxy whose target restarts refuses like one whose target is gone.
REFUSED_FOR = timedelta(minutes=3)


def next_attempt(
    attempt: int, now: datetime, *, jitter: float, retry_after: timedelta | None = None
) -> datetime:
    """When the attempt after number ``attempt`` (from 1) is due.

    Exponential with jitter: between half and all of ``BASE · 2^(attempt-1)``, at
    most ``CAP``; ``jitter`` ∈ [0, 1) is the caller's random number. Not before the time
    that the vendor named, which cannot delay a page for hours.
    """
    wait = min(CAP, BASE * float(2 ** min(max(attempt, 1) - 1, 20)))
    wait = wait / 2 + wait / 2 * jitter
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER))
    return now + wait


def after_refusal(again: datetime | None, since: datetime, now: datetime) -> datetime | None:
    """When to retry a message whose refusals began at ``since``; None: no more.

    ``again`` is the time by the back-off. The last attempt is REFUSED_FOR after ``since``.
    """
    end = since + REFUSED_FOR
    return None if again is None or now >= end else min(again, end)
