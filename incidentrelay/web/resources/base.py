"""Nodes of the tree: :class:`Node`, and nodes with a row.

Class attributes declare the tree: ``children`` are fixed children, ``item`` is the class
of the rows in a collection (see ``collections``).
"""

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from marshmallow import Schema
from pyramid.authorization import Allow
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission

ACE = tuple[str, str, frozenset[Permission]]

_BIGGEST_ID = 2**63 - 1


def allow(principal: str, permissions: frozenset[Permission]) -> ACE:
    return (Allow, principal, permissions)


def parse_id(text: str) -> int:
    """Parse a path segment as a row id; raises KeyError if it cannot be one."""
    if not (text.isascii() and text.isdigit()) or text[0] == "0" or int(text[:20]) > _BIGGEST_ID:
        raise KeyError(text)
    return int(text)


class Node:
    """A node of the tree.

    ``verbs`` maps a permission to the one required instead on this node. ``open_to_users``
    are granted to every signed-in user, on this node but not below it. ``scope_domain`` is
    the domain of the token scopes; None rejects tokens. ``filtered`` are the permissions
    that a token limited to a group has on nodes outside all groups, where it sees only the
    rows of its group. ``tag`` groups operations in the OpenAPI document; empty means the
    parent's.
    """

    children: ClassVar[Mapping[str, type["Node"]]] = {}
    verbs: ClassVar[Mapping[Permission, Permission]] = {}
    open_to_users: ClassVar[frozenset[Permission]] = frozenset()
    scope_domain: ClassVar[str | None] = None
    filtered: ClassVar[frozenset[Permission]] = frozenset()
    tag: ClassVar[str] = ""

    def __init__(self, parent: "Node | None", name: str) -> None:
        self.__parent__ = parent
        self.__name__ = name
        self.root: Any = parent.root if parent is not None else self

    def __getitem__(self, name: str) -> "Node":
        return self.children[name](self, name)

    @classmethod
    def branches(cls) -> Iterator[tuple[str, "type[Node]"]]:
        """Yield the (path segment, class) of each possible child."""
        yield from cls.children.items()

    def __acl__(self) -> Sequence[ACE]:
        return ()

    def verb(self, permission: Permission) -> Permission:
        """The permission that the ACL must grant for ``permission`` here."""
        return self.verbs.get(permission, permission)

    def keeps_to(self, group_id: int, permission: Permission) -> bool:
        """Whether ``permission`` on this node is confined to that group."""
        node: Node | None = self
        while node is not None:
            if node.group_id is not None:
                return node.group_id == group_id
            node = node.__parent__
        return permission in self.filtered

    @property
    def group_id(self) -> int | None:
        """The group's id if this node is a group, else None."""
        return None

    @property
    def db(self) -> Session:
        session: Session = self.root.request.db
        return session


class Item(Node):
    """A node with a row. ``offered`` are the permissions that apply to it.

    ``noun`` names it in path templates. ``flat_path`` is the path of its flat collection, if
    there is one; links use it.
    """

    model: ClassVar[Any]
    schema: ClassVar[type[Schema]]
    noun: ClassVar[str]
    flat_path: ClassVar[str | None] = None
    offered: ClassVar[tuple[Permission, ...]] = (Permission.VIEW,)

    def __init__(self, parent: Node, name: str, obj: Any) -> None:
        super().__init__(parent, name)
        self.obj = obj

    @classmethod
    def rows(cls) -> Select[Any]:
        """All rows of this class, loaded with what their place and representation need."""
        return select(cls.model)

    def details(self) -> Mapping[str, Any]:
        """Fields of the representation that are not in the row."""
        return {}

    def complete(self) -> None:
        """Load details that are shown for a single node but not in lists."""


class Deletable(Item):
    """An item that can be deleted by ``service.delete``."""

    service: ModuleType


class Editable(Item):
    """An item that can be edited by ``service.update``; ``fixed`` fields never change."""

    service: ModuleType
    fixed: ClassVar[tuple[str, ...]] = ("slug",)
    offered: ClassVar[tuple[Permission, ...]] = (Permission.VIEW, Permission.EDIT)

    def extras(self) -> Mapping[str, Any]:
        """Further keyword arguments of ``service.update``."""
        return {}

    def without_fixed(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """``data`` without unchanged fixed fields; raises InvalidInput for changed ones."""
        changed = [
            name for name in self.fixed if name in data and data[name] != self.fixed_value(name)
        ]
        if changed:
            raise InvalidInput({name: ["This never changes."] for name in changed})
        return {name: value for name, value in data.items() if name not in self.fixed}

    def fixed_value(self, name: str) -> Any:
        return getattr(self.obj, name, self.__name__)


class Managed(Editable, Deletable):
    """An item that users create, edit and delete."""

    offered: ClassVar[tuple[Permission, ...]] = (
        Permission.VIEW,
        Permission.EDIT,
        Permission.DELETE,
    )
