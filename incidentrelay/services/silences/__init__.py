"""Silences, and the effects of starting, ending or editing one on open alerts.

May import ``intake`` and below. A silence is matched against the labels of single signals.
"""
