"""The on-call report and its CSV.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
