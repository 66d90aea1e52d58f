"""Calendar feeds on the settings page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from marshmallow import fields

from incidentrelay.models import Rotation
from incidentrelay.services.calendars import feeds
from incidentrelay.services.oncall import calendar_queries
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.schemas.base import Body


@dataclass(frozen=True, slots=True)
class FeedRow:
    id: int
    name: str
    hint: str


class FeedFormSchema(Body):
    """``what`` is ``user``, ``team:3`` or ``rotation:7``."""

    what = fields.String()


def posted_feed(_context: Any, request: Any) -> SchemaForm:
    return SchemaForm.posted(FeedFormSchema, ("what",), request, key="feed")


def list_feeds(request: Any, kept: Mapping[str, SchemaForm]) -> dict[str, Any]:
    """``?feed=team/rotation`` (or a team) in the URL preselects what to subscribe to."""
    found = feeds.list_own_feeds(request.db, request.identity.user_id, request.identity)
    rotations = calendar_queries.calendar_choices(request.db, request.identity)
    asked = {"what": _find_choice(rotations, request.GET.get("feed", ""))}
    return {
        "feeds": [FeedRow(row.id, feeds.feed_label(row), row.hint) for row in found],
        "feed": kept.get("feed", SchemaForm(FeedFormSchema, ("what",), asked, key="feed")),
        "feed_choices": _choices(rotations),
        "subscribing": "feed" in request.GET or "feed" in kept,
    }


def _find_choice(rotations: Sequence[Rotation], place: str) -> str:
    """The choice for ``team/rotation`` or ``team``; "" if there is none."""
    for rotation in rotations:
        if place == f"{rotation.team.slug}/{rotation.slug}":
            return f"rotation:{rotation.id}"
        if place == rotation.team.slug:
            return f"team:{rotation.team_id}"
    return ""


def _choices(rotations: Sequence[Rotation]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(value, label) of each team as a whole and of its rotations, by team."""
    found = []
    for team_id, group in groupby(rotations, key=lambda rotation: rotation.team_id):
        own = list(group)
        name = own[0].team.name
        whole = (f"team:{team_id}", f"All of {name}")
        found.append((name, [whole, *((f"rotation:{each.id}", each.name) for each in own)]))
    return found
