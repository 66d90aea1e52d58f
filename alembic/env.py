"""Runs migrations on the connection of ``incidentrelay.migrations``."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from incidentrelay.migrations import is_ours
from incidentrelay.models import Base
from incidentrelay.models.meta import BigId, EnumText, JSONValue, UTCDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Render plain types, because migrations must not import the program's own."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, EnumText):
        return "sa.String(32)"
    return {id(JSONValue): "JSON", id(BigId): "BIG_ID"}.get(id(item), False)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_object=is_ours,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
