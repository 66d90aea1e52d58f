"""Waits that no rule could have set: the clock was set back since.

A machine that boots with a clock two hours ahead writes times two hours ahead. Once the clock
is right, anything that waits longer than its rule allows is due now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentrelay.domain.delivery.backoff import CAP, LONGEST_RETRY_AFTER
from incidentrelay.domain.delivery.circuit_breaker import LONGEST_PAUSE
from incidentrelay.domain.delivery.rate_limit import LONGEST_BACKLOG

# Clocks of several machines differ a little. A lease that looks too long by less than
# this may be that of a worker that is still sending.
TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LatestTimes:
    """The latest instants that the rules give, for work that begins now.

    No row can have a later ``created_at``, and no outage a later ``since``. ``busy_until`` and
    ``rate_limited`` follow from the rate limit, ``open_until`` from the circuit breaker,
    ``retry`` from the back-off, and ``lease`` from the longest lease.
    """

    created_at: datetime
    since: datetime
    busy_until: datetime
    rate_limited: datetime
    open_until: datetime
    retry: datetime
    lease: datetime


def latest_times(now: datetime, longest_lease: timedelta) -> LatestTimes:
    # A circuit is also open while its probe is being sent, that is for a lease.
    latest = now + TOLERANCE
    longest_open = max(LONGEST_PAUSE, LONGEST_RETRY_AFTER, longest_lease)
    return LatestTimes(
        created_at=latest,
        since=latest,
        busy_until=latest + LONGEST_BACKLOG,
        rate_limited=latest + LONGEST_BACKLOG,
        open_until=latest + longest_open,
        retry=latest + max(CAP, longest_open),
        lease=latest + longest_lease,
    )
