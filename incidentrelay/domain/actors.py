"""The actor behind a change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``user_id`` is None for the system and for sources.

    ``via`` is the interface: api, console, link, source, system or cli. Timeline and audit
    show ``name`` after the user is deleted.
    """

    name: str
    via: str
    user_id: int | None = None
    is_admin: bool = False
    request_id: str = ""


SYSTEM = Actor(name="IncidentRelay", via="system", is_admin=True)
