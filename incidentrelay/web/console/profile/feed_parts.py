"""The part of one's own settings that is about calendar feeds."""

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
class FeedChoice:
    """Something to subscribe to; ``value`` is what the form sends."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FeedChoices:
    """The choices of one team: all of it, and its rotations."""

    name: str
    choices: tuple[FeedChoice, ...]


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
    """``?feed=team/rotation`` (or a team) in the address chooses what to subscribe to."""
    found = feeds.list_own_feeds(request.db, request.identity.user_id, request.identity)
    rotations = calendar_queries.calendar_choices(request.db, request.identity)
    form = kept.get("feed", SchemaForm(FeedFormSchema, ("what",), key="feed"))
    place = request.GET.get("feed", "")
    return {
        "feeds": [FeedRow(row.id, feeds.feed_label(row), row.hint) for row in found],
        "feed": form,
        "feed_choices": _choices(rotations, place, form.value("what")),
        "subscribing": "feed" in request.GET or "feed" in kept,
    }


def _choices(rotations: Sequence[Rotation], place: str, sent: str) -> list[FeedChoices]:
    def choice(value: str, name: str, own: str) -> FeedChoice:
        return FeedChoice(value, name, sent == value if sent else place == own)

    found = []
    for _, group in groupby(rotations, key=lambda rotation: rotation.team_id):
        of_team = list(group)
        team = of_team[0].team
        whole = choice(f"team:{team.id}", f"All of {team.name}", team.slug)
        parts = [
            choice(f"rotation:{each.id}", each.name, f"{team.slug}/{each.slug}") for each in of_team
        ]
        found.append(FeedChoices(team.name, (whole, *parts)))
    return found
