"""The current user's account, contacts and notification rules.

May import ``toolkit`` and no other package of the API.
"""
