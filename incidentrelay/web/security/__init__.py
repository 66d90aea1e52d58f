"""Authentication and authorization of requests.

Denied by default: only ACLs from ``domain.permissions`` grant anything. A token can only
restrict what its owner may do.
"""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.security.csrf import CSRFPolicy, needs_check
from incidentrelay.web.security.policy import SecurityPolicy


def includeme(config: Any) -> None:
    config.set_security_policy(SecurityPolicy())
    # Views that name no permission require this one.
    config.set_default_permission(Permission.VIEW)
    config.set_csrf_storage_policy(CSRFPolicy(config.registry["settings"]))
    # CSRFPolicy checks the origin itself: behind a proxy, Pyramid's own check compares
    # with the wrong host.
    config.set_default_csrf_options(require_csrf=True, check_origin=False, callback=needs_check)
