"""Who is on call, rotations, overrides, swaps, and calendar import.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
