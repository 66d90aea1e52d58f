"""When a step of an escalation plan applies.

All conditions are checked when the step is due. If one is not met, the step is skipped, and the
next one comes at its own time. A step that waits for somebody to be on call is not skipped: it
runs when somebody is, or when its longest wait ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Self

from incidentrelay.domain.enums import Severity
from incidentrelay.domain.local_time import zone_of
from incidentrelay.domain.oncall.restrictions import Interval, Window, covered

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LocalHours:
    """On ``weekdays`` (0 = Monday) from ``opens`` to ``closes``, local time in ``zone``.

    A ``closes`` that is not after ``opens`` is on the next day.
    """

    weekdays: tuple[int, ...]
    opens: time
    closes: time
    zone: str

    def cover(self, at: datetime) -> bool:
        return bool(self.between(at, at + _INSTANT))

    def between(self, start: datetime, end: datetime) -> list[Interval]:
        """The parts of [start, end) inside these hours, in order."""
        windows = tuple(Window(weekday, self.opens, self.closes) for weekday in self.weekdays)
        return covered(windows, self.zone, start, end)

    @property
    def text(self) -> str:
        """``Mon–Fri 18:00–09:00 Europe/Paris``"""
        times = f"{_written(self.opens)}–{_written(self.closes)}"
        return f"{days_text(self.weekdays)} {times} {self.zone}"

    def to_json(self) -> dict[str, Any]:
        return {
            "weekdays": list(self.weekdays),
            "opens": _written(self.opens),
            "closes": _written(self.closes),
            "zone": self.zone,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            tuple(data["weekdays"]),
            time.fromisoformat(data["opens"]),
            time.fromisoformat(data["closes"]),
            zone_of(data["zone"]).key,
        )


def _written(wall: time) -> str:
    return f"{wall:%H:%M:%S}".removesuffix(":00")


@dataclass(frozen=True, slots=True)
class Conditions:
    """``severity`` is the lowest that the step applies to.

    ``wait`` is the longest wait, in seconds, while nobody is on call in its rotations; 0: none.
    """

    severity: Severity | None = None
    hours: LocalHours | None = None
    wait: int = 0

    def to_json(self) -> dict[str, Any]:
        """Only the conditions that are set."""
        data: dict[str, Any] = {}
        if self.severity is not None:
            data["severity"] = self.severity
        if self.hours is not None:
            data["hours"] = self.hours.to_json()
        if self.wait:
            data["wait_for_on_call"] = self.wait
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            Severity(data["severity"]) if data.get("severity") else None,
            LocalHours.from_json(data["hours"]) if data.get("hours") else None,
            data.get("wait_for_on_call", 0),
        )


ALWAYS = Conditions()


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that conditions are checked against.

    ``absent``: nobody is on call in any rotation of the due step until ``back_at`` (None: no
    end in sight).
    """

    severity: Severity = Severity.CRITICAL
    absent: bool = False
    back_at: datetime | None = None


def objection(conditions: Conditions, facts: Facts, now: datetime) -> str | None:
    """Why a step does not apply at ``now``, as a sentence; None if it does."""
    floor = conditions.severity
    if floor is not None and facts.severity.rank < floor.rank:
        return f"It is for severity {floor} and above, and this is {facts.severity}."
    if conditions.hours is not None and not conditions.hours.cover(now):
        return f"It is for {conditions.hours.text} only."
    return None


def waits_until(
    conditions: Conditions, facts: Facts, now: datetime, since: datetime | None
) -> datetime | None:
    """When a due step stops waiting; None if it does not wait.

    ``since`` is when it began to. Nobody is waited for who comes after the step's
    patience has ended.
    """
    end = (since or now) + timedelta(seconds=conditions.wait)
    if not facts.absent or facts.back_at is None or not now < facts.back_at <= end:
        return None
    return facts.back_at


def days_text(weekdays: tuple[int, ...]) -> str:
    """``Mon–Fri``, ``Sat, Sun``, ``every day``."""
    days = sorted(weekdays)
    if len(days) == len(DAYS):
        return "every day"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{DAYS[days[0]]}–{DAYS[days[-1]]}"
    return ", ".join(DAYS[day] for day in days)
