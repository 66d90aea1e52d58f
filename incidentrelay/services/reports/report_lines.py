"""The lines of an on-call report and their sums."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from incidentrelay.domain.reports.on_call_hours import HoursCalculator, HourTotals
from incidentrelay.models import Rotation, Team, User


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Restricts the report to the dates ``first`` to ``last``, inclusive, and to names.

    Without ``zone`` it uses the zone that all rotations share, else ``own_zone``. Names
    are slugs and usernames, "" means all; ``rotation`` may be ``team/rotation``.
    """

    first: date
    last: date
    own_zone: str
    zone: str = ""
    group: str = ""
    team: str = ""
    rotation: str = ""
    user: str = ""
    country: str = ""
    subdivision: str = ""
    night_from: time = time(22)
    night_to: time = time(6)
    weekend: frozenset[int] = frozenset({5, 6})


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One person in one rotation, or (``rotation`` None) paged while not on call.

    In sums, fields that do not apply are None.
    """

    team: Team | None
    rotation: Rotation | None
    user: User | None
    hours: HourTotals
    pages: int
    night_pages: int


@dataclass(frozen=True, slots=True)
class HoursReport:
    """``lines`` are sorted by team, rotation and name; ``holidays`` are those in the period."""

    calculator: HoursCalculator
    wanted: ReportFilter
    holidays: Mapping[date, str]
    lines: Sequence[ReportLine]

    @property
    def people(self) -> list[ReportLine]:
        """One line per person, by name."""
        kept = sorted(self.lines, key=lambda line: name_key(line.user))
        return [
            _sum(own, user=own[0].user) for own in _grouped(kept, lambda line: row_id(line.user))
        ]

    @property
    def rotations(self) -> list[ReportLine]:
        """One line per rotation, and one per team for pages outside shifts."""
        by_rotation = _grouped(self.lines, lambda line: (row_id(line.team), row_id(line.rotation)))
        return [_sum(own, team=own[0].team, rotation=own[0].rotation) for own in by_rotation]

    @property
    def total(self) -> ReportLine:
        return _sum(self.lines)


def name_key(user: User | None) -> tuple[str, str]:
    return (user.display_name.casefold(), user.username) if user else ("", "")


def row_id(row: Team | Rotation | User | None) -> int | None:
    return row.id if row else None


def _grouped(lines: Iterable[ReportLine], key: Any) -> list[list[ReportLine]]:
    """``lines`` by key, in order of first appearance."""
    groups: dict[Any, list[ReportLine]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return list(groups.values())


def _sum(
    lines: Iterable[ReportLine],
    *,
    team: Team | None = None,
    rotation: Rotation | None = None,
    user: User | None = None,
) -> ReportLine:
    hours, pages, night_pages = HourTotals(), 0, 0
    for line in lines:
        hours += line.hours
        pages += line.pages
        night_pages += line.night_pages
    return ReportLine(team, rotation, user, hours, pages, night_pages)
