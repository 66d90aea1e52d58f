"""Nodes of the tree: :class:`Node`, and its kinds that have a row.

The tree is declared by class attributes: ``children`` are the fixed ones, and ``item``
is the class of the rows in a collection (see ``collections``).
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
    """The row id that a path segment names; KeyError where it cannot be one."""
    if not (text.isascii() and text.isdigit()) or text[0] == "0" or int(text[:20]) > _BIGGEST_ID:
        raise KeyError(text)
    return int(text)


class Node:
    """A place in the tree.

    ``verbs`` maps a permission to the one that is required for it here. ``open_to_users``
    are granted to every signed-in user, on this node but not below it.
    ``scope_domain`` is the domain of the scopes that a token needs; None keeps
    tokens out. ``filtered`` are the permissions that a token bound to a group has on
    nodes outside of all groups, because it sees only the rows of its group there.
    ``tag`` groups the operations in the OpenAPI document; empty means the parent's.
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
        """The (path segment, class) of each child of such a node."""
        yield from cls.children.items()

    def __acl__(self) -> Sequence[ACE]:
        return ()

    def verb(self, permission: Permission) -> Permission:
        """The permission that the ACL must grant for ``permission`` here."""
        return self.verbs.get(permission, permission)

    def keeps_to(self, group_id: int, permission: Permission) -> bool:
        """Whether ``permission`` on this node reaches nothing outside of that group."""
        node: Node | None = self
        while node is not None:
            if node.group_id is not None:
                return node.group_id == group_id
            node = node.__parent__
        return permission in self.filtered

    @property
    def group_id(self) -> int | None:
        """The id of the group that this node is; None for all other nodes."""
        return None

    @property
    def db(self) -> Session:
        session: Session = self.root.request.db
        return session


class Item(Node):
    """A node with a row. ``offered`` are the permissions that apply to it.

    ``noun`` names it in path templates. ``flat_path`` is the path
    of the flat collection that links name it by, if there is one.
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
        """All such rows, with what their place and representation need."""
        return select(cls.model)

    def details(self) -> Mapping[str, Any]:
        """Fields of the representation that are not in the row."""
        return {}

    def complete(self) -> None:
        """Load what ``details`` has only where this node is shown alone, not in a list."""


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
        """``data`` without fixed fields that repeat what is there; InvalidInput for others."""
        changed = [
            name for name in self.fixed if name in data and data[name] != self.fixed_value(name)
        ]
        if changed:
            raise InvalidInput({name: ["This never changes."] for name in changed})
        return {name: value for name, value in data.items() if name not in self.fixed}

    def fixed_value(self, name: str) -> Any:
        return getattr(self.obj, name, self.__name__)


class Managed(Editable, Deletable):
    """An item that people create, edit and delete: most of them."""

    offered: ClassVar[tuple[Permission, ...]] = (
        Permission.VIEW,
        Permission.EDIT,
        Permission.DELETE,
    )
