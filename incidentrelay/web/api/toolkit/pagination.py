"""Keyset pagination: a cursor is (value of the sort column, id) of the last row shown.

Every page costs the same, and concurrent inserts and deletes do not shift other rows
between pages. Cursors are signed, because their values are used in queries; only cursors
issued for the same list are accepted.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Ids
from datetime import datetime
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.access.keys import derive_key
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.collections import Collection

_CHUNK = 500
_SIFTED_CHUNKS = 8


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
    request: Any,
    collection: Collection,
    statement: Select[Any],
    keep: Callable[[Sequence[Any]], Ids[int]] | None = None,
) -> tuple[list[Item], str | None]:
    """One page of ``statement`` as nodes, and the cursor of the next page.

    ``request.query`` is a loaded PageQuery. ``keep`` returns the ids of the rows that pass a
    filter SQL cannot evaluate; a page can then be short although another follows.
    """
    query: Mapping[str, Any] = request.query
    name, column, falling = _order(collection, query["sort"])
    listing = f"{request.path}?{name}"
    cursors: Cursors = request.registry["cursors"]
    row_id = collection.item.model.id
    order = (column.desc(), row_id.desc()) if falling else (column, row_id)

    def fetch(after: tuple[Any, int] | None, count: int) -> Sequence[Any]:
        limited = (
            statement if after is None else statement.where(_after(column, row_id, *after, falling))
        )
        rows: Sequence[Any] = (
            request.db.scalars(limited.order_by(*order).limit(count)).unique().all()
        )
        return rows

    def place(row: Any) -> tuple[Any, int]:
        return _value(row, column), row.id

    start = cursors.read(listing, query["cursor"]) if query["cursor"] else None
    if keep is None:
        rows = fetch(start, query["limit"] + 1)
        shown = list(rows[: query["limit"]])
        resume = place(shown[-1]) if len(rows) > len(shown) else None
    else:
        shown, resume = _sift(fetch, place, keep, start, query["limit"])
    nodes = [collection.wrap(row) for row in shown]
    return nodes, None if resume is None else cursors.write(listing, *resume)


def _sift(
    fetch: Callable[[Any, int], Sequence[Any]],
    place: Callable[[Any], tuple[Any, int]],
    keep: Callable[[Sequence[Any]], Ids[int]],
    start: tuple[Any, int] | None,
    limit: int,
) -> tuple[list[Any], tuple[Any, int] | None]:
    """The kept rows, and where to continue; scans a limited number of rows."""
    shown: list[Any] = []
    after = start
    for _ in range(_SIFTED_CHUNKS):
        rows = fetch(after, _CHUNK)
        kept = keep(rows)
        for row in rows:
            after = place(row)
            if row.id in kept:
                shown.append(row)
            if len(shown) == limit:
                return shown, after
        if len(rows) < _CHUNK:
            return shown, None
    return shown, after


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
