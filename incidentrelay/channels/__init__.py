"""The channels: a package for each vendor's dialect.

A channel turns one :class:`~incidentrelay.domain.messages.Envelope` into one delivery. It
imports only ``domain`` and ``transport``, reads no database, setting or clock (``envelope.now``
is the time), and reports the outcome in the terms of :mod:`incidentrelay.channels.base`.
Strangers write alerts, so text is escaped for the vendor, bounded, and without control
characters. A reason never contains a secret or the body of an answer.

CONTRIBUTING.md lists the files of a new kind.
"""
