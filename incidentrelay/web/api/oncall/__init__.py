"""Shifts, overrides, previews, calendar feeds and import, and reports.

May import ``toolkit`` and no other package of the API.
"""
