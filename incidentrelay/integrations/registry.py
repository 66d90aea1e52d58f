"""Registers integrations: the built-in ones and those of other packages.

Another package offers one by an entry point of the group ``incidentrelay.integrations``
that names an integration, or its class if that needs no arguments.
"""

import logging
import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from incidentrelay.domain.errors import NotFound
from incidentrelay.integrations.base import Integration, IntegrationInfo

ENTRY_POINT_GROUP = "incidentrelay.integrations"

_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_log = logging.getLogger(__name__)


class BadIntegration(ValueError):
    """The registered object is not an integration."""


class DuplicateIntegration(ValueError):
    """Two integrations have the same name."""


class IntegrationRegistry:
    """Integrations by name, in order of registration."""

    def __init__(self) -> None:
        self._by_name: dict[str, Integration] = {}

    def register(self, integration: Integration) -> None:
        """Add one; raises BadIntegration or DuplicateIntegration."""
        info: Any = getattr(integration, "info", None)
        if not isinstance(info, IntegrationInfo):
            raise BadIntegration("The info of an integration must be an IntegrationInfo.")
        if not _NAME.fullmatch(info.name):
            raise BadIntegration(f"{info.name!r} is not a valid segment of a URL.")
        if not callable(getattr(integration, "normalise", None)):
            raise BadIntegration(f"The integration {info.name} has no method normalise.")
        if info.name in self._by_name:
            raise DuplicateIntegration(f"There are two integrations named {info.name}.")
        self._by_name[info.name] = integration

    def get(self, name: str) -> Integration:
        """The integration of that name; raises NotFound."""
        try:
            return self._by_name[name]
        except KeyError:
            raise NotFound(f"There is no integration named {name}.") from None

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def load_plugins(self, points: Iterable[EntryPoint] | None = None) -> None:
        """Register the integrations of other packages (``points``; by default, all installed).

        A package that cannot be loaded or has no valid integration is logged and
        skipped, so that the others can still page.
        Raises DuplicateIntegration.
        """
        found = entry_points(group=ENTRY_POINT_GROUP) if points is None else points
        for point in found:
            try:
                loaded = point.load()
                self.register(loaded() if isinstance(loaded, type) else loaded)
            except DuplicateIntegration:
                raise
            except Exception:  # Another package may raise anything.
                _log.exception("Skipping the integration %s (%s).", point.name, point.value)
