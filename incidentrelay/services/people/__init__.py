"""User accounts, their contact methods, verification codes, and inboxes.

May import ``outbox`` and below. The last active admin cannot be removed or demoted.
"""
