"""The stamp of the facts that processes remember: routes, people, schedules, silences.

The law: a transaction that changes a row of :data:`FACTS` also draws a new stamp, as its
last statement. What a process read under a stamp is true as long as it reads the same
stamp. It does not matter how a statement is built: the engine looks at the SQL that it sends.

The stamp is random, not a counter: a restored backup must not repeat one. It is written
last, so that edits hold its row only for the moment of their commit and cannot deadlock.
"""

import re
import secrets
from functools import lru_cache

from sqlalchemy import Connection, Engine, bindparam, event, inspect, select, text

from incidentrelay.models import FactsStamp

FACTS = frozenset(
    "absences channels contact_methods group_members groups notification_rules policies"
    " rotation_layers rotation_overrides rotation_revisions rotations route_channels routes"
    " silences team_members teams users".split()
)
_CHANGED = "changed_facts"
_CHANGE = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO"
    r"|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:ONLY\s+)?(?:\w+\.)?[\"`]?"
    rf"(?:{'|'.join(sorted(FACTS))})\b",
    re.IGNORECASE,
)
_READ = select(FactsStamp.stamp).where(FactsStamp.id == 1)
_DRAW = text(
    "INSERT INTO facts_stamp (id, stamp) VALUES (1, :stamp)"
    " ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp"
).bindparams(bindparam("stamp"))


@lru_cache(maxsize=2048)
def changes_facts(statement: str) -> bool:
    """Whether the SQL changes a table of :data:`FACTS`."""
    return _CHANGE.search(statement) is not None


def watch(engine: Engine) -> None:
    """Make the engine's transactions obey the law."""

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if changes_facts(statement):
            connection.info[_CHANGED] = True

    @event.listens_for(engine, "commit")
    def draw(connection: Connection) -> None:
        # Migrations may run before the table is there.
        if connection.info.pop(_CHANGED, False) and inspect(connection).has_table("facts_stamp"):
            connection.execute(_DRAW, {"stamp": secrets.randbits(62)})

    @event.listens_for(engine, "rollback")
    def forget(connection: Connection) -> None:
        # One that broke is gone with all it did.
        if not connection.invalidated:
            connection.info.pop(_CHANGED, None)


def read(connection: Connection) -> int | None:
    """The stamp under which facts may be remembered.

    None if there is none yet, or if this transaction itself changed facts: others must not
    remember what it may still roll back.
    """
    if connection.info.get(_CHANGED):
        return None
    return connection.scalar(_READ)
