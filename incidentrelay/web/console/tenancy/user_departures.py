"""Users are deactivated and deleted: what depends on them is shown first."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import User
from incidentrelay.web.console.forms.editor import form_page
from incidentrelay.web.console.tenancy.departures import TEMPLATE, DeparturePage
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other, to_node
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.tenancy.users import UserNode


class UserDeparture(DeparturePage):
    @property
    def user(self) -> User:
        user: User = self.context.obj
        return user


@form_page(UserNode, "deactivate", Permission.EDIT, template=TEMPLATE)
class UserDeactivation(UserDeparture):
    verb, button = "Deactivate", "Deactivate"

    @property
    def title(self) -> str:
        return f"Deactivate {self.user.display_name}?"

    @property
    def consequences(self) -> Sequence[str]:
        return (
            "They are signed out everywhere, and nothing notifies them from now on.",
            "You can activate them again; their history stays.",
        )

    def write(self, data: Mapping[str, Any]) -> Any:
        more = {**self.call, "confirm": self.confirmed(data)}
        return self.context.service.update(self.request.db, self.user, {"active": False}, **more)

    def finish(self, _result: Any) -> Any:
        flash(self.request, f"{self.user.display_name} deactivated.")
        return to_node(self.request, self.context)


@form_page(UserNode, "delete", Permission.DELETE, template=TEMPLATE)
class UserDeletion(UserDeparture):
    verb, button = "Delete", "Delete the user"
    blocks = frozenset({"rotations", "policies"})

    @property
    def title(self) -> str:
        return f"Delete {self.user.display_name}?"

    @property
    def consequences(self) -> Sequence[str]:
        return (
            "Their account, memberships and tokens are deleted. This cannot be undone.",
            "Somebody who was ever in a schedule cannot be deleted: deactivate them instead.",
        )

    def finish(self, _result: Any) -> Any:
        flash(self.request, f"{self.user.display_name} deleted.")
        return see_other(self.request, console_url(self.request, self.context.__parent__))
