"""The form of a silence: from what people type to the data of the service."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from marshmallow import fields

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import zone_of
from incidentrelay.models import Silence
from incidentrelay.services.common import matchers as label_matchers
from incidentrelay.services.silences.proposals import SilenceProposal
from incidentrelay.web.console.components.available_actions import MORNING, next_morning
from incidentrelay.web.console.forms.forms import rename_errors
from incidentrelay.web.console.forms.lines import number_lines, read_lines
from incidentrelay.web.console.forms.moments import (
    format_instant,
    format_wall,
    parse_instant,
    parse_wall,
)
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.schemas.base import Body, Flag

CUSTOM = "custom"
LASTS = (
    ("60", "1 hour"),
    ("240", "4 hours"),
    (MORNING, "Until the next 09:00"),
    (CUSTOM, "Until the end below"),
)
REPEATS = (
    ("", "Once"),
    ("FREQ=DAILY", "Every day"),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "From Monday to Friday"),
    ("FREQ=WEEKLY", "Every week, on the weekday of the start"),
    ("FREQ=MONTHLY", "Every month, on the day of the start"),
    (CUSTOM, "By the rule below"),
)
_FIELDS_OF_ERRORS = {
    "starts_at": "starts",
    "recurrence.starts_on": "starts",
    "recurrence.start_time": "starts",
    "recurrence.duration": "ends",
    "recurrence.zone": "zone",
}


class SilenceFormSchema(Body):
    """Times are local times in ``zone``; each line is a matcher."""

    matchers = fields.String()
    everything = Flag()
    lasts = fields.String()
    starts = fields.String()
    ends = fields.String()
    repeat = fields.String()
    rule = fields.String()
    zone = fields.String()
    reason = fields.String()


NAMES = tuple(SilenceFormSchema().fields)


def usual_values(zone: str, proposal: SilenceProposal | None) -> dict[str, str]:
    """The values of a new silence, filled in with the proposal if there is one."""
    values = {"lasts": "60", "zone": zone}
    if proposal is not None:
        values["matchers"] = "\n".join(proposal.matchers)
        values["reason"] = proposal.reason
    return values


def edit_form(silence: Silence, zone: str) -> SchemaForm:
    """The form that edits a silence."""
    shown = dict(_times(silence, zone))
    shown |= {"matchers": "\n".join(silence.matchers), "reason": silence.reason}
    shown["everything"] = label_matchers.match_everything(silence.matchers)
    form = SchemaForm(SilenceFormSchema, NAMES, {"lasts": CUSTOM, **shown}, zone=zone)
    form.version = str(silence.version)
    return form


def _times(silence: Silence, zone: str) -> Iterator[tuple[str, Any]]:
    repeats = silence.recurrence
    if repeats is None:
        yield from {"starts": format_instant(silence.starts_at, zone), "zone": zone}.items()
        yield "ends", format_instant(silence.ends_at, zone)
        return
    start = datetime.fromisoformat(f"{repeats['starts_on']}T{repeats['start_time']}")
    yield from {"starts": format_wall(start), "zone": repeats["zone"]}.items()
    yield "ends", format_wall(start + timedelta(seconds=repeats["duration"]))
    usual = repeats["rule"] in dict(REPEATS)
    yield "repeat", repeats["rule"] if usual else CUSTOM
    yield "rule", "" if usual else repeats["rule"]


def load(form: SchemaForm, now: datetime, row: Silence | None = None) -> dict[str, Any]:
    """The data for the service; raises InvalidInput by the form's fields.

    Times that are unchanged in ``row`` are left out, because a field has no seconds.
    """
    given = form.load()
    zone = given["zone"] or "UTC"
    zone_of(zone)
    found = {
        "matchers": read_lines(given["matchers"]),
        "everything": given["everything"],
        "reason": given["reason"],
    }
    before = dict(_times(row, zone)) if row is not None else {}
    if given["lasts"] != CUSTOM and given["ends"] not in {"", before.get("ends")}:
        raise InvalidInput.of("lasts", "There is an end below: choose it here, or clear it.")
    if given["repeat"]:
        return found | {"recurrence": _recurrence(given, zone)}
    found["recurrence"] = None
    if row is not None and row.recurrence is not None:
        before = {}
    start = parse_instant(given["starts"], zone, "starts") if given["starts"] else None
    if start is not None and given["starts"] != before.get("starts"):
        found["starts_at"] = start
    if given["lasts"] != CUSTOM or given["ends"] != before.get("ends"):
        found["ends_at"] = _end(given, zone, start or now)
    return found


def _end(given: Mapping[str, str], zone: str, start: datetime) -> datetime:
    if given["lasts"] == MORNING:
        return next_morning(zone, start)
    if given["lasts"] == CUSTOM:
        if not given["ends"]:
            raise InvalidInput.of("ends", "Enter when it ends, or choose how long it lasts.")
        return parse_instant(given["ends"], zone, "ends")
    return start + timedelta(minutes=_minutes(given))


def _minutes(given: Mapping[str, str]) -> int:
    if given["lasts"] not in dict(LASTS) or not given["lasts"].isdigit():
        raise InvalidInput.of("lasts", "Choose how long it lasts.")
    return int(given["lasts"])


def _recurrence(given: Mapping[str, str], zone: str) -> dict[str, Any]:
    """The first window begins at ``starts``; all have its length."""
    if not given["starts"]:
        raise InvalidInput.of("starts", "Enter when it first starts.")
    start = _wall(given["starts"], "starts")
    if given["lasts"] == MORNING:
        raise InvalidInput.of("lasts", "Choose how long each occurrence lasts.")
    if given["lasts"] == CUSTOM:
        if not given["ends"]:
            raise InvalidInput.of("ends", "Enter when it first ends.")
        length = _wall(given["ends"], "ends") - start
    else:
        length = timedelta(minutes=_minutes(given))
    if not timedelta(minutes=1) <= length <= timedelta(days=7):
        raise InvalidInput.of("ends", "Each occurrence lasts from 1 minute to 7 days.")
    return {
        "rule": given["rule"] if given["repeat"] == CUSTOM else given["repeat"],
        "zone": zone,
        "starts_on": start.date().isoformat(),
        "start_time": f"{start:%H:%M}",
        "duration": int(length.total_seconds()),
    }


def _wall(text: str, field: str) -> datetime:
    return parse_wall(text, field).replace(tzinfo=None)


def place_errors(error: InvalidInput, form: SchemaForm) -> InvalidInput:
    """A service's error with the names of this form's fields."""
    return rename_errors(number_lines(error, "matchers"), lambda name: _field(name, form))


def _field(field: str, form: SchemaForm) -> str:
    if field.startswith("matchers."):
        return "matchers"
    if field == "ends_at":
        return "ends" if form.value("lasts") == CUSTOM else "lasts"
    if field in {"recurrence", "recurrence.rule"}:
        return "rule" if form.value("repeat") == CUSTOM else "repeat"
    return _FIELDS_OF_ERRORS.get(field, field)
