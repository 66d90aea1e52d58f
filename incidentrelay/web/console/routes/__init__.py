"""Routes: list with health, page, editor, token, test alert.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
