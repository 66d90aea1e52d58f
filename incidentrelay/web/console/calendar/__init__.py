"""The on-call calendar, as a grid, a table, and an agenda.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
