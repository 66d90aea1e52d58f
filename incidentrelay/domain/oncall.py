"""Who is on call: the one computation behind paging, calendar, preview and reports.

This module is the face of the engine; there is no second computation. Everything
in it is a pure function of a :class:`Schedule`::

    wallclock → windows → layers → rotations → pieces → overrides → revisions
                                                              → timeline → succession
"""

from incidentrelay.domain.layers import Layer, validate_layer
from incidentrelay.domain.overrides import Override
from incidentrelay.domain.revisions import Revision, Schedule, rebase
from incidentrelay.domain.succession import next_member, succession
from incidentrelay.domain.timeline import Shift, gaps, next_shift, on_call, shifts
from incidentrelay.domain.windows import Interval, Window

__all__ = [
    "Interval",
    "Layer",
    "Override",
    "Revision",
    "Schedule",
    "Shift",
    "Window",
    "gaps",
    "next_member",
    "next_shift",
    "on_call",
    "rebase",
    "shifts",
    "succession",
    "validate_layer",
]
