"""Chaos: what was accepted is delivered, at least once, whatever is killed.

``python -m tests.chaos`` runs a drill with real processes; docs/administration/
delivery-promise.md says what it does and what its table means.
"""
