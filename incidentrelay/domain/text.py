"""Formatting of words and times, and which text is accepted."""

import re
from collections.abc import Sequence
from datetime import datetime, time

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January February March April May June July August September October November December"
).split()
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_ENDS = frozenset("\u2028\u2029")


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


def is_text(text: str, allowed: str = "") -> bool:
    """Whether a screen can show the text.

    Control characters (but the ``allowed`` ones) and lone surrogates cannot be shown.
    Everything else is ordinary text: no-break spaces, joiners, direction marks, emoji.
    """
    return all(char in allowed for char in _UNSHOWN.findall(text))


def is_line(text: str) -> bool:
    """Whether the text is one line that a screen can show."""
    return is_text(text) and not _LINE_ENDS.intersection(text)


def shown_text(text: str, instead: str = "") -> str:
    """The text with ``instead`` for each character that no screen can show."""
    return _UNSHOWN.sub(instead, text)


def clean_text(text: str) -> str:
    """The text as every database can store it: without NUL, U+FFFD for lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
