"""Authentication and authorization of requests.

Access is denied unless an ACL built from ``domain.permissions`` grants it. A token never
has more permissions than its owner.
"""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.security.csrf import CSRFPolicy, needs_check
from incidentrelay.web.security.policy import SecurityPolicy


def includeme(config: Any) -> None:
    config.set_security_policy(SecurityPolicy())
    # Views without a permission require this one.
    config.set_default_permission(Permission.VIEW)
    config.set_csrf_storage_policy(CSRFPolicy(config.registry["settings"]))
    # CSRFPolicy checks the origin itself, because behind a proxy Pyramid compares it with
    # the wrong host.
    config.set_default_csrf_options(require_csrf=True, check_origin=False, callback=needs_check)
