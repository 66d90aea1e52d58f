"""The form for policies, with a preview of the plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.enums import Severity, TargetKind
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import WEEKDAYS
from incidentrelay.models import Policy, Team
from incidentrelay.services.escalation import policies, policy_queries
from incidentrelay.services.escalation.policy_queries import PolicyChoices
from incidentrelay.web.console.forms import repeating_rows
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.policies import form as policy_form
from incidentrelay.web.console.policies import wording as policy_wording
from incidentrelay.web.console.policies.form import StepDraft
from incidentrelay.web.console.policies.wording import PolicyView
from incidentrelay.web.resources.policies import PolicyNode, TeamPolicies
from incidentrelay.web.schemas.policy import PolicySchema

TEMPLATE = "policies/edit.jinja2"
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


@form_page(TeamPolicies, "new", Permission.CREATE, template=TEMPLATE)
@form_page(PolicyNode, "edit", Permission.EDIT, template=TEMPLATE)
class PolicyEditor(Editor):
    schema = PolicySchema
    names = ("name", "description", "repeat")
    new_names = ("name", "slug", "description", "repeat")
    buttons = policy_form.BUTTONS

    @property
    def team(self) -> Team:
        team: Team = self.row.team if self.row else self.context.team
        return team

    @property
    def back(self) -> str:
        return super().back if self.row else f"{self.request.script_name}/policies"

    def usual(self) -> dict[str, Any]:
        return {"repeat": "0"}

    def stored_drafts(self) -> list[StepDraft]:
        if self.row is None:
            return [StepDraft(delay="0", zone=self.zone)]
        steps = policies.public_steps(self.request.db, [self.row])[self.row.id]
        return policy_form.step_drafts(steps, self.zone)

    def posted_drafts(self) -> list[StepDraft]:
        return policy_form.read_drafts(self.request)

    def load(self) -> dict[str, Any]:
        steps = policy_form.to_json(self.drafts)
        return self.form.load(partial=self.row is not None, steps=steps)

    def make_preview(self, data: Mapping[str, Any]) -> PolicyView:
        fields = {name: data[name] for name in ("steps", "repeat") if name in data}
        steps, repeat = policies.draft_policy(self.request.db, self.team, fields)
        plan = policy_queries.plan_of(steps, repeat)
        now = self.request.now
        picture = policy_queries.policy_picture(self.request.db, self.team, plan, now)
        return policy_wording.view_policy(picture, self.team.id)

    def describe_result(self, row: Policy) -> str:
        return f"Policy {row.name} {'saved' if self.row else 'created'}."

    def values(self) -> dict[str, Any]:
        self.form.values |= repeating_rows.row_values(self.drafts, "steps")
        targets = _targets(policy_queries.policy_choices(self.request.db, self.team))
        return {
            "policy": self.row,
            "targets": targets,
            "names": _names(targets),
            "severities": _SEVERITIES,
            "weekdays": tuple((str(day), name) for day, name in enumerate(WEEKDAYS)),
            "zones": sorted(zone_names()),
        }


def _targets(found: PolicyChoices) -> list[tuple[str, Options]]:
    """The possible targets, in groups: (label, ((value, shown))), without empty groups."""
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
    """Each target by value, as the step shows it: ``The person on call in Primary``."""
    person = _GROUPS[TargetKind.USER]
    return {
        value: shown if label == person else f"{label} {shown}"
        for label, options in targets
        for value, shown in options
    }
