"""The channels: one file for each vendor's dialect.

The law of this package: a channel turns one :class:`~incidentrelay.domain.messages.Envelope`
into one delivery. It imports ``domain`` and ``transport`` only, reads no
database, setting or clock (``envelope.now`` is the time), and says what happened
in the words of :mod:`incidentrelay.channels.base`. Alerts are written by
strangers: their text goes out escaped for the vendor, bounded, and without
control characters. No secret and no answer's body ever gets into a reason.

To add one: its file here with its config schema, its line in
:func:`~incidentrelay.channels.registry.default_registry`, its templates under
``channels/<kind>/templates/``, its page under ``docs/channels/``, and its fake
vendor in the conformance tests.
"""
