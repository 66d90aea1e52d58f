"""Converts the times of silences: from input to a row, and from a row to a timing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import check_year
from incidentrelay.domain.silences import silences
from incidentrelay.domain.silences.silences import SilenceTiming, SilenceWindow
from incidentrelay.models import Silence
from incidentrelay.services.common import limits, validation

LONGEST = timedelta(days=366)
LONGEST_RECURRING = timedelta(seconds=limits.SILENCE_DURATION.high)

_FIELDS: Mapping[str, validation.Check] = {
    "rule": validation.line(*limits.RECURRENCE_RULE),
    "zone": validation.zone,
    "starts_on": lambda value: _day(value).isoformat(),
    "start_time": lambda value: f"{_clock(value):%H:%M}",
    "duration": validation.number(*limits.SILENCE_DURATION),
}


def check_recurrence(value: Any) -> dict[str, Any]:
    """A check: the recurrence as it is stored. Raises InvalidInput for the wrong part."""
    if not isinstance(value, Mapping):
        raise ValueError("Give rule, zone, starts_on, start_time and duration.")
    given = validation.clean(value, _FIELDS, required=_FIELDS)
    _recurring(given)
    return given


def _day(value: Any) -> date:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Write a day, like 2026-01-31.") from None
    check_year(day, "starts_on")
    return day


def _clock(value: Any) -> time:
    try:
        return datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 - a time on a wall
    except (TypeError, ValueError):
        raise ValueError("Write a time of day, like 02:30.") from None


def _recurring(stored: Mapping[str, Any]) -> silences.RecurringSilence:
    return silences.recurring(
        stored["rule"],
        stored["zone"],
        date.fromisoformat(stored["starts_on"]),
        _clock(stored["start_time"]),
        timedelta(seconds=stored["duration"]),
    )


def timing_of(silence: Silence) -> SilenceTiming:
    """The silence's window or recurrence."""
    if silence.recurrence is None:
        return SilenceWindow(silence.starts_at, silence.ends_at)
    return replace(_recurring(silence.recurrence), until=silence.ends_at)


def timing_bounds(
    given: Mapping[str, Any], now: datetime, before: Silence | None = None
) -> tuple[datetime, datetime]:
    """(starts_at, ends_at) for the given values, which change the silence ``before``.

    Raises InvalidInput.
    """
    repeats = given.get("recurrence", before.recurrence if before else None)
    if repeats is not None:
        return _bounds_of_rule(repeats, given, now, before)
    kept = before if before is not None and before.recurrence is None else None
    starts_at = given.get("starts_at") or (kept.starts_at if kept else now)
    ends_at = given.get("ends_at") or (kept.ends_at if kept else None)
    if ends_at is None:
        raise InvalidInput.of("ends_at", validation.MISSING)
    _check_order(starts_at, ends_at, now)
    if ends_at - starts_at > LONGEST:
        raise InvalidInput.of("ends_at", f"A silence lasts at most {LONGEST.days} days.")
    return starts_at, ends_at


def _bounds_of_rule(
    repeats: Mapping[str, Any], given: Mapping[str, Any], now: datetime, before: Silence | None
) -> tuple[datetime, datetime]:
    """The rule gives the first window; ``ends_at`` may cut off later ones."""
    whole = silences.span(_recurring(repeats))
    known = {None, whole.start, before.starts_at if before else None}
    if given.get("starts_at") not in known:
        raise InvalidInput.of("starts_at", "The recurrence determines the start; leave this out.")
    same = before is not None and repeats == before.recurrence
    cut = given.get("ends_at", before.ends_at if before and same else None)
    ends_at = min(whole.end, cut or whole.end)
    _check_order(whole.start, ends_at, now, "ends_at" if cut else "recurrence.rule")
    return whole.start, ends_at


def _check_order(
    starts_at: datetime, ends_at: datetime, now: datetime, field: str = "ends_at"
) -> None:
    if ends_at <= starts_at:
        raise InvalidInput.of(field, "The end must be after the start.")
    if ends_at <= now:
        raise InvalidInput.of(field, "This is in the past.")
