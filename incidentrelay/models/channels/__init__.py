"""Channels, and the state of their providers.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
