"""Silences, and what starting, ending or editing one does to open alerts.

May import ``intake`` and below. A silence is asked about a signal's own labels.
"""
