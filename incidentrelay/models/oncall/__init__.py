"""Rotations, absences, calendar feeds and shift reminders.

Columns, indexes and relationships only; see :mod:`incidentrelay.models`.
"""
