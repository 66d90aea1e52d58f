"""The node for simulations, outside any team."""

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Node


class Simulate(Node):
    """Open to every signed-in user; the view requires RESPOND on the route's team."""

    tag = "simulate"
    open_to_users = frozenset({Permission.VIEW, Permission.RESPOND})
    scope_domain = "alerts"
    filtered = frozenset({Permission.VIEW, Permission.RESPOND})
