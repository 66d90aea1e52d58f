"""One's own account, contact methods, and notification rules.

May import ``toolkit`` and no other package of the API.
"""
