"""First steps: the checklist from an empty installation to an acknowledged page.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
