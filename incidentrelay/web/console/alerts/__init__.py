"""The alert list, one alert, its actions, bulk actions, and failed notifications.

May import ``toolkit``, ``forms`` and ``components``, and no other package of pages.
"""
