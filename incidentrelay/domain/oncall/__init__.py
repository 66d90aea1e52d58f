"""Who is on call: the one computation behind paging, calendar, preview and reports.

Everything here is a pure function of a :class:`~incidentrelay.domain.oncall.schedule.Schedule`.
Imports only ``enums``, ``errors``, ``local_time`` and ``text``. Order::

    restrictions → layers → turns → segments → overrides → schedule → shifts → escalation_order

Instants are aware UTC; intervals include their start and exclude their end.
"""
