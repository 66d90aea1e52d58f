"""The form of a route: texts, and the data of the service.

Fields have the names of the API, except ``pages``: the rotation or the policy, as
``rotation:primary``. Times are minutes; matchers stand on lines of their own.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Route
from incidentrelay.services.common import limits
from incidentrelay.services.common.limits import Range
from incidentrelay.web.console.forms.forms import rename_errors
from incidentrelay.web.console.forms.lines import number_lines, read_lines
from incidentrelay.web.console.forms.moments import format_minutes, parse_minutes
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.schemas.base import Body, Flag

ROTATION, POLICY = "rotation", "policy"
_MINUTES: Mapping[str, Range] = {
    "reopen_window": limits.REOPEN_WINDOW,
    "auto_resolve_after": limits.AUTO_RESOLVE_AFTER,
}


class RouteFormSchema(Body):
    """Texts; the service validates what they mean."""

    name = fields.String()
    slug = fields.String()
    source = fields.String()
    enabled = Flag()
    pages = fields.String()
    channels = fields.List(fields.String())
    matchers = fields.String()
    group_by = fields.String()
    reopen_window = fields.String()
    auto_resolve_after = fields.String()
    position = fields.String()


NEW = tuple(RouteFormSchema().fields)
OLD = tuple(name for name in NEW if name not in {"slug", "source"})
USUAL = {"enabled": True, "reopen_window": "5", "channels": []}


def edit_form(route: Route, zone: str) -> SchemaForm:
    """The form that edits a route."""
    pages = ""
    if route.policy is not None:
        pages = f"{POLICY}:{route.policy.slug}"
    elif route.rotation is not None:
        pages = f"{ROTATION}:{route.rotation.slug}"
    after = route.auto_resolve_after
    values = {
        "name": route.name,
        "enabled": route.enabled,
        "pages": pages,
        "channels": [channel.slug for channel in route.channels],
        "matchers": "\n".join(route.matchers),
        "group_by": ", ".join(route.group_by),
        "reopen_window": format_minutes(route.reopen_window),
        "auto_resolve_after": format_minutes(after) if after else "",
        "position": str(route.position),
    }
    form = SchemaForm(RouteFormSchema, OLD, values, zone=zone)
    form.version = str(route.version)
    return form


def load(form: SchemaForm) -> dict[str, Any]:
    """The data for the service; raises InvalidInput by the form's fields."""
    given = form.load(partial=True)
    found = {name: given[name] for name in ("name", "enabled", "channels")}
    found |= {name: given[name] for name in ("slug", "source") if given.get(name)}
    found["matchers"] = read_lines(given["matchers"])
    found["group_by"] = [name.strip() for name in given["group_by"].split(",") if name.strip()]
    found |= _pages(given["pages"])
    if given["position"]:
        found["position"] = _whole_number(given["position"])
    found["reopen_window"] = _seconds(given, "reopen_window")
    after = given["auto_resolve_after"]
    found["auto_resolve_after"] = _seconds(given, "auto_resolve_after") if after else None
    return found


def _pages(chosen: str) -> dict[str, Any]:
    """A policy names its own rotations, so a rotation that is there may stay."""
    kind, _, slug = chosen.partition(":")
    if kind == POLICY and slug:
        return {"policy": slug}
    if kind == ROTATION and slug:
        return {"rotation": slug, "policy": None}
    if chosen:
        raise InvalidInput.of("pages", "Choose a rotation or a policy.")
    return {"rotation": None, "policy": None}


def _seconds(given: Mapping[str, Any], name: str) -> int:
    low, high = _MINUTES[name]
    seconds = parse_minutes(given[name])
    if seconds is None or not low <= seconds <= high:
        sentence = f"Write minutes, from {low // 60} to {high // 60}."
        raise InvalidInput.of(name, sentence)
    return seconds


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise InvalidInput.of("position", f"Write a number from 0 to {limits.ROUTE_POSITION.high}.")
    return int(text)


def place_errors(error: InvalidInput) -> InvalidInput:
    """A service's error by the fields of this form."""
    return rename_errors(
        number_lines(error, "matchers"),
        lambda name: "pages" if name in {ROTATION, POLICY} else name,
    )
