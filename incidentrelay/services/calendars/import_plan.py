"""Plans which overrides an imported calendar creates, changes and removes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from incidentrelay.ical.occurrences import Occurrence, event_of
from incidentrelay.ical.reader import CalendarReading
from incidentrelay.models import RotationOverride, User
from incidentrelay.services.calendars.import_people import People
from incidentrelay.services.oncall import overrides

_OVERLAP = "It is at the same time as “{}”, which is another person’s."


class ImportAction(StrEnum):
    """What happens to the override of an occurrence."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class PlannedOverride:
    """The change for one occurrence; ``existing`` is its override from an earlier import."""

    action: ImportAction
    user: User
    start: datetime
    end: datetime
    summary: str
    key: str
    existing: RotationOverride | None


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Why an event is skipped; ``start`` is None if all of its occurrences are."""

    summary: str
    start: datetime | None
    sentence: str


def match_people(
    people: People, reading: CalendarReading, now: datetime
) -> tuple[list[tuple[Occurrence, User]], list[ImportProblem]]:
    """The occurrences that clearly belong to somebody, and the problems of all others."""
    problems = [ImportProblem(each.summary, None, each.sentence) for each in reading.problems]
    matched: list[tuple[Occurrence, User]] = []
    for occurrence in reading.occurrences:
        user = people.find(occurrence)
        if occurrence.end - max(occurrence.start, now) > overrides.LONGEST:
            user = f"It lasts longer than {overrides.LONGEST.days} days."
        if isinstance(user, User):
            matched.append((occurrence, user))
        elif not occurrence.cancelled:
            problems.append(ImportProblem(occurrence.summary, occurrence.start, user))
    clear, overlapping = _without_overlaps(matched)
    return clear, problems + overlapping


def plan_changes(
    matched: Sequence[tuple[Occurrence, User]],
    existing: Mapping[str, RotationOverride],
    reading: CalendarReading,
    now: datetime,
    *,
    whole: bool,
) -> list[PlannedOverride]:
    """The outcome for each occurrence and each of the ``existing`` overrides.

    If the calendar is ``whole`` and fully readable, overrides of events it no longer
    has are removed.
    """
    planned = [
        plan
        for occurrence, user in matched
        if (plan := _plan(occurrence, user, existing.get(occurrence.key), now)) is not None
    ]
    complete = whole and not reading.problems
    return planned + _vanished(existing, reading, now, whole=complete)


def _without_overlaps(
    matched: Sequence[tuple[Occurrence, User]],
) -> tuple[list[tuple[Occurrence, User]], list[ImportProblem]]:
    """Occurrences without conflicts between two people, and a problem for each of the others."""
    claims = [pair for pair in matched if not pair[0].cancelled]
    other: dict[str, str] = {}
    for place, (first, holder) in enumerate(claims):
        for second, user in claims[place + 1 :]:
            if second.start >= first.end:
                break
            if user.id != holder.id:
                other.setdefault(first.key, second.summary)
                other.setdefault(second.key, first.summary)
    problems = [
        ImportProblem(each.summary, each.start, _OVERLAP.format(other[each.key]))
        for each, _ in claims
        if each.key in other
    ]
    return [pair for pair in matched if pair[0].key not in other], problems


def _vanished(
    existing: Mapping[str, RotationOverride],
    reading: CalendarReading,
    now: datetime,
    *,
    whole: bool,
) -> list[PlannedOverride]:
    """Remove overrides whose occurrence no longer exists.

    Only for events still in the calendar, unless the calendar is the ``whole`` roster.
    """
    present = {each.key for each in reading.occurrences}
    return [
        PlannedOverride(
            ImportAction.REMOVE, row.user, row.starts_at, row.ends_at, row.reason, key, row
        )
        for key, row in existing.items()
        if key not in present and (whole or event_of(key) in reading.events) and row.ends_at > now
    ]


def _plan(
    occurrence: Occurrence, user: User, existing: RotationOverride | None, now: datetime
) -> PlannedOverride | None:
    """The change for one occurrence; None if it is cancelled and has no override."""
    start = max(occurrence.start, now)

    def change(action: ImportAction, row: RotationOverride | None) -> PlannedOverride:
        return PlannedOverride(
            action, user, start, occurrence.end, occurrence.summary, occurrence.key, row
        )

    running = existing if existing is not None and existing.ends_at > now else None
    if occurrence.cancelled:
        return change(ImportAction.REMOVE, running) if running else None
    if running is None:
        return change(ImportAction.CREATE, existing)
    same = (
        running.user_id == user.id
        and max(running.starts_at, now) == start
        and running.ends_at == occurrence.end
    )
    return change(ImportAction.KEEP if same else ImportAction.UPDATE, running)
