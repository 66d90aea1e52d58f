"""Navigation: the menu, and the breadcrumbs above a page's heading.

Desktops show all menu entries in one line; phones keep the minor ones behind "More".

A node's page has the node's own URL (``/groups/sre/teams/core/rotations/primary``). Its forms
are views of the node (``.../edit``, ``.../delete``); the form for a new one is a view of the
collection (``rotations/new``). A form posts to its own URL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyramid.interfaces import IView, IViewClassifier
from pyramid_tm import is_tm_active
from sqlalchemy.orm import Session
from zope.interface import providedBy

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.people import inbox
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Item, Node

# (label, path, icon, whether a phone shows it at once)
_ENTRIES = (
    ("Alerts", "alerts", "bell", True),
    ("Inbox", "inbox", "inbox", True),
    ("On call", "oncall", "phone-call", True),
    ("Calendar", "calendar", "calendar", False),
    ("Rotations", "rotations", "rotate", False),
    ("Policies", "policies", "stairs-up", False),
    ("Silences", "silences", "bell-off", False),
    ("Routes", "routes", "route", False),
    ("Channels", "channels", "broadcast", False),
    ("Teams", "groups", "users", False),
)
# Pages without an entry of their own, and the entry that leads to them.
_BELONGS = {"notifications": "alerts", "reports": "oncall", "users": "groups"}
# /groups/{group}/teams/{team}/{collection}/…
_IN_TEAM = 4


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A line of the menu. A phone shows ``main`` ones at once; a ``count`` of 0 is hidden."""

    label: str
    url: str
    icon: str
    active: bool
    main: bool
    count: int = 0


@contextmanager
def reading(request: Any) -> Iterator[Session]:
    """The request's session, or a new one if an error may have broken it."""
    if request.exception is None and is_tm_active(request):
        yield request.db
        return
    with request.registry["database"].read() as session:
        yield session


def build_menu(request: Any) -> list[MenuEntry]:
    """The menu of the signed-in user."""
    identity = request.identity
    with reading(request) as session:
        counts = {
            "alerts": alert_list.count_open_alerts(session, identity),
            "inbox": inbox.count_inbox(session, identity, identity.user_id),
        }
    here, prefix = find_section(request.path_info), request.script_name
    return [
        MenuEntry(label, f"{prefix}/{path}", icon, path == here, main, counts.get(path, 0))
        for label, path, icon, main in _ENTRIES
    ]


def find_section(path: str) -> str:
    """The menu entry of the page at ``path``, or "" if it has none."""
    parts = path.strip("/").split("/")
    if parts[0] == "groups":
        inside = parts[_IN_TEAM] if len(parts) > _IN_TEAM else ""
        return inside if any(inside == path for _, path, _, _ in _ENTRIES) else "groups"
    return _BELONGS.get(parts[0], parts[0])


@dataclass(frozen=True, slots=True)
class Crumb:
    """``url`` is None if the node has no page, or none that this user may see."""

    label: str
    url: str | None = None


def list_breadcrumbs(request: Any, node: Node) -> list[Crumb]:
    """The links from the group down to ``node`` itself."""
    lineage: list[Node] = []
    place: Node | None = node
    while place is not None and place.__parent__ is not None:
        lineage.insert(0, place)
        place = place.__parent__
    return [_crumb(request, one) for one in lineage if not _is_bare_collection(one)]


def list_breadcrumbs_above(request: Any, node: Node) -> list[Crumb]:
    """The links above ``node``, for the node's own page."""
    return list_breadcrumbs(request, node.__parent__) if node.__parent__ is not None else []


def _is_bare_collection(node: Node) -> bool:
    """The collections of groups and teams add nothing to the links of their items."""
    return node.__name__ in {"groups", "teams"} and not isinstance(node, Item)


def _crumb(request: Any, node: Node) -> Crumb:
    if isinstance(node, Item):
        label = getattr(node.obj, "name", None) or node.__name__
        return Crumb(str(label), page_url(request, node))
    url = page_url(request, node) or _flat_list_url(request, node)
    return Crumb(node.__name__.capitalize(), url)


def _flat_list_url(request: Any, node: Node) -> str | None:
    """The flat list of the same noun, for a collection without its own page."""
    return find_list(request, node.root, node.__name__)


def find_list(request: Any, root: Node, name: str) -> str | None:
    """The page of the flat list ``name``; None if there is none, or not for this user."""
    door = root.children.get(name)
    return page_url(request, door(root, name)) if door is not None else None


def page_url(
    request: Any, node: Node, name: str = "", permission: Permission = Permission.VIEW
) -> str | None:
    """The URL of a node's page or form; None if there is none, or none for this user."""
    wanted = (IViewClassifier, request.request_iface, providedBy(node))
    if request.registry.adapters.lookup(wanted, IView, name=name) is None:
        return None
    if not request.has_permission(permission, node):
        return None
    return f"{console_url(request, node)}/{name}" if name else console_url(request, node)
