"""Which rules of repeating events are expanded."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from icalendar import vRecur

from incidentrelay.ical.recurrence_limits import NOT_UNDERSTOOD, TOO_FINE, most, refusal, work

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
DAY = timedelta(days=1)

TAKEN = [
    "FREQ=HOURLY;INTERVAL=12",
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;COUNT=4",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU;UNTIL=20270101T000000Z",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;INTERVAL=11",
    "FREQ=MONTHLY;BYMONTHDAY=31,-1",
    "FREQ=MONTHLY;BYDAY=-1FR,1MO",
    "FREQ=MONTHLY;INTERVAL=6;BYDAY=5MO",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
]
REFUSED = [
    "FREQ=MONTHLY;INTERVAL=12",
    "FREQ=MONTHLY;BYMONTHDAY=32",
    "FREQ=MONTHLY;BYDAY=6MO",
    "FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=13",
    "FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=2",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2",
    "FREQ=YEARLY;BYWEEKNO=53",
    "FREQ=YEARLY;BYYEARDAY=366",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
    "FREQ=DAILY;BYHOUR=9",
    "FREQ=WEEKLY;BYDAY=2MO",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=1001",
    "FREQ=DAILY;RSCALE=HEBREW",
]


def rule(text: str) -> Any:
    return dict(vRecur.from_ical(text))


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken_is_found_fast(text: str) -> None:
    assert refusal(rule(text), START) is None
    began = time.process_time()
    found = list(rrulestr(text, dtstart=START).between(START, START + 4 * 366 * DAY, inc=True))
    assert found
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", REFUSED)
def test_what_may_never_happen_is_refused(text: str) -> None:
    assert refusal(rule(text), START) == NOT_UNDERSTOOD


@pytest.mark.parametrize("text", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=1440;COUNT=1"])
def test_what_is_too_fine_is_refused(text: str) -> None:
    assert refusal(rule(text), START) == TOO_FINE


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("FREQ=HOURLY", 241),
        ("FREQ=HOURLY;INTERVAL=12", 21),
        ("FREQ=DAILY", 11),
        ("FREQ=WEEKLY;INTERVAL=2", 2),
        ("FREQ=YEARLY", 1),
    ],
)
def test_work_grows_with_the_time(text: str, steps: int) -> None:
    assert work(rule(text), START, START + 10 * DAY) == steps
    assert work(rule(text), START, START - DAY) == 1


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("FREQ=HOURLY", 8785),
        ("FREQ=HOURLY;COUNT=7", 7),
        ("FREQ=HOURLY;UNTIL=20260201T090000Z", 25),
        ("FREQ=DAILY", 367),
    ],
)
def test_how_often_at_most(text: str, times: int) -> None:
    high = START + 366 * DAY
    assert most(rule(text), START - 100 * DAY, START, high) == times
