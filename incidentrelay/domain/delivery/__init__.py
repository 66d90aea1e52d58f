"""When a message may be sent: retries, circuit breakers, rate limits, bundles.

Each module is one well-known pattern as a pure function of its state and ``now``. Nothing here
depends on a vendor or a table.
"""
