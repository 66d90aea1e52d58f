"""The description of one setting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PREFIX = "incidentrelay."
ENV_PREFIX = "INCIDENTRELAY_"
# ``smtp_host`` is written ``smtp.host``; ``public_url`` has no section.
_SECTIONS = frozenset(
    "database delivery huey intake log metrics retention"
    " session smtp sqlalchemy sqlite worker".split()
)


class ConfigurationError(Exception):
    """The program cannot start; the message names the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Key:
    """How to read one setting. Without a ``default`` it is required.

    ``field`` is its name in Settings; the declaration fills it in.
    """

    parse: Callable[[str], Any]
    default: str | None
    doc: str
    secret: bool = False
    hint: str = ""
    field: str = ""

    @property
    def name(self) -> str:
        section, _, rest = self.field.partition("_")
        return f"{section}.{rest}" if section in _SECTIONS else self.field

    @property
    def env(self) -> str:
        return ENV_PREFIX + self.field.upper()
