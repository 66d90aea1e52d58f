"""Limits which repeating events are expanded, and how much work that may take.

Rules come from strangers, and some make a program search forever: the 30th of February, or
every second. So only rules that certainly recur are accepted, and these are measured before
they are expanded.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Rule = Mapping[str, Sequence[Any]]

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Over how much time a rule is expanded by one unit of work, as measured.
_STEPS = {
    "HOURLY": _HOUR,
    "DAILY": _DAY,
    "WEEKLY": 3 * _DAY,
    "MONTHLY": 10 * _DAY,
    "YEARLY": 30 * _DAY,
}
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
# How the days of a period may be chosen; each of them happens in every few periods.
_SHAPES = {
    "HOURLY": [frozenset[str]()],
    "DAILY": [frozenset[str](), frozenset({"BYDAY"})],
    "WEEKLY": [frozenset[str](), frozenset({"BYDAY"})],
    "MONTHLY": [
        frozenset[str](),
        frozenset({"BYMONTHDAY"}),
        frozenset({"BYDAY"}),
        frozenset({"BYDAY", "BYSETPOS"}),
    ],
    "YEARLY": [
        frozenset[str](),
        frozenset({"BYMONTH"}),
        frozenset({"BYMONTH", "BYMONTHDAY"}),
        frozenset({"BYMONTH", "BYDAY"}),
    ],
}
_WEEKDAYS = frozenset({"MO", "TU", "WE", "TH", "FR", "SA", "SU"})
_LONGEST_LIST = 31
_MOST_INTERVAL = 1000
# A month of February has at least so many days, and each weekday so often.
_SHORTEST_MONTH, _WEEKDAY_IN_MONTH = 28, 4

TOO_FINE = "It repeats every second or minute; write it hourly, daily or rarer."
NOT_UNDERSTOOD = "It repeats in a way that is not supported."


def refusal(rule: Rule, start: datetime) -> str | None:
    """Why an event with that rule, first at ``start``, is not expanded; None: it is."""
    freq = _freq(rule)
    if freq in {"SECONDLY", "MINUTELY"}:
        return TOO_FINE
    interval = _interval(rule)
    if freq not in _SHAPES or not 1 <= interval <= _MOST_INTERVAL:
        return NOT_UNDERSTOOD
    chosen = frozenset(rule) - _ALWAYS
    if chosen not in _SHAPES[freq] or any(len(rule[name]) > _LONGEST_LIST for name in rule):
        return NOT_UNDERSTOOD
    return None if _happens(freq, interval, rule, start) else NOT_UNDERSTOOD


def work(rule: Rule, start: datetime, end: datetime) -> int:
    """How much it is to expand the rule until ``end``; 1 is a day of a daily event."""
    return _steps(rule, start, end, _STEPS[_freq(rule)])


def most(rule: Rule, start: datetime, low: datetime, high: datetime) -> int:
    """At most so often the rule happens in [low, high)."""
    until = _one(rule, "UNTIL")
    if isinstance(until, datetime):
        high = min(high, until if until.tzinfo else until.replace(tzinfo=UTC) + _DAY)
    count = _one(rule, "COUNT")
    # Nothing but an hourly event happens twice a day.
    steps = _steps(rule, max(start, low), high, _HOUR if _freq(rule) == "HOURLY" else _DAY)
    return min(steps, count) if isinstance(count, int) else steps


def _happens(freq: str, interval: int, rule: Rule, start: datetime) -> bool:
    """Whether the days that the rule chooses are there again and again."""
    ordinals = [_ordinal(day) for day in rule.get("BYDAY", ())]
    if None in ordinals:
        return False
    numbers = {number for number in ordinals if number}
    if freq == "DAILY":
        return not numbers and (interval == 1 or not ordinals)
    if freq == "WEEKLY":
        return not numbers
    if freq == "MONTHLY":
        positions = [*numbers, *rule.get("BYSETPOS", ())]
        days = rule.get("BYMONTHDAY", ())
        # Twelve months on, it is the same month, which may be too short each time.
        return (
            interval < 12
            and not (numbers and "BYSETPOS" in rule)
            and _within(positions, _WEEKDAY_IN_MONTH + 1)
            and _within(days, 31)
        )
    days = rule.get("BYMONTHDAY", ()) or ([] if ordinals else [start.day])
    months = rule.get("BYMONTH", ())
    return (
        _within(months, 12)
        and _within(numbers, _WEEKDAY_IN_MONTH)
        and (not months or _within(days, _SHORTEST_MONTH))
    )


def _within(values: Any, most: int) -> bool:
    return all(isinstance(value, int) and 1 <= abs(value) <= most for value in values)


def _ordinal(day: Any) -> int | None:
    """0 for ``MO``, 2 for ``2MO``; None for what is no weekday."""
    text = str(day)
    number, weekday = text[:-2], text[-2:]
    if weekday not in _WEEKDAYS:
        return None
    try:
        return int(number) if number else 0
    except ValueError:
        return None


def _steps(rule: Rule, start: datetime, end: datetime, step: timedelta) -> int:
    return max(0, (end - start) // step) // _interval(rule) + 1


def _freq(rule: Rule) -> str:
    return str(_one(rule, "FREQ")).upper()


def _interval(rule: Rule) -> int:
    interval = _one(rule, "INTERVAL")
    return interval if isinstance(interval, int) else 1


def _one(rule: Rule, name: str) -> Any:
    return next(iter(rule.get(name, ())), None)
