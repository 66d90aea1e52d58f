"""Policies are made and edited; a preview shows the plan before it is saved."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from incidentrelay.domain.enums import Severity, TargetKind
from incidentrelay.domain.errors import DomainError
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import WEEKDAYS
from incidentrelay.models import Policy, Team
from incidentrelay.services.escalation import policies, policy_queries
from incidentrelay.services.escalation.policy_queries import PolicyChoices
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.policies import form as policy_form
from incidentrelay.web.console.policies import wording as policy_wording
from incidentrelay.web.console.policies.form import Draft
from incidentrelay.web.console.policies.wording import Shown
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.policies import PolicyNode, TeamPolicies
from incidentrelay.web.schemas.policy import PolicySchema

TEMPLATE = "policies/edit.jinja2"
SAVE = "save"
_FIELDS = ("name", "description", "repeat")
_NEW_FIELDS = ("name", "slug", *_FIELDS[1:])
_SEVERITIES = (
    (str(Severity.CRITICAL), "Critical only"),
    *((str(one), f"{one.capitalize()} and worse") for one in list(Severity)[1:-1]),
)
_GROUPS = {
    TargetKind.ON_CALL: "The person on call in",
    TargetKind.USER: "One person",
    TargetKind.TEAM: "Everybody in",
    TargetKind.CHANNEL: "The channel",
}

Options = Sequence[tuple[str, str]]


@console_view(context=TeamPolicies, name="new", permission=Permission.CREATE, template=TEMPLATE)
def new(context: TeamPolicies, request: Any) -> dict[str, Any]:
    form = SchemaForm(PolicySchema, _NEW_FIELDS, {"repeat": "0"}, zone=request.identity.zone)
    return _page(context, request, form, [Draft(delay="0", zone=form.zone)])


@console_view(
    context=TeamPolicies,
    name="new",
    method="POST",
    permission=Permission.CREATE,
    template=TEMPLATE,
)
def create(context: TeamPolicies, request: Any) -> Any:
    form = SchemaForm.posted(PolicySchema, _NEW_FIELDS, request, zone=request.identity.zone)
    write = partial(policies.create, request.db, context.team)
    done = _submitted(context, request, form, write)
    if isinstance(done, dict):
        return done
    flash(request, f"Policy {done.name} created.")
    return to_node(request, context.fresh(done))


@console_view(context=PolicyNode, name="edit", permission=Permission.EDIT, template=TEMPLATE)
def edit(context: PolicyNode, request: Any) -> dict[str, Any]:
    row = context.obj
    form = SchemaForm.of(PolicySchema, _FIELDS, row, zone=request.identity.zone)
    steps = policies.public_steps(request.db, [row])[row.id]
    return _page(context, request, form, policy_form.of(steps, form.zone))


@console_view(
    context=PolicyNode,
    name="edit",
    method="POST",
    permission=Permission.EDIT,
    template=TEMPLATE,
)
def save(context: PolicyNode, request: Any) -> Any:
    row = context.obj
    form = SchemaForm.posted(PolicySchema, _FIELDS, request, zone=request.identity.zone)
    done = _submitted(context, request, form, partial(policies.update, request.db, row))
    if isinstance(done, dict):
        return done
    flash(request, f"The policy {done.name} is saved.")
    return to_node(request, context)


def _submitted(
    context: TeamPolicies | PolicyNode,
    request: Any,
    form: SchemaForm,
    write: Callable[..., Policy],
) -> dict[str, Any] | Policy:
    """What the pressed button does: the policy that was saved, or the page to show again."""
    drafts, do = policy_form.read(request), request.POST.get("do")
    if policy_form.act(drafts, str(do), form.zone):
        return _page(context, request, form, drafts)
    row = context.obj if isinstance(context, PolicyNode) else None
    try:
        if row is not None:
            form.check_version(row)
        data = form.load(partial=row is not None, steps=policy_form.to_json(drafts))
        if do == SAVE:
            return write(data, actor=actor(request), now=request.now)
        found = _preview(request, _team(context), data)
    except DomainError as error:
        page = _page(context, request, form, drafts)
        form.refuse(request, error, row)
        return page
    return _page(context, request, form, drafts, found)


def _preview(request: Any, team: Team, data: Mapping[str, Any]) -> Shown:
    given = {name: data[name] for name in ("steps", "repeat") if name in data}
    steps, repeat = policies.draft_policy(request.db, team, given)
    plan = policy_queries.plan_of(steps, repeat)
    return policy_wording.shown(
        policy_queries.policy_picture(request.db, team, plan, request.now), team.id
    )


def _team(context: TeamPolicies | PolicyNode) -> Team:
    team: Team = context.obj.team if isinstance(context, PolicyNode) else context.team
    return team


def _page(
    context: TeamPolicies | PolicyNode,
    request: Any,
    form: SchemaForm,
    drafts: Sequence[Draft],
    preview: Shown | None = None,
) -> dict[str, Any]:
    row = context.obj if isinstance(context, PolicyNode) else None
    form.values |= policy_form.values(drafts)
    targets = _targets(policy_queries.policy_choices(request.db, _team(context)))
    return {
        "crumbs": nav.list_breadcrumbs(request, context),
        "form": form,
        "drafts": drafts,
        "policy": row,
        "preview": preview,
        "targets": targets,
        "names": _names(targets),
        "severities": _SEVERITIES,
        "weekdays": tuple((str(day), name) for day, name in enumerate(WEEKDAYS)),
        "zones": sorted(zone_names()),
        "back": console_url(request, context) if row else f"{request.script_name}/policies",
    }


def _targets(found: PolicyChoices) -> list[tuple[str, Options]]:
    """What may be chosen, in groups: (label, ((value, shown))). Empty groups are left out."""
    groups = (
        (TargetKind.ON_CALL, found.rotations),
        (TargetKind.USER, found.people),
        (TargetKind.TEAM, found.teams),
        (TargetKind.CHANNEL, found.channels),
    )
    return [
        (_GROUPS[kind], [(f"{kind}:{name}", shown) for name, shown in options])
        for kind, options in groups
        if options
    ]


def _names(targets: Sequence[tuple[str, Options]]) -> dict[str, str]:
    """The chosen target, as the step shows it: ``The person on call in Primary``."""
    person = _GROUPS[TargetKind.USER]
    return {
        value: shown if label == person else f"{label} {shown}"
        for label, options in targets
        for value, shown in options
    }
