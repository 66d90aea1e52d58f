"""The form for groups."""

from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.resources.tenancy.groups import GroupNode, Groups
from incidentrelay.web.schemas.tenancy.group import GroupSchema

TEMPLATE = "tenancy/group_edit.jinja2"


@form_page(Groups, "new", Permission.CREATE, template=TEMPLATE)
@form_page(GroupNode, "edit", Permission.EDIT, template=TEMPLATE)
class GroupEditor(Editor):
    schema = GroupSchema
    names = ("name", "description", "active")
    new_names = ("name", "slug", "description")

    def describe_result(self, row: Group) -> str:
        return f"Group {row.name} {'saved' if self.row else 'created'}."

    def finish(self, result: Group) -> Any:
        """An inactive group is hidden from its members, perhaps from this user too."""
        if result.active:
            return super().finish(result)
        flash(self.request, self.describe_result(result))
        return see_other(self.request, f"{self.request.script_name}/groups")

    def values(self) -> Mapping[str, Any]:
        return {"group": self.row}
