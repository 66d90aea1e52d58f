"""Actions on alerts, bulk actions, explanations, and failed notifications.

May import ``toolkit`` and no other package of the API.
"""
