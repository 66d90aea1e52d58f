"""Silences.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
