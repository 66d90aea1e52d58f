"""The checklist until the first page."""

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Node


class FirstStepsNode(Node):
    open_to_users = frozenset({Permission.VIEW})
    scope_domain = "resources"
    filtered = frozenset({Permission.VIEW})
    tag = "first steps"
