"""Groups, teams and their members.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
