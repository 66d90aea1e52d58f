"""When a silence is in force, and which labels it covers.

Imports ``matchers`` and ``local_time``; knows neither alerts nor routes. A silence is
asked about one signal's labels at one instant. Recurrence follows RFC 5545, reduced to
the rules that :mod:`~incidentrelay.domain.silences.recurrence` lists.
"""
