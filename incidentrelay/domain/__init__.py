"""Pure values and decisions.

The law of this package: it imports the standard library and ``re2``,
nothing else; it reads no clock, no randomness, no
settings and does no I/O. Whoever calls a decision passes ``now``. All datetimes
are aware and in UTC, except where a function says that it works in wall-clock
time of a zone.
"""
