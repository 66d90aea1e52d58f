"""Chaos: accepted alerts are delivered at least once, even if processes are killed.

``python -m tests.chaos`` runs a drill with real processes; docs/administration/
delivery-promise.md explains it and its table.
"""
