"""Why a route took something in, as an event keeps it: few words, and no secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incidentrelay.models import Route

MOST_MATCHERS = 20
LONGEST = 200


class IntakeCredential(StrEnum):
    """What showed that a request may write to a route."""

    ROUTE = "route"
    PERSONAL = "personal"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class IntakeSender:
    """``name`` is that of the person, where it was not the route's own token."""

    credential: IntakeCredential = IntakeCredential.ROUTE
    name: str = ""


def provenance_facts(
    route: Route, sender: IntakeSender, labels: Mapping[str, str], dedup_key: str
) -> dict[str, Any]:
    """What ``labels``, which the route has taken, met on their way to their alert."""
    found: dict[str, Any] = {
        "route": {"id": route.id, "name": route.name},
        "credential": str(sender.credential),
        "matchers": [_short(matcher) for matcher in route.matchers[:MOST_MATCHERS]],
        "group_by": {name: _short(labels.get(name, "")) for name in route.group_by},
        "dedup_key": _short(dedup_key),
    }
    if sender.credential is IntakeCredential.ROUTE:
        found["hint"] = route.token_hint
    else:
        found["sender"] = _short(sender.name)
    if len(route.matchers) > MOST_MATCHERS:
        found["more_matchers"] = len(route.matchers) - MOST_MATCHERS
    return found


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
