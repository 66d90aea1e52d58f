"""Where a page stands in the tree: the links above its heading.

A node's page has the node's own address (``/groups/sre/teams/core/rotations/primary``),
and what is done with it is a view of that node: ``…/edit``, ``…/delete``; for what is
to be made, of its collection: ``…/rotations/new``. A form is sent to its own address.
"""

from dataclasses import dataclass
from typing import Any

from pyramid.interfaces import IView, IViewClassifier
from zope.interface import providedBy

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Item, Node


@dataclass(frozen=True, slots=True)
class Crumb:
    """``url`` None: the place has no page, or not one for this reader."""

    label: str
    url: str | None = None


def of(request: Any, node: Node) -> list[Crumb]:
    """From the group down to ``node``; without it where the page is the node's own."""
    lineage: list[Node] = []
    place: Node | None = node
    while place is not None and place.__parent__ is not None:
        lineage.insert(0, place)
        place = place.__parent__
    return [_crumb(request, one) for one in lineage if not _is_frame(one)]


def above(request: Any, node: Node) -> list[Crumb]:
    """The places above ``node``, for its own page."""
    return of(request, node.__parent__) if node.__parent__ is not None else []


def _is_frame(node: Node) -> bool:
    """The collections of groups and teams say nothing that their items do not."""
    return node.__name__ in {"groups", "teams"} and not isinstance(node, Item)


def _crumb(request: Any, node: Node) -> Crumb:
    if isinstance(node, Item):
        label = getattr(node.obj, "name", None) or node.__name__
        return Crumb(str(label), _page_of(request, node))
    return Crumb(node.__name__.capitalize(), _page_of(request, node) or _door_of(request, node))


def _door_of(request: Any, node: Node) -> str | None:
    """The flat list of such things, where a collection has no page of its own."""
    door = node.root.children.get(node.__name__)
    return _page_of(request, door(node.root, node.__name__)) if door is not None else None


def _page_of(request: Any, node: Node) -> str | None:
    # Any view without a name is a page: forms are sent to views with one.
    wanted = (IViewClassifier, request.request_iface, providedBy(node))
    if request.registry.adapters.lookup(wanted, IView, name="") is None:
        return None
    return console_url(request, node) if request.has_permission(Permission.VIEW, node) else None
