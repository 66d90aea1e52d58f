"""Users, contact methods, sessions and tokens.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
