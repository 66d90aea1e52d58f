"""Notifications, their attempts, and what was sent.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
