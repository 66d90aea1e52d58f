"""Schemas: groups, teams, users."""
