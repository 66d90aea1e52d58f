"""The menu: the few places that matter at night, and the others.

Where there is room all stand in one line; on a phone the others are behind "More".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyramid_tm import is_tm_active
from sqlalchemy.orm import Session

from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.people import inbox

# (label, path, icon, whether a phone shows it at once)
_ENTRIES = (
    ("Alerts", "alerts", "bell", True),
    ("Inbox", "inbox", "inbox", True),
    ("On call", "oncall", "phone-call", True),
    ("Calendar", "calendar", "calendar", False),
    ("Rotations", "rotations", "rotate", False),
    ("Policies", "policies", "stairs-up", False),
    ("Silences", "silences", "bell-off", False),
)
# Pages without an entry belong to the one from which one comes to them.
_BELONGS = {"notifications": "alerts", "reports": "oncall"}
# /groups/{group}/teams/{team}/{what is the team's}/…
_IN_TEAM = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu. ``main`` ones are at hand on a phone; ``count`` 0 is not shown."""

    label: str
    url: str
    icon: str
    active: bool
    main: bool
    count: int = 0


@contextmanager
def reading(request: Any) -> Iterator[Session]:
    """The request's session; one of its own where an error may have spoilt that one."""
    if request.exception is None and is_tm_active(request):
        yield request.db
        return
    with request.registry["database"].read() as session:
        yield session


def menu(request: Any) -> list[Entry]:
    """The menu of whoever is signed in."""
    identity = request.identity
    with reading(request) as session:
        counts = {
            "alerts": alert_list.count_open_alerts(session, identity),
            "inbox": inbox.count_inbox(session, identity, identity.user_id),
        }
    here, prefix = section(request.path_info), request.script_name
    return [
        Entry(label, f"{prefix}/{path}", icon, path == here, main, counts.get(path, 0))
        for label, path, icon, main in _ENTRIES
    ]


def section(path: str) -> str:
    """The entry to which the page at a path belongs; "" where it is none's."""
    parts = path.strip("/").split("/")
    if parts[0] == "groups":
        parts = parts[_IN_TEAM:] or [""]
    return _BELONGS.get(parts[0], parts[0])
