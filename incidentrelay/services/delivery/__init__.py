"""Sends notifications: claims, sends outside a transaction, records the result.

May import ``alerts`` and below. A claim is a lease with a fencing token. At least once:
an unknown outcome is retried. A failed target falls back.
"""
