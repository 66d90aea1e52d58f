"""The list of escalation policies, the page of one policy, and its deletion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.escalation import double_duty, policy_queries
from incidentrelay.services.escalation.policy_queries import PolicyListing, PolicyThings
from incidentrelay.web.console.policies import wording as policy_wording
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.policies import Policies, PolicyNode


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One policy of the list. ``fallback``: the team has a fallback contact."""

    url: str
    group_name: str
    team_name: str
    name: str
    steps: Sequence[str]
    repeats: str
    routes: Sequence[str]
    fallback: bool


@console_view(context=Policies, permission=Permission.VIEW, template="policies/index.jinja2")
def index(context: Policies, request: Any) -> dict[str, Any]:
    found, things = policy_queries.list_policies(request.db, request.identity)
    creatable = team_choice.teams(context, request, "policies")
    return {
        "rows": [_row(context, request, listed, things) for listed in found],
        "new_url": f"{console_url(request, context)}/new" if creatable else None,
    }


def _row(context: Policies, request: Any, listed: PolicyListing, things: PolicyThings) -> PolicyRow:
    policy, team = listed.policy, listed.policy.team
    return PolicyRow(
        url=console_url(request, context.root.place(policy)),
        group_name=team.group.name,
        team_name=team.name,
        name=policy.name,
        steps=policy_wording.in_short(listed.plan, things, team.id),
        repeats=policy_wording.repeats(listed.plan),
        routes=listed.routes,
        fallback=team.fallback_user_id is not None or team.fallback_channel_id is not None,
    )


choose_team = team_choice.ask_team(Policies, "policies", "policy")


@console_view(context=PolicyNode, permission=Permission.VIEW, template="policies/policy.jinja2")
def show(context: PolicyNode, request: Any) -> dict[str, Any]:
    policy, url = context.obj, console_url(request, context)
    plan = policy_queries.plan_of(policy.steps, policy.repeat)
    picture = policy_queries.policy_picture(request.db, policy.team, plan, request.now)
    found = double_duty.list_double_duty(request.db, policy, request.now)
    may_delete = request.has_permission(Permission.DELETE, context)
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "policy": policy,
        "picture": policy_wording.view_policy(picture, policy.team_id),
        "routes": policy_queries.list_routes(request.db, [policy])[policy.id],
        "double_duty": policy_wording.view_double_duty(found, policy.team_id),
        "edit_url": f"{url}/edit" if request.has_permission(Permission.EDIT, context) else None,
        "delete_url": f"{url}/delete" if may_delete else None,
    }


@confirm_delete(PolicyNode)
def ask_delete(context: PolicyNode, _request: Any) -> DeleteQuestion:
    name = context.obj.name
    return DeleteQuestion(
        page=context,
        title=f"Delete the policy {name}?",
        consequences=(
            "Its steps are deleted. This cannot be undone.",
            "Alerts that already run it keep their copy.",
            "A policy in use by routes cannot be deleted.",
        ),
        button="Delete the policy",
        done=f"Policy {name} deleted.",
        path="policies",
    )
