"""Contact methods, verification codes, and inboxes.

May import ``outbox`` and below. User accounts are in ``tenancy``.
"""
