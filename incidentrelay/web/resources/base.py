"""What a node of the tree is: :class:`Node`, and its kinds.

The tree is declared by class attributes: ``children`` are the fixed ones, ``item``
is what a collection holds. :func:`walk` enumerates it without any row.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from marshmallow import Schema
from pyramid.authorization import Allow
from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

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

    ``verbs`` says which permission stands for another one here. ``open_to_users``
    are granted to whoever is signed in, on this node but not below it.
    ``scope_domain`` is the domain of the scopes that a token needs; None keeps
    tokens out. ``filtered`` is what a token that is bound to a group may do on a node
    that lies in none, because it then meets only its own group's rows.
    """

    children: ClassVar[Mapping[str, type["Node"]]] = {}
    verbs: ClassVar[Mapping[Permission, Permission]] = {}
    open_to_users: ClassVar[frozenset[Permission]] = frozenset()
    scope_domain: ClassVar[str | None] = None
    filtered: ClassVar[frozenset[Permission]] = frozenset()

    def __init__(self, parent: "Node | None", name: str) -> None:
        self.__parent__ = parent
        self.__name__ = name
        self.root: Any = parent.root if parent is not None else self

    def __getitem__(self, name: str) -> "Node":
        return self.children[name](self, name)

    @classmethod
    def branches(cls) -> Iterator[tuple[str, "type[Node]"]]:
        """The (path segment, class) of everything that stands below such a node."""
        yield from cls.children.items()

    def __acl__(self) -> Sequence[ACE]:
        return ()

    def verb(self, permission: Permission) -> Permission:
        """The permission that is asked of the ACL when ``permission`` is wanted here."""
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
    """A node with a row. ``offered`` are the verbs that make sense on it.

    ``noun`` names it in path templates. ``door`` is the flat collection by which
    links name it, where it has one.
    """

    model: ClassVar[Any]
    schema: ClassVar[type[Schema]]
    noun: ClassVar[str]
    door: ClassVar[str | None] = None
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


class Collection(Node):
    """A node whose children are rows.

    ``key`` is the column that path segments name, ``sorts`` the orders of its
    list by their public names, the first being the default.
    """

    item: ClassVar[type[Item]]
    key: ClassVar[InstrumentedAttribute[Any]]
    sorts: ClassVar[Mapping[str, InstrumentedAttribute[Any]]]

    @classmethod
    def branches(cls) -> Iterator[tuple[str, type[Node]]]:
        yield from super().branches()
        yield f"{{{cls.item.noun}}}", cls.item

    def __getitem__(self, name: str) -> Node:
        if name in self.children:
            return super().__getitem__(name)
        return self.wrap(self.find(name))

    @property
    def owner(self) -> Any:
        """The row above the collection; None at the root."""
        return self.__parent__.obj if isinstance(self.__parent__, Item) else None

    def statement(self) -> Select[Any]:
        """All rows of the collection."""
        return self.item.rows()

    def listing(self) -> Select[Any]:
        """The rows that the caller may see."""
        return self.statement()

    def find(self, name: str) -> Any:
        """The row that a path segment names; KeyError where there is none."""
        # Through the class: a column is a descriptor, which wants rows as instances.
        column = type(self).key
        value = parse_id(name) if column.key == "id" else name
        row = self.db.scalar(self.statement().where(column == value))
        if row is None:
            raise KeyError(name)
        return row

    def wrap(self, row: Any) -> Item:
        return self.item(self, self.name_of(row), row)

    def name_of(self, row: Any) -> str:
        return str(getattr(row, type(self).key.key))

    def fresh(self, row: Any) -> Item:
        """The node of a row that was just written, with everything read again."""
        # What the database computed, and the id, are needed to read it.
        self.db.flush()
        statement = self.statement().where(self.item.model.id == row.id)
        return self.wrap(
            self.db.scalars(statement, execution_options={"populate_existing": True}).one()
        )

    def preload(self, nodes: Sequence[Item]) -> None:
        """Load what ``details`` of these nodes needs, in a constant number of statements."""


class Folder(Collection):
    """A collection in its own place; ``service.create`` makes its items."""

    service: ModuleType

    def extras(self) -> Mapping[str, Any]:
        """Further keyword arguments of ``service.create``."""
        return {}


class Door(Collection):
    """A flat entrance: what it finds stands in its own place in the tree.

    Whoever is signed in may look through a door; what is seen is scoped.
    """

    open_to_users = frozenset({Permission.VIEW})
    filtered = frozenset({Permission.VIEW})

    def listing(self) -> Select[Any]:
        listing: Select[Any] = self.root.visible(self.statement(), self.item.model)
        return listing

    def wrap(self, row: Any) -> Item:
        item: Item = self.root.place(row)
        return item


def walk(node_class: type[Node], path: str = "") -> Iterator[tuple[str, type[Node]]]:
    """Every (path template, node class) from ``node_class`` down.

    The items behind a door are named, but not entered: they have their own place.
    """
    yield path, node_class
    for segment, child in node_class.branches():
        if issubclass(node_class, Door):
            yield f"{path}/{segment}", child
        else:
            yield from walk(child, f"{path}/{segment}")
