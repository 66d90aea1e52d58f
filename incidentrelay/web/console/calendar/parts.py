"""The parts of the calendar's page, as its templates take them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class Head:
    """A day. ``change`` is what happens to the clocks on it, in words; "" on most days."""

    date: date
    today: bool
    weekend: bool
    outside: bool
    change: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a lane, ``slots`` wide; ``person`` None: nobody.

    ``since`` and ``until`` are those of the whole shift.
    """

    slots: int
    person: Person | None
    override: bool
    opens: bool
    closes: bool
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    rotation_id: int
    name: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class TeamLanes:
    name: str
    lanes: Sequence[Lane]


@dataclass(frozen=True, slots=True)
class Week:
    """``now`` is the slot of the present; None where that is not in this week."""

    number: int
    days: Sequence[Head]
    teams: Sequence[TeamLanes]
    now: int | None


@dataclass(frozen=True, slots=True)
class Stint:
    """Somebody's time of one day: ``when`` is "all day" or from when to when."""

    person: Person | None
    override: bool
    when: str


@dataclass(frozen=True, slots=True)
class AgendaRow:
    rotation_id: int
    team: str
    rotation: str
    stints: Sequence[Stint]


@dataclass(frozen=True, slots=True)
class AgendaDay:
    head: Head
    rows: Sequence[AgendaRow]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. ``begins`` and ``ends``: ``since`` and ``until`` are the true ones."""

    rotation_id: int
    team: str
    rotation: str
    person: Person | None
    since: datetime
    until: datetime
    begins: bool
    ends: bool
    override: bool
    now: bool
