"""Alerts, their signals and timeline.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
