"""Login, one's own account, contact methods, feeds, and inbox.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
