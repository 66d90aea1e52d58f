"""Authentication and authorisation of requests.

The law of this package: absence is denial. Nothing is permitted but by an ACL that
is made from ``domain.permissions``; a token only ever takes away from what its
owner may do.
"""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.security.csrf import CSRFPolicy, needs_check
from incidentrelay.web.security.policy import SecurityPolicy


def includeme(config: Any) -> None:
    config.set_security_policy(SecurityPolicy())
    # A view that names no permission asks for this one, and a node grants it to few.
    config.set_default_permission(Permission.VIEW)
    config.set_csrf_storage_policy(CSRFPolicy(config.registry["settings"]))
    # CSRFPolicy looks at the origin itself: behind a proxy, Pyramid's own check
    # compares with the wrong host.
    config.set_default_csrf_options(require_csrf=True, check_origin=False, callback=needs_check)
