"""Limits of fields, each stated once: services enforce them, schemas document them.

Ranges include both ends; durations are in seconds, lengths in characters.
"""

from typing import Final, NamedTuple


class Range(NamedTuple):
    low: int
    high: int


_DAY: Final = 86_400

NAME = Range(1, 120)
USERNAME = Range(1, 63)
ZONE = Range(1, 64)
# Two slugs: a team's resource in another team, or a team with its group.
REFERENCE = Range(1, 127)
DESCRIPTION: Final = 4000
COMMENT = Range(1, 10_000)

WEEKDAY = Range(0, 6)
ROW_ID = Range(1, 2**63 - 1)
LAYER_KEY = Range(1, 2**31 - 1)
SHIFT_LENGTH = Range(1, 10_000)
REMINDER_INTERVAL = Range(0, _DAY)

REMINDERS_BEFORE_ESCALATION = Range(0, 50)
ACK_TIMEOUT = Range(60, 30 * _DAY)
POLICY_REPEAT = Range(0, 100)
STEP_DELAY = Range(0, 7 * _DAY)

ROUTE_POSITION = Range(0, 1_000_000)
REOPEN_WINDOW = Range(0, 7 * _DAY)
AUTO_RESOLVE_AFTER = Range(300, 30 * _DAY)

SILENCE_DURATION = Range(60, 7 * _DAY)
