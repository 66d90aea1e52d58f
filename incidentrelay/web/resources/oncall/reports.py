"""Reports on all visible rotations."""

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Node


class _Open(Node):
    open_to_users = frozenset({Permission.VIEW})
    scope_domain = "resources"
    filtered = frozenset({Permission.VIEW})


class OnCallReport(_Open):
    """On-call hours and pages."""


class OnCallTable(_Open):
    """The on-call report as CSV."""


class Reports(Node):
    tag = "reports"
    children = {"on-call": OnCallReport, "on-call.csv": OnCallTable}
