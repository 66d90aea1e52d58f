"""Rules for recurring days: a part of RFC 5545's RRULE.

``FREQ=WEEKLY;INTERVAL=2;BYDAY=SU`` and the like. Nothing finer than a day, because the time of
day is separate. Days are computed from the start by arithmetic, so an old rule costs no more
than a new one.
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import FIRST_YEAR, LAST_YEAR

LAST = date(LAST_YEAR, 12, 31)
MOST_COUNT = 1000
MAX_LENGTH = 500
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = timedelta(days=1)
_WEEKDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}", re.ASCII)


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """``weekdays`` are (number within the month or 0 for all, weekday with Monday 0).

    ``until`` is an aware instant, or the last date in local time. Negative days of the month
    count from its end.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    week_start: int = 0
    count: int | None = None
    until: datetime | date | None = None


def parse_rule(text: str) -> RecurrenceRule:
    """Parse a rule; raises InvalidInput (field ``rule``)."""
    parts = _parts(text)
    if "FREQ" not in parts:
        raise _wrong("Say how often: FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY.")
    unknown = next((name for name in parts if name not in _NAMES), None)
    if unknown is not None:
        raise _wrong(f"{unknown[:40]} is not known here; use one of {', '.join(_NAMES)}.")
    values: dict[str, Any] = {
        _NAMES[name][0]: _NAMES[name][1](name, value) for name, value in parts.items()
    }
    rule = RecurrenceRule(**values)
    _check(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > MAX_LENGTH:
        raise _wrong(f"Write at most {MAX_LENGTH} characters.")
    parts: dict[str, str] = {}
    for part in text.strip().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = part.strip().upper().partition("=")
        if not (name and equals and value):
            raise _wrong("Write parts like FREQ=WEEKLY with a semicolon between two.")
        if name in parts:
            raise _wrong(f"{name[:40]} is listed twice.")
        parts[name] = value
    return parts


def _check(rule: RecurrenceRule) -> None:
    if rule.count is not None and rule.until is not None:
        raise _wrong("Give COUNT or UNTIL, not both.")
    if rule.frequency is Frequency.WEEKLY and rule.month_days:
        raise _wrong("BYMONTHDAY does not go with FREQ=WEEKLY.")
    if rule.frequency is not Frequency.MONTHLY and any(number for number, _ in rule.weekdays):
        raise _wrong("A numbered weekday like 2TU goes with FREQ=MONTHLY only.")


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput.of("rule", sentence)


def _frequency(_name: str, value: str) -> Frequency:
    if value not in set(Frequency):
        raise _wrong("FREQ is DAILY, WEEKLY or MONTHLY.")
    return Frequency(value)


def _number(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if not _NUMBER.fullmatch(value) or not low <= int(value) <= high or int(value) == 0:
            raise _wrong(f"{name} holds whole numbers from {low} to {high}.")
        return int(value)

    return read


def _numbers(low: int, high: int) -> Callable[[str, str], tuple[int, ...]]:
    one = _number(low, high)

    def read(name: str, value: str) -> tuple[int, ...]:
        return tuple(sorted({one(name, part) for part in value.split(",")}))

    return read


def _weekdays(_name: str, value: str) -> tuple[tuple[int, int], ...]:
    found = [_WEEKDAY.fullmatch(part) for part in value.split(",")]
    if not all(found):
        raise _wrong("BYDAY holds weekdays like MO,TH, or with FREQ=MONTHLY like 2TU or -1FR.")
    pairs = {(int(match[1] or 0), _WEEKDAYS.index(match[2])) for match in found if match}
    return tuple(sorted(pairs))


def _week_start(name: str, value: str) -> int:
    if value not in _WEEKDAYS:
        raise _wrong(f"{name} is a weekday: one of {', '.join(_WEEKDAYS)}.")
    return _WEEKDAYS.index(value)


def _until(_name: str, value: str) -> datetime | date:
    found: datetime | date | None = None
    try:
        if re.fullmatch("[0-9]{8}", value, re.ASCII):
            found = date.fromisoformat(value)
        elif re.fullmatch("[0-9]{8}T[0-9]{6}Z", value, re.ASCII):
            found = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    if found is not None and FIRST_YEAR <= found.year <= LAST_YEAR:
        return found
    if found is not None:
        raise _wrong(f"UNTIL must lie in the years {FIRST_YEAR} to {LAST_YEAR}.")
    raise _wrong("UNTIL is a day like 20261231, or a time in UTC like 20261231T120000Z.")


_NAMES: Mapping[str, tuple[str, Callable[[str, str], object]]] = {
    "FREQ": ("frequency", _frequency),
    "INTERVAL": ("interval", _number(1, 366)),
    "BYDAY": ("weekdays", _weekdays),
    "BYMONTHDAY": ("month_days", _numbers(-31, 31)),
    "BYMONTH": ("months", _numbers(1, 12)),
    "WKST": ("week_start", _week_start),
    "COUNT": ("count", _number(1, MOST_COUNT)),
    "UNTIL": ("until", _until),
}


def matching_days(rule: RecurrenceRule, start: date, first: date, last: date) -> Iterator[date]:
    """The days of the rule from ``first`` to ``last``; it starts on ``start``.

    In order, and lazily. COUNT and UNTIL are ignored here; see :func:`nth_day`.
    """
    first, last = max(first, start), min(last, LAST)
    if first > last:
        return
    for day in _PERIODS[rule.frequency](rule, start, first, last):
        if day > last:
            return
        if day >= first and _wanted(rule, day):
            yield day


def nth_day(rule: RecurrenceRule, start: date, number: int) -> date:
    """The ``number``-th day of the rule, or its last one."""
    found = start
    for day in islice(matching_days(rule, start, start, LAST), number):
        found = day
    return found


def _wanted(rule: RecurrenceRule, day: date) -> bool:
    """Whether the day passes the parts of the rule that only narrow it."""
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not _on_month_day(rule, day):
        return False
    if not rule.weekdays:
        return True
    number, left = (day.day - 1) // 7 + 1, (_length(day) - day.day) // 7 + 1
    weekday = day.weekday()
    return any((at, weekday) in rule.weekdays for at in (0, number, -left))


def _on_month_day(rule: RecurrenceRule, day: date) -> bool:
    return day.day in rule.month_days or day.day - _length(day) - 1 in rule.month_days


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _daily(rule: RecurrenceRule, start: date, first: date, _last: date) -> Iterator[date]:
    missing = -(first - start).days % rule.interval
    number = (first - start).days + missing
    while True:
        yield start + timedelta(days=number)
        number += rule.interval


def _weekly(rule: RecurrenceRule, start: date, first: date, last: date) -> Iterator[date]:
    monday = start - timedelta(days=(start.weekday() - rule.week_start) % 7)
    weeks = (first - monday).days // 7
    week = monday + timedelta(weeks=weeks // rule.interval * rule.interval)
    while week <= last:
        for number in range(7):
            day = week + number * _DAY
            if rule.weekdays or day.weekday() == start.weekday():
                yield day
        week += timedelta(weeks=rule.interval)


def _monthly(rule: RecurrenceRule, start: date, first: date, last: date) -> Iterator[date]:
    begin = start.year * 12 + start.month - 1
    months = first.year * 12 + first.month - 1 - begin
    month = begin + months // rule.interval * rule.interval
    while month <= last.year * 12 + last.month - 1:
        year, number = month // 12, month % 12 + 1
        for day in range(1, calendar.monthrange(year, number)[1] + 1):
            if rule.weekdays or rule.month_days or day == start.day:
                yield date(year, number, day)
        month += rule.interval


_PERIODS: Mapping[Frequency, Callable[[RecurrenceRule, date, date, date], Iterator[date]]] = {
    Frequency.DAILY: _daily,
    Frequency.WEEKLY: _weekly,
    Frequency.MONTHLY: _monthly,
}
