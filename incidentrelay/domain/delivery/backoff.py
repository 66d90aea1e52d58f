"""When a delivery that failed is tried again."""

from datetime import datetime, timedelta

BASE = timedelta(seconds=2)
CAP = timedelta(minutes=5)
LONGEST_RETRY_AFTER = timedelta(minutes=15)
# A proxy whose target restarts refuses like one whose target is gone.
REFUSED_FOR = timedelta(minutes=3)


def next_attempt(
    attempt: int,
    now: datetime,
    *,
    most: int,
    jitter: float,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """When the try after number ``attempt`` (from 1) is due; None: there is none.

    Exponential with jitter: between half and all of ``BASE · 2^(attempt-1)``, at
    most ``CAP``; ``jitter`` ∈ [0, 1) is the caller's random number. Where the vendor
    named a time, not before that (but it cannot put a page off for hours).
    """
    if attempt >= most:
        return None
    wait = min(CAP, BASE * float(2 ** min(attempt - 1, 20)))
    wait = wait / 2 + wait / 2 * jitter
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER))
    return now + wait


def after_refusal(again: datetime | None, since: datetime, now: datetime) -> datetime | None:
    """``again``, for a message that is refused without interruption ``since``.

    There is a last try when REFUSED_FOR has passed.
    """
    end = since + REFUSED_FOR
    return None if again is None or now >= end else min(again, end)
