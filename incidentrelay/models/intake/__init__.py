"""Routes and the requests they received.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
