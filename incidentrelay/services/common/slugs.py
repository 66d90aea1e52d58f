"""Slugs: the names of resources in URLs."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.errors import InvalidInput

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

RESERVED = frozenset(
    """
    ack acknowledge bulk resolve unack unacknowledge snooze assign escalate comment events
    notifications shifts oncall preview quality take cover swap test token intake rotate members
    teams rotations policies channels routes silences alerts audit overrides layers schedule new
    edit delete login logout me users groups integrations api docs static healthz readyz metrics
    act inbox calendar openapi.json swagger settings profile tokens sessions password search feeds
    regenerate import resend silence end confirm send-code contacts rules
    reassign-to-next explain explanation dependents matching download activate deactivate
    """.split()
)


def slugify(name: str) -> str:
    """A slug made from ``name``; empty if no letter or digit is left."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:63].rstrip("-")


def check_slug(value: Any) -> str:
    """``value`` if it is a valid slug; raises InvalidInput (``slug``)."""
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise InvalidInput.of(
            "slug",
            "Write 1 to 63 lower-case letters (a to z), digits and hyphens,"
            " with no hyphen at either end.",
        )
    if value in RESERVED:
        raise InvalidInput.of("slug", f"“{value}” is reserved for URLs; choose another.")
    return value


def with_slug(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with a slug: the given one, or one made from ``name``."""
    if data.get("slug") not in (None, "") or not isinstance(data.get("name"), str):
        return dict(data)
    return {**data, "slug": slugify(data["name"])}
