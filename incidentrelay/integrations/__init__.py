"""Inbound adapters: each turns one source's payload into the product's signals.

The law of this package: an integration is pure. It does no I/O, reads no clock
or settings, and does not depend on routes, databases or requests. Every integration has
a page under ``docs/integrations/``, and sample payloads with their expected signals
under ``samples/<name>/``.
"""

from incidentrelay.integrations.alertmanager import Alertmanager
from incidentrelay.integrations.registry import IntegrationRegistry
from incidentrelay.integrations.webhook import Webhook
from incidentrelay.integrations.zabbix import Zabbix


def default_registry() -> IntegrationRegistry:
    """The built-in integrations, then those of other installed packages.

    Raises DuplicateIntegration if two have the same name.
    """
    registry = IntegrationRegistry()
    for integration in (Alertmanager(), Zabbix(), Webhook()):
        registry.register(integration)
    registry.load_plugins()
    return registry
