"""The checklist: what is done, what is next, and the button for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.operations import first_steps
from incidentrelay.services.operations.first_steps import FirstStep, FirstSteps, UnpageableTeam
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.first_steps import FirstStepsNode


@dataclass(frozen=True, slots=True)
class StepWords:
    """``page`` is the list that leads to the step; with ``new``, its form for a new one."""

    title: str
    why: str
    button: str
    page: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class StepLine:
    """``url`` is None if the reader may not."""

    title: str
    why: str
    button: str
    done: bool
    next: bool
    url: str | None


WORDS: Mapping[FirstStep, StepWords] = {
    FirstStep.GROUP: StepWords(
        "Create a group", "Only its members see what is in it.", "Groups", "groups"
    ),
    FirstStep.USERS: StepWords(
        "Create users", "Everybody who is to be paged, at least two.", "Users", "users"
    ),
    FirstStep.GROUP_MEMBERS: StepWords(
        "Add users to the group", "Each with a role.", "Groups", "groups"
    ),
    FirstStep.TEAM: StepWords(
        "Create a team", "It owns rotations, routes and channels.", "Teams", "groups"
    ),
    FirstStep.TEAM_MEMBERS: StepWords(
        "Add users to the team",
        "Managers set it up; responders react to its alerts.",
        "Teams",
        "groups",
    ),
    FirstStep.ROTATION: StepWords(
        "Create a rotation", "It says who is on call when.", "New rotation", "rotations", True
    ),
    FirstStep.ROTATION_MEMBERS: StepWords(
        "Put people into the rotation",
        "Until somebody is on call, nobody is paged.",
        "Rotations",
        "rotations",
    ),
    FirstStep.CHANNEL: StepWords(
        "Create a channel",
        "For messages to the whole team. People are paged without one.",
        "New channel",
        "channels",
        True,
    ),
    FirstStep.ROUTE: StepWords(
        "Create a route",
        "The way of alerts from a monitoring system to the rotation.",
        "New route",
        "routes",
        True,
    ),
    FirstStep.TOKEN: StepWords(
        "Copy the route’s token",
        "It is shown once; you can always replace it.",
        "Routes",
        "routes",
    ),
    FirstStep.SENDER: StepWords(
        "Set up the sender",
        "The page of the route has its configuration, ready to paste.",
        "Routes",
        "routes",
    ),
    FirstStep.TEST: StepWords(
        "Send a test alert", "It really pages the person on call.", "Send a test alert", "routes"
    ),
    FirstStep.ACKNOWLEDGE: StepWords(
        "Acknowledge the alert", "Then you know that paging works.", "Open the alert", "alerts"
    ),
}


@console_view(
    context=FirstStepsNode,
    permission=Permission.VIEW,
    template="first_steps/first_steps.jinja2",
)
def show(context: FirstStepsNode, request: Any) -> dict[str, Any]:
    found = first_steps.load_first_steps(request.db, request.identity)
    teams = first_steps.list_unpageable_teams(request.db, request.identity, request.now)
    return {
        "steps": [_step(context, request, found, step) for step in FirstStep],
        "count": sum(found.done.values()),
        "finished": found.next is None,
        "teams": [_unpageable(context, request, each) for each in teams],
    }


def _unpageable(
    context: Node, request: Any, found: UnpageableTeam
) -> tuple[str, str, Sequence[str]]:
    """The team's name, the URL of its page, and the reasons."""
    team = found.team
    url = console_url(request, context.root.place(team))
    return f"{team.group.name} / {team.name}", url, found.reasons


def _step(context: Node, request: Any, found: FirstSteps, step: FirstStep) -> StepLine:
    words = WORDS[step]
    return StepLine(
        title=words.title,
        why=words.why,
        button=words.button,
        done=found.done[step],
        next=found.next is step,
        url=None if found.done[step] else _url(context, request, found, step),
    )


def _url(context: Node, request: Any, found: FirstSteps, step: FirstStep) -> str | None:
    words = WORDS[step]
    if step in {FirstStep.TOKEN, FirstStep.SENDER, FirstStep.TEST}:
        route = found.route
        return _route_url(context.root.place(route), request, step) if route else None
    if step is FirstStep.ACKNOWLEDGE:
        return f"{request.script_name}/alerts/{found.alert.id}" if found.alert else None
    if step is FirstStep.ROTATION_MEMBERS and not found.done[FirstStep.ROTATION]:
        return None
    if words.new:
        may = bool(team_choice.teams(context, request, words.page))
        return f"{request.script_name}/{words.page}/new" if may else None
    return nav.find_list(request, context.root, words.page)


def _route_url(route: Node, request: Any, step: FirstStep) -> str | None:
    url = console_url(request, route)
    if step is not FirstStep.TEST:
        return url
    return f"{url}/test" if request.has_permission(Permission.TEST, route) else None
