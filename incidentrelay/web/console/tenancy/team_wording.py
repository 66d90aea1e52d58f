"""A team's gaps and settings as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import join_words
from incidentrelay.models import Route, Team
from incidentrelay.services.tenancy.team_queries import GapKind, TeamGap
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.filters import duration
from incidentrelay.web.resources.tenancy.teams import TeamNode

# (collection, title, icon, sentence for an empty list)
SECTIONS = (
    ("rotations", "Rotations", "rotate", "No rotation, so nobody is on call."),
    ("policies", "Policies", "stairs-up", "No policy. Routes can page a rotation directly."),
    ("routes", "Routes", "route", "No route, so no alert arrives."),
    ("channels", "Channels", "broadcast", "No channel. People are still notified personally."),
)
_GAPS: Mapping[GapKind, str] = {
    GapKind.GROUP_INACTIVE: "The group is inactive, so the alerts of its teams are rejected.",
    GapKind.TEAM_INACTIVE: "The team is inactive, so its alerts are rejected.",
    GapKind.NO_ROUTE: "It has no route, so no alert arrives.",
    GapKind.ROUTES_OFF: "All its routes are switched off, so no alert arrives.",
    GapKind.ROUTE_PAGES_NOBODY: "The route {name} pages nobody.",
    GapKind.NO_ROTATION: "It has neither a rotation nor a policy, so nobody is paged.",
    GapKind.ROTATION_PAUSED: "The rotation {name} is paused, so it pages nobody.",
    GapKind.NOBODY_ON_CALL: "Nobody is on call in {name} right now.",
    GapKind.ON_CALL_UNREACHABLE: (
        "{person} is on call in {name}, but has no confirmed contact method."
    ),
    GapKind.NO_FALLBACK: (
        "It has no fallback contact, who is notified when nobody else can be reached."
    ),
    GapKind.UNREACHABLE: (
        "{name} is named in it but cannot be reached: inactive, or without a contact."
    ),
}
# Collection and form that mend a gap; "" is the team itself.
_CURES: Mapping[GapKind, tuple[str, str, str]] = {
    GapKind.TEAM_INACTIVE: ("", "edit", "Edit the team"),
    GapKind.NO_ROUTE: ("routes", "new", "Create a route"),
    GapKind.NO_ROTATION: ("rotations", "new", "Create a rotation"),
    GapKind.NO_FALLBACK: ("", "edit", "Choose one"),
}


@dataclass(frozen=True, slots=True)
class GapView:
    """``url`` leads to where ``cure`` is done; None if the reader may not."""

    text: str
    cure: str = ""
    url: str | None = None


def view_gaps(request: Any, context: TeamNode, gaps: Sequence[TeamGap]) -> list[GapView]:
    return [_view_gap(request, context, gap) for gap in gaps]


def _view_gap(request: Any, context: TeamNode, gap: TeamGap) -> GapView:
    name = gap.row.name if gap.row is not None else gap.person
    text = _GAPS[gap.kind].format(name=name, person=gap.person)
    if gap.row is not None and not gap.person:
        folder: Any = context["routes" if isinstance(gap.row, Route) else "rotations"]
        node = folder.wrap(gap.row)
        return GapView(text, "Edit it", nav.page_url(request, node, "edit", Permission.EDIT))
    if gap.kind not in _CURES:
        return GapView(text)
    collection, view, cure = _CURES[gap.kind]
    place = context[collection] if collection else context
    permission = Permission.CREATE if view == "new" else Permission.EDIT
    return GapView(text, cure, nav.page_url(request, place, view, permission))


def pages(route: Route) -> str:
    """Whom a route pages."""
    if route.policy is not None:
        return f"Runs {route.policy.name}"
    names = [row.name for row in (route.rotation, *route.channels) if row is not None]
    return f"Pages {join_words(names)}" if names else "Pages nobody"


def describe_settings(team: Team, fallback: Sequence[str]) -> list[tuple[str, str]]:
    """The team's settings: (label, value)."""
    after = team.escalation_after_reminders
    reminders = "1 reminder" if after == 1 else f"{after} reminders"
    timeout = team.ack_timeout
    return [
        ("Fallback contact", join_words(fallback) or "None"),
        (
            "Escalation",
            f"To the next person after {reminders}" if team.escalation_enabled else "Off",
        ),
        ("Acknowledged alerts page again", f"After {_span(timeout)}" if timeout else "Never"),
        ("New signals page again", f"{_span(team.ack_covers)} after the acknowledgement"),
    ]


def _span(seconds: int) -> str:
    return duration(timedelta(seconds=seconds))
