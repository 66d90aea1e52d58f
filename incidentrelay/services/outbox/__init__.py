"""Notifications as rows, written in the transaction of the event that caused them.

May import ``recipients`` and below. Nothing is sent here. The idempotency key is unique:
(alert, generation, step, kind, target).
"""
