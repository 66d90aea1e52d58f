"""Runs escalation plans: loads state, asks the domain, writes its decision.

May import ``people`` and below. The decision is ``domain.escalation.engine.decide``.
``wake_at`` is the only schedule: losing the queue loses nothing.
"""
