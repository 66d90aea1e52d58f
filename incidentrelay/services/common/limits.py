"""Limits of fields, each stated once: services enforce them, schemas document them.

They are not in the schemas because the console and the command line call services without
a schema. Limits that the domain enforces are taken from it.
Ranges include both ends; durations are in seconds, lengths in characters.
"""

from typing import Final, NamedTuple

from incidentrelay.domain import matchers
from incidentrelay.domain.oncall import layers
from incidentrelay.domain.silences import recurrence
from incidentrelay.ical import components


class Range(NamedTuple):
    low: int
    high: int


_DAY: Final = 86_400

NAME = Range(1, layers.MAX_NAME)
USERNAME = Range(1, 63)
SLUG = Range(1, 63)
# The name of a channel's kind, of a source, or of a delivery method.
KIND = Range(1, 32)
ZONE = Range(1, 64)
# Two slugs: a team's resource in another team, or a team with its group.
REFERENCE = Range(1, 127)
DESCRIPTION: Final = 4000
COMMENT = Range(1, 10_000)
CONTACT_LABEL = Range(1, 60)
ADDRESS = Range(1, 254)
PHONE: Final = 40
PASSWORD = Range(8, 1024)
CODE = Range(1, 20)
ISO_DAY = Range(10, 10)

MATCHER = Range(1, 4096)
MATCHERS = Range(0, matchers.MAX_MATCHERS)
LABEL_NAME = Range(1, matchers.MAX_NAME)
LABEL_VALUE: Final = matchers.MAX_VALUE
GROUP_BY = Range(0, 20)
ROUTE_CHANNELS = Range(0, 50)

WEEKDAY = Range(0, 6)
WEEKDAYS = Range(1, 7)
ROW_ID = Range(1, 2**63 - 1)
LAYER_KEY = Range(1, 2**31 - 1)
SHIFT_LENGTH = Range(1, 10_000)
MEMBERS = Range(0, layers.MAX_MEMBERS)
WINDOWS = Range(0, layers.MAX_WINDOWS)
LAYERS = Range(1, 20)
PREVIEW_OVERRIDES = Range(0, 50)
REMINDER_INTERVAL = Range(0, _DAY)

REMINDERS_BEFORE_ESCALATION = Range(0, 50)
ACK_TIMEOUT = Range(60, 30 * _DAY)
ACK_COVERS = Range(0, 30 * _DAY)
POLICY_REPEAT = Range(0, 100)
STEP_DELAY = Range(0, 7 * _DAY)
POLICY_STEPS = Range(1, 20)
STEP_TARGETS = Range(0, 20)

ROUTE_POSITION = Range(0, 1_000_000)
REOPEN_WINDOW = Range(0, 7 * _DAY)
AUTO_RESOLVE_AFTER = Range(300, 30 * _DAY)
KEEP_OLD_TOKEN = Range(0, 7 * _DAY)

SILENCE_DURATION = Range(60, 7 * _DAY)
RECURRENCE_RULE = Range(1, recurrence.MAX_LENGTH)

# Parameters of requests, which no service stores.
PAGE = Range(1, 200)
CURSOR: Final = 2000
SORT: Final = 40
SEARCH = Range(1, 1000)
SIMULATED_TITLE = Range(1, 1000)
CALENDAR_TEXT = Range(1, components.LONGEST_TEXT)
CALENDAR_URL = Range(1, 2048)
# ISO 3166-2 without the country.
SUBDIVISION = Range(1, 10)
