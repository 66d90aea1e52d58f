"""Who does something, as services need to know it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """``user_id`` is None for the system and for sources. ``via`` is the door.

    ``via`` ∈ api, console, link, source, system, cli. The name is what timeline
    and audit show if the person is deleted later.
    """

    name: str
    via: str
    user_id: int | None = None
    is_admin: bool = False
    request_id: str = ""


SYSTEM = Actor(name="IncidentRelay", via="system", is_admin=True)
