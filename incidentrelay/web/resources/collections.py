"""Collections, and :func:`walk`, which enumerates the tree without rows."""

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.resources.base import Item, Node, parse_id


class Collection(Node):
    """A node whose children are rows.

    Path segments name ``key``. ``sorts`` maps the public names of sort orders to columns; the
    first is the default.
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
        """The rows visible to the user."""
        return self.statement()

    def find(self, name: str) -> Any:
        """The row that a path segment names; raises KeyError if there is none."""
        # Through the class, because the column is a descriptor.
        column = type(self).key
        value = parse_id(name) if column.key == "id" else name
        row = self.db.scalar(self.statement().where(column == value))
        if row is None:
            raise KeyError(name)
        return row

    def wrap(self, row: Any) -> Item:
        return self.item(self, self.name_of(row), row)

    def load(self, ids: Sequence[int]) -> list[Item]:
        """The nodes of the rows with these ids, in their order; missing rows are left out."""
        if not ids:
            return []
        statement = self.statement().where(self.item.model.id.in_(ids))
        rows = {row.id: row for row in self.db.scalars(statement).unique()}
        return [self.wrap(rows[row_id]) for row_id in ids if row_id in rows]

    def name_of(self, row: Any) -> str:
        return str(getattr(row, type(self).key.key))

    def fresh(self, row: Any) -> Item:
        """The node of a row that was just written, with everything reloaded."""
        # Assigns the id.
        self.db.flush()
        statement = self.statement().where(self.item.model.id == row.id)
        return self.wrap(
            self.db.scalars(statement, execution_options={"populate_existing": True}).one()
        )

    def preload(self, nodes: Sequence[Item]) -> None:
        """Load what ``details`` of these nodes needs, in a constant number of statements."""


class Folder(Collection):
    """A collection whose items ``service.create`` creates."""

    service: ModuleType

    def extras(self) -> Mapping[str, Any]:
        """Further keyword arguments of ``service.create``."""
        return {}


class FlatCollection(Collection):
    """All rows of a kind that the user may see, from everywhere in the tree.

    Every signed-in user may list it. Items are placed in their own group and team.
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
    """Yield every (path template, node class) from ``node_class`` down.

    Items of a flat collection are listed but not entered: they have their own place.
    """
    yield path, node_class
    for segment, child in node_class.branches():
        if issubclass(node_class, FlatCollection):
            yield f"{path}/{segment}", child
        else:
            yield from walk(child, f"{path}/{segment}")
