"""Receives payloads and turns them into alerts, events and notifications.

May import ``delivery`` and below. One request is one transaction: an answer of 2xx
means committed, with every notification in the outbox.
"""
