"""When a silence is in force, and which labels it covers.

Imports ``matchers`` and ``local_time``, and depends on neither alerts nor routes. The question
is always about one signal's labels at one instant. Recurrence follows RFC 5545, reduced to the
rules that :mod:`~incidentrelay.domain.silences.recurrence` lists.
"""
