"""Escalation policies: list, page, and editor with preview.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
