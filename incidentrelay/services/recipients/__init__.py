"""Who can be reached, by which contact methods, under which notification rules.

May import ``reports`` and below. Targets are resolved when a page is planned and checked
again when it is sent.
"""
