"""The place where people ask what would happen; it stands in no team."""

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Node


class Simulate(Node):
    """Whoever is signed in may ask; the view asks for RESPOND on the route's team."""

    open_to_users = frozenset({Permission.VIEW, Permission.RESPOND})
    scope_domain = "alerts"
    filtered = frozenset({Permission.VIEW, Permission.RESPOND})
