"""Channels: list with health, page with deliveries, editor from the kind's schema.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
