"""What people do to alerts, and how alerts are listed and shown.

May import ``escalation`` and below. Every change goes through ``transitions``, which
writes the timeline and cancels notifications of older generations.
"""
