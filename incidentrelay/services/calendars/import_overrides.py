"""Overrides out of a calendar: each occurrence becomes one, and stays one when imported again.

Three steps, because reading a stranger's calendar takes time, and neither the network
nor long computing may happen inside of a transaction: :func:`zone` asks the database,
:func:`read` does the slow part without it, :func:`run` compares and, if wanted, writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import InvalidInput, NotFound
from incidentrelay.domain.oncall.schedule import revision_at
from incidentrelay.ical import reader
from incidentrelay.ical.reader import CalendarReading, Occurrence, event_of
from incidentrelay.models import Rotation, RotationOverride, User
from incidentrelay.services.calendars.import_people import People
from incidentrelay.services.common import resources, team_lookup
from incidentrelay.services.oncall import overrides, schedules
from incidentrelay.transport.http import Blocked, Response, TransportError

AHEAD = timedelta(days=366)
_MOST_SAID = 20
_OVERLAP = "It is at the same time as “{}”, which is another person’s."


class CalendarDownloader(Protocol):
    """What fetches a calendar: the guarded client of :mod:`incidentrelay.transport.http`."""

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str]
    ) -> Response: ...


class ImportAction(StrEnum):
    """What becomes of an occurrence's override."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class PlannedOverride:
    """What happens to one occurrence; ``existing`` is its override of an earlier import."""

    action: ImportAction
    user: User
    start: datetime
    end: datetime
    summary: str
    key: str
    existing: RotationOverride | None


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Why an event is left out; ``start`` is None where all of its times are."""

    summary: str
    start: datetime | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    planned: Sequence[PlannedOverride]
    problems: Sequence[ImportProblem]
    applied: bool


def default_zone(session: Session, rotation: Rotation, now: datetime) -> str:
    """The time zone of whatever a calendar says without one: that of the lowest layer."""
    loaded = schedules.load_schedules(session, [rotation.id]).get(rotation.id)
    layers = revision_at(loaded, now).layers if loaded else ()
    return layers[0].zone if layers else "UTC"


def read_calendar(
    downloads: CalendarDownloader, *, text: str | None, url: str | None, zone: str, now: datetime
) -> CalendarReading:
    """The occurrences of the next year, out of ``text`` or fetched from ``url``.

    Raises InvalidInput naming the one that was given (or both).
    """
    return load_import(downloads, text=text, url=url, zone=zone, now=now)[1]


def load_import(
    downloads: CalendarDownloader, *, text: str | None, url: str | None, zone: str, now: datetime
) -> tuple[str, CalendarReading]:
    """Like :func:`read`, with the calendar itself, for whoever asks before it is applied."""
    if (text is None) == (url is None):
        raise InvalidInput.of("text", "Give either the text of a calendar or its URL.")
    given = _fetched(downloads, url) if url is not None else text or ""
    try:
        return given, reader.read_calendar(given, zone=zone, low=now, high=now + AHEAD)
    except InvalidInput as error:
        field = "text" if url is None else "url"
        raise InvalidInput({field: error.errors["text"]}) from None


def reload_rotation(session: Session, rotation_id: int) -> Rotation:
    """The rotation as it is after the slow part; raises NotFound where it is gone."""
    rotation = session.get(Rotation, rotation_id)
    if rotation is None:
        raise NotFound("The rotation was deleted meanwhile.")
    return rotation


def run_import(
    session: Session,
    rotation: Rotation,
    reading: CalendarReading,
    *,
    dry_run: bool,
    skip_problems: bool,
    whole: bool,
    actor: Actor,
    now: datetime,
) -> ImportReport:
    """What an import changes; does it unless ``dry_run``.

    ``whole``: the calendar is all of the roster, so that what earlier imports made and it
    does not hold any more is removed. Where an event cannot be read, nothing is removed.

    Raises InvalidInput (``skip_problems``) where something is not clear, unless ``skip_problems``
    says to leave that out. Either everything that is planned happens, or nothing.
    """
    team = team_lookup.find_team(session, rotation)
    resources.lock_group(session, team.group_id)
    people = People.of(session, team.group_id)
    problems = [ImportProblem(each.summary, None, each.sentence) for each in reading.problems]
    meant: list[tuple[Occurrence, User]] = []
    for occurrence in reading.occurrences:
        user = people.find(occurrence)
        if occurrence.end - max(occurrence.start, now) > overrides.LONGEST:
            user = f"It lasts longer than {overrides.LONGEST.days} days."
        if isinstance(user, User):
            meant.append((occurrence, user))
        elif not occurrence.cancelled:
            problems.append(ImportProblem(occurrence.summary, occurrence.start, user))
    clear, overlapping = _without_overlaps(meant)
    problems += overlapping
    if problems and not (skip_problems or dry_run):
        raise InvalidInput({"skip_problems": _said(problems)})
    existing = _existing(session, rotation, reading, now)
    planned = [
        plan
        for occurrence, user in clear
        if (plan := _plan(occurrence, user, existing.get(occurrence.key), now)) is not None
    ]
    gone = whole and not reading.problems
    planned += _vanished(existing, reading, now, whole=gone)
    if not dry_run:
        for plan in planned:
            _apply(session, rotation, plan, actor, now)
    return ImportReport(planned, problems, applied=not dry_run)


def _fetched(downloads: CalendarDownloader, url: str) -> str:
    try:
        answer = downloads.request("GET", url, headers={"accept": "text/calendar"})
    except (Blocked, TransportError) as error:
        raise InvalidInput.of("url", error.reason) from None
    if answer.status != 200:
        raise InvalidInput.of("url", f"The other side answered with the status {answer.status}.")
    if not answer.complete:
        raise InvalidInput.of("url", "The calendar is too large, or did not come in time.")
    try:
        return answer.body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput.of("url", "The calendar is not written in UTF-8.") from None


def _without_overlaps(
    meant: Sequence[tuple[Occurrence, User]],
) -> tuple[list[tuple[Occurrence, User]], list[ImportProblem]]:
    """Those that do not claim the same time for different people, and the others."""
    claims = [pair for pair in meant if not pair[0].cancelled]
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
    return [pair for pair in meant if pair[0].key not in other], problems


def _said(problems: Sequence[ImportProblem]) -> list[str]:
    """The problems as sentences, and what to do about them."""
    lines = [f"{_event(each)}: {each.sentence}" for each in problems[:_MOST_SAID]]
    more = len(problems) - len(lines)
    return [*lines, *([f"There are {more} more."] if more else []), "Nothing was imported."]


def _event(problem: ImportProblem) -> str:
    when = f" ({problem.start:%Y-%m-%d %H:%M} UTC)" if problem.start else ""
    return f"“{problem.summary}”{when}"


def _existing(
    session: Session, rotation: Rotation, reading: CalendarReading, now: datetime
) -> dict[str, RotationOverride]:
    """What earlier imports into the rotation made: all that is not over, and what is named."""
    keys = [each.key for each in reading.occurrences]
    query = (
        select(RotationOverride)
        .options(joinedload(RotationOverride.user))
        .where(
            RotationOverride.rotation_id == rotation.id,
            RotationOverride.import_key.is_not(None),
            or_(RotationOverride.ends_at > now, RotationOverride.import_key.in_(keys)),
        )
        .order_by(RotationOverride.starts_at, RotationOverride.id)
    )
    return {str(row.import_key): row for row in session.scalars(query)}


def _vanished(
    existing: Mapping[str, RotationOverride],
    reading: CalendarReading,
    now: datetime,
    *,
    whole: bool,
) -> list[PlannedOverride]:
    """Overrides of events that do not happen then any more.

    Only of those that are still in the calendar, unless the calendar is the ``whole`` roster.
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
    """What is to be done; None where there is nothing to say."""
    start = max(occurrence.start, now)

    def planned(action: ImportAction, row: RotationOverride | None) -> PlannedOverride:
        return PlannedOverride(
            action, user, start, occurrence.end, occurrence.summary, occurrence.key, row
        )

    running = existing if existing is not None and existing.ends_at > now else None
    if occurrence.cancelled:
        return planned(ImportAction.REMOVE, running) if running else None
    if running is None:
        return planned(ImportAction.CREATE, existing)
    same = (
        running.user_id == user.id
        and max(running.starts_at, now) == start
        and running.ends_at == occurrence.end
    )
    return planned(ImportAction.KEEP if same else ImportAction.UPDATE, running)


def _apply(
    session: Session, rotation: Rotation, plan: PlannedOverride, actor: Actor, now: datetime
) -> None:
    existing = plan.existing
    data: dict[str, Any] = {"user": plan.user.username, "ends_at": plan.end}
    match plan.action:
        case ImportAction.KEEP:
            return
        case ImportAction.REMOVE if existing is not None:
            overrides.delete(session, existing, actor=actor, now=now)
        case ImportAction.UPDATE if existing is not None and _can_change(plan, existing, now):
            if existing.starts_at >= now:
                data["starts_at"] = plan.start
            overrides.update(session, existing, data, actor=actor, now=now)
        case _:
            if existing is not None:
                _let_go(session, existing, actor, now)
            data |= {"starts_at": plan.start, "reason": f"Imported: {plan.summary}"}
            overrides.create(session, rotation, data, actor=actor, now=now, import_key=plan.key)


def _can_change(plan: PlannedOverride, existing: RotationOverride, now: datetime) -> bool:
    """Whether the override itself can become what is planned: its past never changes."""
    begun = existing.starts_at < now
    return not begun or (existing.user_id == plan.user.id and plan.start == now)


def _let_go(session: Session, existing: RotationOverride, actor: Actor, now: datetime) -> None:
    """What was is history under no name, so that the occurrence can have a new override."""
    existing.import_key = None
    if existing.ends_at > now:
        overrides.delete(session, existing, actor=actor, now=now)
