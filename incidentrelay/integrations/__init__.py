"""Inbound adapters: each turns one source's payload into the product's signals.

The law of this package: an integration is pure. It does no I/O, reads no clock
and no settings, and knows nothing of routes, databases or requests. Every
integration has a page under ``docs/integrations/`` and payloads under
``samples/<name>/`` beside what must become of them.
"""

from incidentrelay.integrations.alertmanager import Alertmanager
from incidentrelay.integrations.registry import Registry
from incidentrelay.integrations.webhook import Webhook
from incidentrelay.integrations.zabbix import Zabbix


def default_registry() -> Registry:
    """The built-in integrations, then those of other installed packages.

    Raises DuplicateIntegration where one of those has a name that is taken.
    """
    registry = Registry()
    for integration in (Alertmanager(), Zabbix(), Webhook()):
        registry.register(integration)
    registry.load_plugins()
    return registry
