"""The parts of the calendar, as its templates print them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class CalendarPerson:
    name: str
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class DayHead:
    """A day. ``change`` is how the clocks change on it; "" on most days."""

    date: date
    today: bool
    weekend: bool
    outside: bool
    change: str


@dataclass(frozen=True, slots=True)
class LaneSegment:
    """A part of a lane, ``slots`` wide; ``person`` is None if nobody is on call.

    ``since`` and ``until`` are those of the whole shift.
    """

    slots: int
    person: CalendarPerson | None
    override: bool
    opens: bool
    closes: bool
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class CalendarLane:
    rotation_id: int
    name: str
    segments: Sequence[LaneSegment]


@dataclass(frozen=True, slots=True)
class TeamLanes:
    name: str
    lanes: Sequence[CalendarLane]


@dataclass(frozen=True, slots=True)
class CalendarWeek:
    """``now`` is the current slot; None in other weeks."""

    number: int
    days: Sequence[DayHead]
    teams: Sequence[TeamLanes]
    now: int | None


@dataclass(frozen=True, slots=True)
class AgendaShift:
    """A shift within one day: ``when`` is "all day" or the hours."""

    person: CalendarPerson | None
    override: bool
    when: str


@dataclass(frozen=True, slots=True)
class AgendaRow:
    rotation_id: int
    team: str
    rotation: str
    shifts: Sequence[AgendaShift]


@dataclass(frozen=True, slots=True)
class AgendaDay:
    head: DayHead
    rows: Sequence[AgendaRow]


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """One row of the table. ``begins`` and ``ends``: the shift is not cut off there."""

    rotation_id: int
    team: str
    rotation: str
    person: CalendarPerson | None
    since: datetime
    until: datetime
    begins: bool
    ends: bool
    override: bool
    now: bool
