"""Recurrences in words: ``FREQ=MONTHLY;BYDAY=2TU`` is every month on the 2nd Tuesday."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.silences import recurrence
from incidentrelay.domain.silences.recurrence import Frequency, RecurrenceRule
from incidentrelay.domain.text import MONTHS, WEEKDAYS, join_words
from incidentrelay.web.console.toolkit.filters import duration

_UNITS = {Frequency.DAILY: "day", Frequency.WEEKLY: "week", Frequency.MONTHLY: "month"}


def repeats(stored: Mapping[str, Any]) -> str:
    """When a recurring silence is active, as one sentence without its full stop."""
    length = duration(timedelta(seconds=stored["duration"]))
    clock = f"at {stored['start_time']} ({stored['zone']}) for {length}"
    try:
        rule = recurrence.parse_rule(stored["rule"])
    except InvalidInput:
        return f"{stored['rule']} {clock}"
    days = " ".join(_parts(rule, date.fromisoformat(stored["starts_on"])))
    return f"{days} {clock}{_end(rule)}"


def _parts(rule: RecurrenceRule, start: date) -> Iterator[str]:
    unit = _UNITS[rule.frequency]
    yield f"Every {unit}" if rule.interval == 1 else f"Every {rule.interval} {unit}s"
    if rule.weekdays:
        yield f"on {join_words([_weekday(*each) for each in rule.weekdays])}"
    elif rule.frequency is Frequency.WEEKLY:
        yield f"on {WEEKDAYS[start.weekday()]}"
    if rule.month_days:
        yield f"on {join_words([_month_day(each) for each in rule.month_days])}"
    elif rule.frequency is Frequency.MONTHLY and not rule.weekdays:
        yield f"on {_month_day(start.day)}"
    if rule.months:
        yield f"in {join_words([MONTHS[month - 1] for month in rule.months])}"


def _weekday(number: int, weekday: int) -> str:
    if number == 0:
        return WEEKDAYS[weekday]
    return f"the {_nth(number)} {WEEKDAYS[weekday]}"


def _month_day(number: int) -> str:
    return f"day {number}" if number > 0 else f"the {_nth(number)} day"


def _nth(number: int) -> str:
    if number == -1:
        return "last"
    text = f"{abs(number)}{_ending(abs(number))}"
    return text if number > 0 else f"{text} last"


def _ending(number: int) -> str:
    if number in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _end(rule: RecurrenceRule) -> str:
    if rule.count is not None:
        return f", {rule.count} times" if rule.count > 1 else ", once"
    if rule.until is None:
        return ""
    day = rule.until.date() if isinstance(rule.until, datetime) else rule.until
    return f", until {day.day} {MONTHS[day.month - 1]} {day.year}"
