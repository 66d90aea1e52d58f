"""Pure values and decisions.

Imports only the standard library and ``re2``. Reads no clock, randomness or settings, and does
no I/O: callers pass ``now``. All datetimes are aware and in UTC, except in functions that
document wall-clock time.
"""
