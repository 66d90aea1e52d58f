"""Imports a calendar as overrides, one per occurrence; importing again updates them.

Network access and long computations must not happen inside a transaction, so there are three
steps: :func:`default_zone` reads the database, :func:`read_calendar` does the slow part without
it, and :func:`run_import` compares and, unless it is a dry run, writes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import InvalidInput, NotFound
from incidentrelay.domain.oncall.schedule import revision_at
from incidentrelay.ical import reader
from incidentrelay.ical.reader import CalendarReading
from incidentrelay.models import Rotation, RotationOverride
from incidentrelay.services.calendars.import_people import People
from incidentrelay.services.calendars.import_plan import (
    ImportAction,
    ImportProblem,
    PlannedOverride,
    match_people,
    plan_changes,
)
from incidentrelay.services.common import resources, team_lookup
from incidentrelay.services.oncall import overrides, schedules
from incidentrelay.transport.http import Blocked, Refused, Response, TransportError

AHEAD = timedelta(days=366)
_MOST_SAID = 20
_WEBCAL = re.compile(r"\Awebcals?://", re.IGNORECASE)


class CalendarDownloader(Protocol):
    """Fetches a calendar: the guarded client of :mod:`incidentrelay.transport.http`."""

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str]
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class ImportReport:
    planned: Sequence[PlannedOverride]
    problems: Sequence[ImportProblem]
    applied: bool


def default_zone(session: Session, rotation: Rotation, now: datetime) -> str:
    """The zone for times without one: the zone of the lowest layer."""
    loaded = schedules.load_schedules(session, [rotation.id]).get(rotation.id)
    layers = revision_at(loaded, now).layers if loaded else ()
    return layers[0].zone if layers else "UTC"


def read_calendar(
    downloads: CalendarDownloader, *, text: str | None, url: str | None, zone: str, now: datetime
) -> CalendarReading:
    """The occurrences of the next year, from ``text`` or fetched from ``url``.

    Raises InvalidInput for the field that was given.
    """
    return load_import(downloads, text=text, url=url, zone=zone, now=now)[1]


def load_import(
    downloads: CalendarDownloader, *, text: str | None, url: str | None, zone: str, now: datetime
) -> tuple[str, CalendarReading]:
    """Like :func:`read_calendar`, with the calendar's text, to apply it after a preview."""
    if (text is None) == (url is None):
        raise InvalidInput.of("text", "Give either the text of a calendar or its URL.")
    calendar = _fetched(downloads, url) if url is not None else text or ""
    try:
        return calendar, reader.read_calendar(calendar, zone=zone, low=now, high=now + AHEAD)
    except InvalidInput as error:
        field = "text" if url is None else "url"
        raise InvalidInput({field: error.errors["text"]}) from None


def reload_rotation(session: Session, rotation_id: int) -> Rotation:
    """The rotation as it is after the slow part; raises NotFound if it was deleted."""
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
    """Compare the calendar with earlier imports, and write unless ``dry_run``.

    ``whole``: the calendar is the complete roster, so overrides of earlier imports that
    it no longer has are removed, unless an event cannot be read. Raises InvalidInput
    (``skip_problems``) for unclear events unless told to skip them. All or nothing.
    """
    team = team_lookup.find_team(session, rotation)
    resources.lock_group(session, team.group_id)
    people = People.of(session, team.group_id)
    matched, problems = match_people(people, reading, now)
    if problems and not (skip_problems or dry_run):
        raise InvalidInput({"skip_problems": _said(problems)})
    existing = _existing(session, rotation, reading, now)
    planned = plan_changes(matched, existing, reading, now, whole=whole)
    if not dry_run:
        for plan in planned:
            _apply(session, rotation, plan, actor, now)
    return ImportReport(planned, problems, applied=not dry_run)


def _fetched(downloads: CalendarDownloader, url: str) -> str:
    # Calendar programs show this scheme for calendars served over HTTPS.
    address = _WEBCAL.sub("https://", url.strip(), count=1)
    try:
        answer = downloads.request("GET", address, headers={"accept": "text/calendar"})
    except (Blocked, Refused, TransportError) as error:
        raise InvalidInput.of("url", error.reason) from None
    if answer.status != 200:
        raise InvalidInput.of("url", f"The server answered with status {answer.status}.")
    if not answer.complete:
        raise InvalidInput.of("url", "The calendar is too large, or its download timed out.")
    try:
        return answer.body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput.of("url", "The calendar is not UTF-8.") from None


def _said(problems: Sequence[ImportProblem]) -> list[str]:
    """The problems as sentences."""
    lines = [f"{_event(each)}: {each.sentence}" for each in problems[:_MOST_SAID]]
    more = len(problems) - len(lines)
    return [*lines, *([f"There are {more} more."] if more else []), "Nothing was imported."]


def _event(problem: ImportProblem) -> str:
    when = f" ({problem.start:%Y-%m-%d %H:%M} UTC)" if problem.start else ""
    return f"“{problem.summary}”{when}"


def _existing(
    session: Session, rotation: Rotation, reading: CalendarReading, now: datetime
) -> dict[str, RotationOverride]:
    """Overrides of earlier imports by key: those not over, and those of these occurrences."""
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
    """Whether the override can be edited into the plan: its past never changes."""
    return existing.starts_at >= now or (existing.user_id == plan.user.id and plan.start == now)


def _let_go(session: Session, existing: RotationOverride, actor: Actor, now: datetime) -> None:
    """Keep the past of the override without its key, so that a new override can have it."""
    existing.import_key = None
    if existing.ends_at > now:
        overrides.delete(session, existing, actor=actor, now=now)
