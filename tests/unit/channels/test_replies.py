"""What statuses and Retry-After mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.channels.base import PermanentFailure, TemporaryFailure
from incidentrelay.channels.replies import LONGEST_WAIT, raise_for_status, retry_after
from incidentrelay.transport.http import Response

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ORIGIN = "https://hooks.example:443"


def answer(status: int, **headers: str) -> Response:
    return Response(status, headers, b"s3cr3t")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_fine(status: int) -> None:
    raise_for_status(answer(status), ORIGIN, NOW)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 520, 599])
def test_these_may_pass(status: int) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        raise_for_status(answer(status), ORIGIN, NOW)
    assert caught.value.reason.startswith(f"{ORIGIN} answered {status}")
    assert caught.value.retry_after is None
    assert caught.value.unknown is False
    assert (caught.value.refused, caught.value.down) == (False, True)


@pytest.mark.parametrize(
    "status", [101, 302, 400, 401, 403, 404, 405, 409, 413, 415, 422, 451, 501, 505]
)
def test_a_refusal_may_be_that_of_a_proxy_whose_target_restarts(status: int) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        raise_for_status(answer(status), ORIGIN, NOW)
    assert caught.value.reason.startswith(f"{ORIGIN} answered {status}")
    assert "s3cr3t" not in caught.value.reason
    assert (caught.value.refused, caught.value.down) == (True, False)


def test_what_is_gone_is_gone() -> None:
    with pytest.raises(PermanentFailure) as caught:
        raise_for_status(answer(410), ORIGIN, NOW)
    assert caught.value.reason.startswith(f"{ORIGIN} answered 410")


def test_the_wait_is_handed_on() -> None:
    with pytest.raises(TemporaryFailure) as caught:
        raise_for_status(answer(429, **{"retry-after": "7"}), ORIGIN, NOW)
    assert caught.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(seconds=120)),
        (" 1.5 ", timedelta(seconds=1.5)),
        ("999999999", LONGEST_WAIT),
        ("Sun, 01 Mar 2026 09:31:00 GMT", timedelta(seconds=60)),
        ("Sunday, 01-Mar-26 09:31:00 GMT", timedelta(seconds=60)),
        ("Sun, 01 Mar 2026 09:31:00", timedelta(seconds=60)),
        ("Sun, 01 Mar 2026 09:31:00 -0000", timedelta(seconds=60)),
        ("Sun, 01 Mar 2026 09:00:00 GMT", timedelta(0)),
        ("Fri, 01 Mar 2126 09:00:00 GMT", LONGEST_WAIT),
        ("", None),
        ("-5", None),
        ("9" * 5000, None),
        ("\u0665", None),
        ("soon", None),
        ("Sun, 99 Mar 2026 99:99:99 GMT", None),
    ],
)
def test_it_reads_the_wait(value: str, wait: timedelta | None) -> None:
    assert retry_after(value, NOW) == wait


@given(st.text(max_size=60))
def test_any_header_gives_a_bounded_wait_or_none(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT


@given(st.integers(0, int(LONGEST_WAIT.total_seconds())))
def test_dates_and_seconds_say_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(date, NOW) == retry_after(str(seconds), NOW) == timedelta(seconds=seconds)
