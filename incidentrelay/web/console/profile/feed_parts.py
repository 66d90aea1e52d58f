"""The part of one's own settings that is about calendar feeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from incidentrelay.models import Rotation
from incidentrelay.services.calendars import feeds
from incidentrelay.services.oncall import calendar_queries
from incidentrelay.web.console.forms import forms


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to subscribe to; ``value`` is what the form sends."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of one team: all of it, and its rotations."""

    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    id: int
    name: str
    hint: str


def part(request: Any) -> dict[str, Any]:
    """``?feed=team/rotation`` (or a team) in the address chooses what to subscribe to."""
    found = feeds.list_own_feeds(request.db, request.identity.user_id, request.identity)
    rotations = calendar_queries.calendar_choices(request.db, request.identity)
    place = request.GET.get("feed", "")
    return {
        "feeds": [Feed(row.id, feeds.feed_label(row), row.hint) for row in found],
        "feed_choices": _choices(rotations, place, forms.typed(request, "what")),
        "subscribing": "feed" in request.GET,
    }


def _choices(rotations: Sequence[Rotation], place: str, sent: str) -> list[Choices]:
    def choice(value: str, name: str, own: str) -> Choice:
        return Choice(value, name, sent == value if sent else place == own)

    found = []
    for _, group in groupby(rotations, key=lambda rotation: rotation.team_id):
        of_team = list(group)
        team = of_team[0].team
        whole = choice(f"team:{team.id}", f"All of {team.name}", team.slug)
        parts = [
            choice(f"rotation:{each.id}", each.name, f"{team.slug}/{each.slug}") for each in of_team
        ]
        found.append(Choices(team.name, (whole, *parts)))
    return found
