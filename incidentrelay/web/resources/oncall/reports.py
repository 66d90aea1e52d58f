"""Reports, over everything that one may see."""

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Node


class _Open(Node):
    open_to_users = frozenset({Permission.VIEW})
    scope_domain = "resources"
    filtered = frozenset({Permission.VIEW})


class OnCallReport(_Open):
    """Hours on call and pages."""


class OnCallTable(_Open):
    """The same as CSV."""


class Reports(Node):
    tag = "reports"
    children = {"on-call": OnCallReport, "on-call.csv": OnCallTable}
