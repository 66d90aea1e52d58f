"""Keyset pagination: a cursor is (value of the sort column, id) of the last row shown.

Every page costs the same, and concurrent inserts and deletes do not shift other rows
between pages. Cursors are signed, because their values are used in queries; only cursors
issued for the same list are accepted.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.access.keys import derive_key
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.collections import Collection


class Cursors:
    """Signs and reads cursors."""

    def __init__(self, secret_key: str) -> None:
        self._serializer = URLSafeSerializer(
            derive_key(secret_key, "cursor"),
            salt="cursor",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def write(self, listing: str, value: Any, row_id: int) -> str:
        stored = {"at": value.isoformat()} if isinstance(value, datetime) else value
        cursor: str | bytes = self._serializer.dumps([listing, stored, row_id])
        return cursor if isinstance(cursor, str) else cursor.decode()

    def read(self, listing: str, cursor: str) -> tuple[Any, int]:
        """(value, id); raises InvalidInput for a cursor of another list."""
        try:
            found, stored, row_id = self._serializer.loads(cursor)
        except (BadSignature, ValueError, UnicodeError):
            found, stored, row_id = None, None, 0
        if found != listing:
            raise InvalidInput.of("cursor", "This cursor does not belong to this list.")
        value = datetime.fromisoformat(stored["at"]) if isinstance(stored, dict) else stored
        return value, row_id


def page(
    request: Any, collection: Collection, statement: Select[Any]
) -> tuple[list[Item], str | None]:
    """One page of ``statement`` as nodes, and the cursor of the next page.

    ``request.query`` is a loaded PageQuery.
    """
    wanted = asked_page(request, collection)
    column, row_id = wanted.column, collection.item.model.id
    order = (column.desc(), row_id.desc()) if wanted.falling else (column, row_id)
    if wanted.after is not None:
        statement = statement.where(_after(column, row_id, *wanted.after, wanted.falling))
    limited = statement.order_by(*order).limit(wanted.limit + 1)
    rows: Sequence[Any] = request.db.scalars(limited).unique().all()
    shown = rows[: wanted.limit]
    more = len(rows) > len(shown)
    resume = (_value(shown[-1], column), shown[-1].id) if more else None
    return [collection.wrap(row) for row in shown], wanted.cursor(request, resume)


@dataclass(frozen=True, slots=True)
class AskedPage:
    """What a PageQuery asks for; ``after`` is the place of the last row of the page before."""

    listing: str
    column: InstrumentedAttribute[Any]
    falling: bool
    after: tuple[Any, int] | None
    limit: int

    def cursor(self, request: Any, place: tuple[Any, int] | None) -> str | None:
        """The cursor of the page after ``place``."""
        cursors: Cursors = request.registry["cursors"]
        return None if place is None else cursors.write(self.listing, *place)


def asked_page(request: Any, collection: Collection) -> AskedPage:
    query: Mapping[str, Any] = request.query
    name, column, falling = _order(collection, query["sort"])
    listing = f"{request.path}?{name}"
    cursors: Cursors = request.registry["cursors"]
    after = cursors.read(listing, query["cursor"]) if query["cursor"] else None
    return AskedPage(listing, column, falling, after, query["limit"])


def _order(
    collection: Collection, sort: str | None
) -> tuple[str, InstrumentedAttribute[Any], bool]:
    names = {name.lstrip("-"): column for name, column in collection.sorts.items()}
    wanted = sort or next(iter(collection.sorts))
    column = names.get(wanted.removeprefix("-"))
    if column is None:
        raise InvalidInput.of("sort", f"Sort by one of: {', '.join(names)}; or with - in front.")
    return wanted, column, wanted.startswith("-")


def _after(
    column: InstrumentedAttribute[Any], row_id: Any, value: Any, last_id: int, falling: bool
) -> Any:
    further = column < value if falling else column > value
    behind = row_id < last_id if falling else row_id > last_id
    return or_(further, and_(column == value, behind))


def _value(row: Any, column: InstrumentedAttribute[Any]) -> Any:
    """The sort column's value; for lists of members, a column of the person."""
    owner = row if column.key in type(row).__mapper__.columns else row.user
    return getattr(owner, column.key)
