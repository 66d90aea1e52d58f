"""The form for teams. Its times are in minutes."""

from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Team
from incidentrelay.services.common import limits
from incidentrelay.services.tenancy import team_queries, teams
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.forms.moments import format_minutes, parse_minutes
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.resources.tenancy.teams import GroupTeams, TeamNode
from incidentrelay.web.schemas.tenancy.team import TeamSchema

TEMPLATE = "tenancy/team_edit.jinja2"
_TIMES: Mapping[str, limits.Range] = {
    "ack_timeout": limits.ACK_TIMEOUT,
    "ack_covers": limits.ACK_COVERS,
}
_PAGING = (
    "fallback_user",
    "fallback_channel",
    "escalation_enabled",
    "escalation_after_reminders",
    "ack_timeout",
    "ack_covers",
)


@form_page(GroupTeams, "new", Permission.CREATE, template=TEMPLATE)
@form_page(TeamNode, "edit", Permission.EDIT, template=TEMPLATE)
class TeamEditor(Editor):
    schema = TeamSchema
    names = ("name", "description", "active", *_PAGING)
    new_names = ("name", "slug", "description", *_PAGING)

    def usual(self) -> Mapping[str, Any]:
        return {"escalation_enabled": True, "escalation_after_reminders": "2", "ack_covers": "60"}

    def first_form(self) -> SchemaForm:
        form = super().first_form()
        if self.row is not None:
            form.values |= teams.fallback_names(self.request.db, [self.row])[self.row.id]
            for name in _TIMES:
                seconds = getattr(self.row, name)
                form.values[name] = "" if seconds is None else format_minutes(seconds)
        return form

    def load(self) -> dict[str, Any]:
        typed = dict(self.form.values)
        try:
            self.form.values |= {name: _to_seconds(name, typed[name]) for name in _TIMES}
            return super().load()
        finally:
            self.form.values = typed

    def translate(self, error: DomainError) -> DomainError:
        """Limits in minutes."""
        if not isinstance(error, InvalidInput):
            return error
        own = {name: [_limits(name)] for name in _TIMES if name in error.errors}
        return InvalidInput({**error.errors, **own})

    def describe_result(self, row: Team) -> str:
        return f"Team {row.name} {'saved' if self.row else 'created'}."

    def values(self) -> Mapping[str, Any]:
        group_id = self.row.group_id if self.row else self.context.owner.id
        choices = team_queries.list_fallback_choices(self.request.db, group_id, self.row)
        return {
            "team": self.row,
            "people": _with_current(choices.people, self.form.value("fallback_user")),
            "channels": choices.channels,
        }


def _with_current(choices: Any, current: Any) -> list[tuple[str, str]]:
    """The choices, and the current contact even if they can no longer be reached."""
    known = [*choices]
    if current and current not in {value for value, _ in known}:
        known.append((current, f"{current} (cannot be reached)"))
    return known


def _to_seconds(name: str, minutes: str) -> str:
    """Minutes as typed, in seconds; raises InvalidInput if they are no number."""
    if not minutes.strip():
        return ""
    seconds = parse_minutes(minutes)
    if seconds is None:
        raise InvalidInput.of(name, _limits(name))
    return str(seconds)


def _limits(name: str) -> str:
    low, high = (seconds // 60 for seconds in _TIMES[name])
    return f"Write a number of minutes from {low} to {high}."
