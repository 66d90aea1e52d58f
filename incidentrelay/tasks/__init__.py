"""What runs outside of requests: deliveries, escalations, sweeps.

The law of this package: Huey is an alarm clock. Whatever it forgets or does twice,
the tables say what is due: a task takes an id, looks, and does it if it is still to
be done. Losing the whole queue makes pages late by at most one sweep, never lost.
"""
