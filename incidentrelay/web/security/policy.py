"""Checks permissions: ACLs, token scopes, and the groups that tokens are limited to."""

from typing import Any

from pyramid.authorization import ACLHelper, Authenticated
from pyramid.request import RequestLocalCache
from pyramid.security import Allowed, Denied

from incidentrelay.domain.permissions import Permission, scope_needed
from incidentrelay.services.access.identity import Identity
from incidentrelay.web.resources.base import Node
from incidentrelay.web.security import sessions
from incidentrelay.web.security.principals import list_principals


class SecurityPolicy:
    """Grants access if the ACL, the token's scopes and its group all allow it.

    The context may require another permission instead (a list of members requires MEMBERS
    for EDIT); see ``Node.verbs``.
    """

    def __init__(self) -> None:
        self._identities = RequestLocalCache(sessions.identify)
        self._principals = RequestLocalCache(self._list_principals)
        self._acl = ACLHelper()

    def identity(self, request: Any) -> Identity | None:
        identity: Identity | None = self._identities.get_or_create(request)
        return identity

    def _list_principals(self, request: Any) -> frozenset[str]:
        return list_principals(self.identity(request))

    def authenticated_userid(self, request: Any) -> str | None:
        identity = self.identity(request)
        if identity is None:
            return None
        return f"route:{identity.route_id}" if identity.kind == "route" else identity.username

    def permits(self, request: Any, context: Any, permission: str) -> Any:
        identity = self.identity(request)
        if not isinstance(context, Node) or permission not in set(Permission):
            return Denied("%r is no permission on %r.", permission, context)
        wanted = context.verb(Permission(permission))
        if identity is not None and identity.kind == "token":
            refusal = _beyond_token(identity, context, wanted)
            if refusal:
                return Denied(refusal)
        principals = self._principals.get_or_create(request)
        if wanted in context.open_to_users and Authenticated in principals:
            return Allowed("Every signed-in user may %s this.", wanted)
        return self._acl.permits(context, principals, wanted)

    def remember(self, request: Any, userid: str, **kw: Any) -> list[tuple[str, str]]:
        """``userid`` is the value of the new session's cookie."""
        return sessions.cookie_headers(request, userid)

    def forget(self, request: Any, **kw: Any) -> list[tuple[str, str]]:
        return sessions.cookie_headers(request, None)


def _beyond_token(identity: Identity, context: Node, permission: Permission) -> str:
    """Why the token is insufficient; empty if it suffices."""
    if context.scope_domain is None:
        return "Tokens cannot be used here."
    scope = scope_needed(context.scope_domain, permission)
    if scope not in identity.scopes:
        return f"The token lacks the scope {scope}."
    bound = identity.bound_group_id
    if bound is not None and not context.keeps_to(bound, permission):
        return "The token is bound to another group."
    return ""
