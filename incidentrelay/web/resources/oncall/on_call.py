"""Who is on call now in all visible rotations."""

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Node


class OnCall(Node):
    tag = "oncall"
    open_to_users = frozenset({Permission.VIEW})
    scope_domain = "resources"
    filtered = frozenset({Permission.VIEW})
