"""The URLs for monitoring systems, one per source."""

from collections.abc import Iterator, Sequence

from incidentrelay.domain.errors import NotFound
from incidentrelay.domain.permissions import INGEST_PRINCIPAL, Permission
from incidentrelay.integrations.base import Integration
from incidentrelay.web.resources.base import ACE, Node, allow


class SourceNode(Node):
    """One source. Accepts route tokens, and personal tokens with ``alerts:write``.

    The identity alone decides which route receives a request, so tokens limited to a group
    may send here too.
    """

    scope_domain = "alerts"
    filtered = frozenset({Permission.INGEST})
    # People open the URL in a browser to check it. It is no secret.
    method_hint = "Send alerts by POST, with the token of a route."

    def __acl__(self) -> Sequence[ACE]:
        return [allow(INGEST_PRINCIPAL, frozenset({Permission.INGEST}))]

    @property
    def integration(self) -> Integration:
        integration: Integration = self.root.request.registry["integrations"].get(self.__name__)
        return integration


class Integrations(Node):
    tag = "integrations"
    open_to_users = frozenset({Permission.VIEW})
    scope_domain = "alerts"
    filtered = frozenset({Permission.VIEW})

    @classmethod
    def branches(cls) -> Iterator[tuple[str, type[Node]]]:
        yield "{source}", SourceNode

    def __getitem__(self, name: str) -> Node:
        try:
            self.root.request.registry["integrations"].get(name)
        except NotFound:
            raise KeyError(name) from None
        return SourceNode(self, name)
