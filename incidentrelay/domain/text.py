"""Formatting of words and times."""

from collections.abc import Sequence
from datetime import datetime, time

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January February March April May June July August September October November December"
).split()


def join_words(words: Sequence[str]) -> str:
    """``a``, ``a and b`` or ``a, b and c``."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last


def shorten(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` characters, with an ellipsis if it was cut."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def clock(at: datetime | time) -> str:
    """``09:00``, or with non-zero seconds ``09:00:05``."""
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
