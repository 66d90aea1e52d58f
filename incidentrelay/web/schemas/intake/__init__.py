"""Schemas: routes and verdicts of intake."""
