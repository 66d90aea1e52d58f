"""The root of the tree, and the names that resources cannot have."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, false, select

from incidentrelay.domain.permissions import ADMIN_PERMISSIONS, Permission
from incidentrelay.models import Base, Team
from incidentrelay.services.access import visibility
from incidentrelay.web.resources.alerts.alerts import Alerts
from incidentrelay.web.resources.alerts.notifications import Notifications
from incidentrelay.web.resources.base import ACE, Item, Node, allow
from incidentrelay.web.resources.channels import Channels
from incidentrelay.web.resources.collections import Collection, walk
from incidentrelay.web.resources.first_steps import FirstStepsNode
from incidentrelay.web.resources.intake.integrations import Integrations
from incidentrelay.web.resources.intake.routes import Routes
from incidentrelay.web.resources.oncall.calendar import Calendar
from incidentrelay.web.resources.oncall.on_call import OnCall
from incidentrelay.web.resources.oncall.reports import Reports
from incidentrelay.web.resources.oncall.rotations import Rotations
from incidentrelay.web.resources.people.me import Me
from incidentrelay.web.resources.place import place
from incidentrelay.web.resources.policies import Policies
from incidentrelay.web.resources.silences import Silences
from incidentrelay.web.resources.simulate import Simulate
from incidentrelay.web.resources.tenancy.groups import Audit, Groups
from incidentrelay.web.resources.tenancy.teams import Teams
from incidentrelay.web.resources.tenancy.users import Users


class Root(Node):
    """The root. Holds the request for all nodes below."""

    tag = "root"
    children = {
        "groups": Groups,
        "alerts": Alerts,
        "notifications": Notifications,
        "silences": Silences,
        "rotations": Rotations,
        "policies": Policies,
        "routes": Routes,
        "channels": Channels,
        "teams": Teams,
        "users": Users,
        "me": Me,
        "integrations": Integrations,
        "oncall": OnCall,
        "calendar": Calendar,
        "reports": Reports,
        "simulate": Simulate,
        "audit": Audit,
        "first-steps": FirstStepsNode,
    }

    def __init__(self, request: Any) -> None:
        super().__init__(None, "")
        self.request = request
        # What is the same for all rows of a list: places, permissions and URLs.
        self.placed: dict[Any, Item] = {}
        self.permissions: dict[Any, list[str]] = {}
        self.paths: dict[Any, str] = {}

    def __acl__(self) -> Sequence[ACE]:
        return [allow("role:admin", ADMIN_PERMISSIONS)]

    def place(self, row: Any) -> Item:
        return place(self, row)

    def visible(self, statement: Select[Any], model: type[Base]) -> Select[Any]:
        """``statement`` restricted to the rows that the caller may see."""
        identity = self.request.identity
        if identity is None or identity.kind == "route":
            return statement.where(false())
        return visibility.scope(statement, model, identity, Permission.VIEW)

    def team_ids(self) -> Select[Any] | None:
        """The ids of the teams whose contents the caller may see; None: all teams."""
        identity = self.request.identity
        if identity is None or identity.kind == "route":
            return select(Team.id).where(false())
        return visibility.team_ids(identity, Permission.VIEW)


def reserved_names(registry: Any) -> frozenset[str]:
    """Segments below a collection that do not name one of its items."""
    views = {
        entry["introspectable"]["name"] for entry in registry.introspector.get_category("views")
    }
    children = {
        name
        for _, node_class in walk(Root)
        if issubclass(node_class, Collection)
        for name in node_class.children
    }
    return frozenset(views | children) - {""}
