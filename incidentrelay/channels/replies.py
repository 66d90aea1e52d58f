"""Maps the answers of HTTP vendors to failures, for all HTTP channels."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from incidentrelay.channels.base import PermanentFailure, TemporaryFailure
from incidentrelay.transport.http import Blocked, HTTPClient, Refused, Response, TransportError
from incidentrelay.transport.urls import origin_of

# A page that waits longer than this is as good as lost. If the next attempt is refused too,
# people see that.
LONGEST_WAIT = timedelta(minutes=15)

_MAY_PASS = frozenset({408, 425, 429})
_NEVER_PASS = frozenset({501, 505})
_GONE = 410
_MEANINGS = {
    400: "it does not accept the request",
    401: "the credentials are not accepted",
    403: "access is not allowed",
    404: "there is nothing at this address",
    410: "the endpoint is gone and asks not to be called again",
    413: "the message is too large for it",
    429: "it asks for fewer messages",
}


def post(
    http: HTTPClient, url: str, *, content: bytes, headers: Mapping[str, str], now: datetime
) -> Response:
    """POST; returns the answer if it is a 2xx.

    Raises TemporaryFailure and PermanentFailure for everything else. Their reasons name
    only the origin of ``url``, and never the answer's body.
    """
    response = exchange(http, url, content=content, headers=headers)
    raise_for_status(response, origin_of(url), now)
    return response


def exchange(http: HTTPClient, url: str, *, content: bytes, headers: Mapping[str, str]) -> Response:
    """POST; returns the answer, whatever its status.

    Raises TemporaryFailure and PermanentFailure if none came or none may be asked for.
    """
    try:
        return http.post(url, content=content, headers=headers)
    except Blocked as error:
        raise PermanentFailure(error.reason) from error
    except Refused as error:
        raise TemporaryFailure(error.reason, refused=True) from error
    except TransportError as error:
        raise TemporaryFailure(error.reason, unknown=error.unknown) from error


def raise_for_status(response: Response, origin: str, now: datetime) -> None:
    """Raise the failure that a status other than 2xx stands for.

    Only 410 ends at once. A proxy whose target restarts answers 404, 403 or 405, and one that
    has lost its sessions 401; a new version may accept what the old one rejected.
    """
    status = response.status
    if 200 <= status < 300:
        return
    meaning = _MEANINGS.get(status)
    reason = f"{origin} answered {status}" + (f": {meaning}." if meaning else ".")
    if status in _MAY_PASS or (status >= 500 and status not in _NEVER_PASS):
        wait = retry_after(response.headers.get("retry-after", ""), now)
        raise TemporaryFailure(reason, retry_after=wait)
    if status == _GONE:
        raise PermanentFailure(reason)
    raise TemporaryFailure(reason, refused=True)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for, or None if it is unreadable.

    Seconds (fractions too) or an HTTP date; never negative, at most LONGEST_WAIT.
    """
    value = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        wait = timedelta(seconds=float(value))
    else:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        # HTTP dates are in GMT, even if they name another zone or none.
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
