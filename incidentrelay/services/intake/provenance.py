"""The facts an event stores about why a route accepted an item; no secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incidentrelay.domain.text import shorten
from incidentrelay.models import Route

MOST_MATCHERS = 20
LONGEST = 200


class IntakeCredential(StrEnum):
    """The credential that authorised an intake request."""

    ROUTE = "route"
    PERSONAL = "personal"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class IntakeSender:
    """``name`` is the person's name, unless the route's own token was used."""

    credential: IntakeCredential = IntakeCredential.ROUTE
    name: str = ""


def provenance_facts(
    route: Route, sender: IntakeSender, labels: Mapping[str, str], dedup_key: str
) -> dict[str, Any]:
    """The facts about how the route accepted and grouped ``labels``."""
    facts: dict[str, Any] = {
        "route": {"id": route.id, "name": route.name},
        "credential": str(sender.credential),
        "matchers": [_short(matcher) for matcher in route.matchers[:MOST_MATCHERS]],
        "group_by": {name: _short(labels.get(name, "")) for name in route.group_by},
        "dedup_key": _short(dedup_key),
    }
    if sender.credential is IntakeCredential.ROUTE:
        facts["hint"] = route.token_hint
    else:
        facts["sender"] = _short(sender.name)
    if len(route.matchers) > MOST_MATCHERS:
        facts["more_matchers"] = len(route.matchers) - MOST_MATCHERS
    return facts


def _short(text: str) -> str:
    return shorten(text, LONGEST)
